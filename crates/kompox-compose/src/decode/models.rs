//! `models` of services, where `x-kompox.models` says under which URL they are served: the variables that the
//! service is told them by (<https://github.com/compose-spec/compose-spec/blob/main/05-services.md#models>).

use secrecy::SecretString;

use super::cursor::At;
use super::{Context, keys};
use crate::model::{EnvironmentVariable, Project, Service};
use crate::yaml::Node;

/// Adds the variables; what the service sets itself stays.
pub(super) fn add_variables(cx: &mut Context<'_>, root: &Node, project: &mut Project) {
    for entry in root.get("services").map(Node::entries).unwrap_or_default() {
        let Some(node) = entry.value.get("models") else { continue };
        let Some(service) = project.services.get_mut(&entry.key.value) else { continue };
        let at = At { node, key: &node.span, path: crate::path::Path::default() };
        for (name, at) in at.entries(cx) {
            add_model(cx, root, service, &name.value, &at);
        }
    }
}

fn add_model(cx: &mut Context<'_>, root: &Node, service: &mut Service, name: &str, at: &At<'_>) {
    let Some(url) = service.extension.models.get(name).cloned() else { return };
    let own = at.optional_fields(cx, keys::SERVICE_MODEL);
    let (endpoint, model) = match own {
        Some(mut fields) => (fields.word(cx, "endpoint_var"), fields.word(cx, "model_var")),
        None => (None, None),
    };
    let prefix = name.to_uppercase().replace('-', "_");
    let variable = |own: Option<crate::Spanned<String>>, suffix: &str| {
        own.map_or_else(|| format!("{prefix}_{suffix}"), |own| own.value)
    };
    let reference = ["models", name, "model"].iter().try_fold(root, |node, key| node.get(key));
    let reference =
        reference.and_then(|node| node.as_text().map(|text| (text.to_owned(), node.span.clone())));
    let values =
        [(variable(endpoint, "URL"), Some((url.value, url.span))), (variable(model, "MODEL"), reference)];
    for (name, value) in values {
        let Some((value, span)) = value else { continue };
        let value = EnvironmentVariable { value: SecretString::from(value), span };
        service.environment.entry(name).or_insert(value);
    }
}
