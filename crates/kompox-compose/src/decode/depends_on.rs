//! `depends_on`: <https://github.com/compose-spec/compose-spec/blob/main/05-services.md#depends_on>.

use std::collections::BTreeMap;

use super::cursor::At;
use super::{Context, keys};
use crate::model::{Dependency, DependencyCondition};

/// The dependencies, those that follow from other keys among them.
pub(super) fn depends_on(cx: &mut Context<'_>, at: &At<'_>) -> BTreeMap<String, Dependency> {
    let mut out = BTreeMap::new();
    for (name, at) in at.entries(cx) {
        if let Some(dependency) = long(cx, &at) {
            out.insert(name.value.clone(), dependency);
        }
    }
    out
}

fn long(cx: &mut Context<'_>, at: &At<'_>) -> Option<Dependency> {
    let mut fields = at.fields(cx, keys::DEPENDENCY)?;
    let condition = fields.require(cx, "condition").and_then(|at| condition(cx, &at));
    let restart = fields.take("restart").and_then(|at| at.boolean(cx)).is_some_and(|value| value.value);
    let required = fields.take("required").and_then(|at| at.boolean(cx)).is_none_or(|value| value.value);
    fields.finish(cx);
    Some(Dependency { span: at.key.clone(), condition: condition?, restart, required })
}

fn condition(cx: &mut Context<'_>, at: &At<'_>) -> Option<DependencyCondition> {
    match at.string(cx)? {
        "service_started" => Some(DependencyCondition::Started),
        "service_healthy" => Some(DependencyCondition::Healthy),
        "service_completed_successfully" => Some(DependencyCondition::CompletedSuccessfully),
        _ => {
            at.invalid(cx, "`service_started`, `service_healthy` or `service_completed_successfully`");
            None
        }
    }
}
