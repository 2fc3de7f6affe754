//! Networks: <https://github.com/compose-spec/compose-spec/blob/main/06-networks.md>. In a cluster all networks
//! of a project are one; what that changes is said.

use std::collections::BTreeMap;

use super::cursor::At;
use super::{Context, keys, lists};
use crate::codes;
use crate::model::Network;
use crate::span::Span;
use crate::text::shown;
use crate::yaml::Kind;

/// The top-level key.
pub(super) fn declared(cx: &mut Context<'_>, at: &At<'_>) -> BTreeMap<String, Network> {
    let mut out = BTreeMap::new();
    if at.node.is_null() {
        return out;
    }
    for (name, at) in at.entries(cx) {
        if let Some(network) = network(cx, &at) {
            out.insert(name.value.clone(), network);
        }
    }
    if out.len() > 1 {
        let message = "the networks of the file become one: every service reaches every other";
        cx.report(at.finding(&codes::FLAT_NETWORK, message));
    }
    out
}

fn network(cx: &mut Context<'_>, at: &At<'_>) -> Option<Network> {
    let mut network = Network { span: at.key.clone(), name: None, internal: false, external: false };
    if at.node.is_null() {
        return Some(network);
    }
    let mut fields = at.fields(cx, keys::NETWORK)?;
    network.name = fields.take("name").and_then(|at| at.text(cx));
    if let Some(at) = fields.take("external") {
        network.external = at.boolean(cx).is_some_and(|value| value.value);
        note(cx, &at, network.external, "others on this external network are not reached through it");
    }
    if let Some(at) = fields.take("internal") {
        network.internal = at.boolean(cx).is_some_and(|value| value.value);
        note(cx, &at, network.internal, "this network is not cut off from the outside");
    }
    if let Some(at) = fields.take("driver") {
        driver(cx, &at);
    }
    if let Some(at) = fields.take("attachable") {
        at.boolean(cx);
    }
    fields.finish(cx);
    Some(network)
}

fn note(cx: &mut Context<'_>, at: &At<'_>, applies: bool, message: &str) {
    if applies {
        cx.report(at.finding(&codes::FOREIGN_NETWORK, message));
    }
}

fn driver(cx: &mut Context<'_>, at: &At<'_>) {
    match at.string(cx) {
        Some("bridge" | "overlay" | "") | None => {}
        Some(_) => {
            let message = "only the network drivers `bridge` and `overlay` are supported, and behave alike";
            cx.report(at.finding(&codes::UNSUPPORTED_VALUE, message).help("leave `driver` out"));
        }
    }
}

/// The networks of a service: a list of names, or a mapping whose values may be null.
pub(super) fn joined(cx: &mut Context<'_>, at: &At<'_>) -> BTreeMap<String, Span> {
    if matches!(at.node.kind, Kind::Sequence(_)) {
        return lists::unique(cx, at).into_iter().map(|name| (name.value, name.span)).collect();
    }
    let mut out = BTreeMap::new();
    for (name, at) in at.entries(cx) {
        if !at.node.is_null() {
            options(cx, &at);
        }
        out.insert(name.value.clone(), at.key.clone());
    }
    out
}

fn options(cx: &mut Context<'_>, at: &At<'_>) {
    let Some(mut fields) = at.fields(cx, keys::SERVICE_NETWORK) else { return };
    for key in ["priority", "gw_priority", "interface_name"] {
        fields.ignore(cx, key, "a pod has one network interface");
    }
    fields.finish(cx);
}

/// Reports networks that the file does not declare.
pub(super) fn check(
    cx: &mut Context<'_>,
    service: &str,
    joined: &BTreeMap<String, Span>,
    all: &BTreeMap<String, Network>,
) {
    for (name, span) in joined {
        if name != "default" && !all.contains_key(name) {
            let message = format!(
                "service {} joins the network {}, which is not declared",
                shown(service),
                shown(name)
            );
            let finding = crate::Diagnostic::new(&codes::UNDEFINED_NETWORK, message)
                .at(span)
                .path(format!("services.{service}.networks"))
                .help(format!("declare it: `networks: {{ {name}: {{}} }}` at the top level"));
            cx.report(finding);
        }
    }
}
