//! `pre_start`, `post_start`, `pre_stop`:
//! <https://github.com/compose-spec/compose-spec/blob/main/05-services.md#post_start>.

use secrecy::SecretString;

use super::cursor::{At, Fields};
use super::{Context, command, keys, lists};
use crate::codes;
use crate::model::{Hook, PreStart};
use crate::yaml::Origin;

/// Commands in the service's own container.
pub(super) fn hooks(cx: &mut Context<'_>, at: &At<'_>) -> Vec<Hook> {
    let mut out = Vec::new();
    for item in at.items(cx) {
        let Some(mut fields) = item.fields(cx, keys::HOOK) else { continue };
        out.extend(hook(cx, &mut fields));
        fields.finish(cx);
    }
    out
}

/// Containers that end before the service starts.
pub(super) fn pre_start(cx: &mut Context<'_>, at: &At<'_>) -> Vec<PreStart> {
    let mut out = Vec::new();
    for item in at.items(cx) {
        // Any key of a container may stand here: the conversion says which of them it can keep.
        let Some(mut fields) = item.fields(cx, keys::SERVICE) else { continue };
        let image = fields.written_word(cx, "image");
        let per_replica = fields.flag(cx, "per_replica").is_none_or(|value| value.value);
        out.extend(hook(cx, &mut fields).map(|hook| PreStart { hook, image, per_replica }));
    }
    out
}

fn hook(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<Hook> {
    let command = fields.require(cx, "command").and_then(|at| command::words(cx, &at));
    // What `pre_start` takes over from its service is the container's own already.
    let user = fields.written_word(cx, "user");
    let privileged = fields.written("privileged").and_then(|at| at.boolean(cx));
    let working_dir = fields.written_word(cx, "working_dir");
    let pairs = fields.take("environment").map(|at| lists::pairs(cx, &at)).unwrap_or_default();
    let mut environment = std::collections::BTreeMap::new();
    for pair in pairs.into_iter().filter(|pair| pair.at.node.origin == Origin::Written) {
        let name = pair.name.value;
        if let Some(value) = pair.value.or_else(|| cx.environment.get(&name).cloned()) {
            environment.insert(name, SecretString::from(value));
        }
    }
    let command = command?;
    if command.value.is_empty() {
        let message = "a hook needs a command with at least one word";
        cx.report(fields.at.finding(&codes::INVALID_VALUE, message));
        return None;
    }
    Some(Hook { span: fields.at.node.span.clone(), command, user, privileged, working_dir, environment })
}
