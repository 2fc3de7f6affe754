//! `deploy` but for its resources: <https://github.com/compose-spec/compose-spec/blob/main/deploy.md>.

use super::Context;
use super::cursor::{At, Fields};
use super::keys;
use crate::codes;
use crate::model::{Deploy, DeployMode, DeployRestart, PlacementPreference, UpdateConfig};
use crate::span::Spanned;

/// `deploy`, without `replicas` and `resources`, which others take.
pub(super) fn deploy(cx: &mut Context<'_>, at: &At<'_>) -> Deploy {
    let Some(mut fields) = at.optional_fields(cx, keys::DEPLOY) else { return Deploy::default() };
    let mut deploy = Deploy {
        mode: fields.take("mode").and_then(|at| mode(cx, &at)),
        endpoint_mode: fields.word(cx, "endpoint_mode"),
        labels: fields.map(cx, "labels"),
        restart_policy: fields.take("restart_policy").and_then(|at| restart_policy(cx, &at)),
        update_config: fields.take("update_config").and_then(|at| update_config(cx, &at)),
        ..Deploy::default()
    };
    if let Some(at) = fields.take("placement") {
        placement(cx, &at, &mut deploy);
    }
    fields.finish(cx);
    deploy
}

/// `deploy.replicas` and `scale` say the same; different values are refused.
pub(super) fn replicas(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<Spanned<u32>> {
    let scale = fields.take("scale").and_then(|at| at.number(cx, 0));
    let replicas = fields.at_path(&["deploy", "replicas"]).and_then(|at| at.number(cx, 0));
    if let (Some(scale), Some(replicas)) = (&scale, &replicas)
        && scale.value != replicas.value
    {
        let message = "`scale` and `deploy.replicas` say different numbers";
        let finding = fields.at.finding(&codes::INVALID_VALUE, message).at(&replicas.span);
        cx.report(finding.related(&scale.span, "`scale` is here"));
    }
    replicas.or(scale)
}

fn mode(cx: &mut Context<'_>, at: &At<'_>) -> Option<Spanned<DeployMode>> {
    let mode = match at.word(cx)?.value.as_str() {
        "replicated" => Some(DeployMode::Replicated),
        "global" => Some(DeployMode::Global),
        "replicated-job" => Some(DeployMode::ReplicatedJob),
        "global-job" => Some(DeployMode::GlobalJob),
        _ => None,
    };
    if mode.is_none() {
        at.invalid(cx, "`replicated`, `global`, `replicated-job` or `global-job`");
    }
    super::spanned(mode, &at.node.span)
}

fn restart_policy(cx: &mut Context<'_>, at: &At<'_>) -> Option<DeployRestart> {
    let mut fields = at.optional_fields(cx, keys::RESTART_POLICY)?;
    let policy = DeployRestart {
        span: at.key.clone(),
        condition: fields.word(cx, "condition"),
        max_attempts: fields.count(cx, "max_attempts"),
        delay: fields.take("delay").and_then(|at| at.duration(cx)),
        window: fields.take("window").and_then(|at| at.duration(cx)),
    };
    fields.finish(cx);
    Some(policy)
}

fn update_config(cx: &mut Context<'_>, at: &At<'_>) -> Option<UpdateConfig> {
    let mut fields = at.optional_fields(cx, keys::UPDATE_CONFIG)?;
    let config = UpdateConfig {
        span: at.key.clone(),
        parallelism: fields.count(cx, "parallelism"),
        order: fields.word(cx, "order"),
        delay: fields.take("delay").and_then(|at| at.duration(cx)),
    };
    if let Some(order) = config.order.as_ref().filter(|order| !is_order(&order.value)) {
        let at = crate::Diagnostic::new(&codes::INVALID_VALUE, "the value of `order` is not valid");
        cx.report(at.at(&order.span).path(at_order(&fields)).help("write `start-first` or `stop-first`"));
    }
    fields.finish(cx);
    Some(config)
}

fn is_order(text: &str) -> bool {
    matches!(text, "start-first" | "stop-first")
}

fn at_order(fields: &Fields<'_>) -> String {
    fields.at.path.key("order").to_string()
}

fn placement(cx: &mut Context<'_>, at: &At<'_>, deploy: &mut Deploy) {
    let Some(mut fields) = at.optional_fields(cx, keys::PLACEMENT) else { return };
    deploy.constraints = fields.words(cx, "constraints");
    deploy.max_replicas_per_node = fields.take("max_replicas_per_node").and_then(|at| at.number(cx, 0));
    let preferences = fields.take("preferences").map(|at| at.items(cx)).unwrap_or_default();
    for item in preferences {
        let Some(mut preference) = item.fields(cx, keys::PREFERENCE) else { continue };
        let spread = preference.word(cx, "spread");
        preference.finish(cx);
        let span = item.node.span.clone();
        deploy.preferences.extend(spread.map(|spread| PlacementPreference { span, spread }));
    }
    fields.finish(cx);
}
