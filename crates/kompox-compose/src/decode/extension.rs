//! `x-kompox`: what Compose has no word for. Strict: a key or value that means nothing is an error.

use super::Context;
use super::cursor::At;
use super::keys;
use crate::codes;
use crate::model::ServiceExtension;
use crate::span::Spanned;

/// `x-kompox` of a service.
pub(super) fn service(cx: &mut Context<'_>, at: &At<'_>) -> ServiceExtension {
    let Some(mut fields) = at.strict_fields(cx, keys::EXTENSION) else { return ServiceExtension::default() };
    let mut out = ServiceExtension {
        liveness_from_healthcheck: fields.take("livenessProbe").and_then(|at| liveness(cx, &at)),
        models: fields.map(cx, "models"),
        ..ServiceExtension::default()
    };
    if let Some(mut resources) =
        fields.take("resources").and_then(|at| at.strict_fields(cx, keys::EXTENSION_RESOURCES))
    {
        out.requests = resources.map(cx, "requests");
        out.limits = resources.map(cx, "limits");
        resources.finish(cx);
    }
    fields.finish(cx);
    out
}

/// `x-kompox` of the file: nothing is defined for it.
pub(super) fn project(cx: &mut Context<'_>, at: &At<'_>) {
    if at.node.is_null() {
        return;
    }
    for (name, at) in at.entries(cx) {
        let message = format!("`x-kompox` of the file knows no key {}", crate::text::shown(&name.value));
        let finding = crate::Diagnostic::new(&codes::UNKNOWN_KEY, message).at(at.key).path(&at.path);
        cx.report(finding.help("services have an `x-kompox`; other extensions need another name"));
    }
}

fn liveness(cx: &mut Context<'_>, at: &At<'_>) -> Option<Spanned<bool>> {
    let word = at.text(cx)?;
    if word.value != "fromHealthcheck" {
        at.invalid(cx, "`fromHealthcheck`");
        return None;
    }
    Some(word.map(|_| true))
}
