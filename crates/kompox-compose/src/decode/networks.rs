//! Networks: <https://github.com/compose-spec/compose-spec/blob/main/06-networks.md>, and what a service says
//! about them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::cursor::{At, Fields};
use super::{Context, keys, lists};
use crate::codes;
use crate::model::{Network, NetworkAttachment};
use crate::span::{Span, Spanned};
use crate::text::shown;

/// A network of the file.
pub(super) fn network(cx: &mut Context<'_>, at: &At<'_>) -> Option<Network> {
    let mut network = Network {
        span: at.key.clone(),
        name: None,
        driver: None,
        internal: None,
        external: None,
        labels: BTreeMap::new(),
    };
    if at.node.is_null() {
        return Some(network);
    }
    let mut fields = at.fields(cx, keys::NETWORK)?;
    network.name = fields.written_word(cx, "name");
    network.driver = fields.word(cx, "driver");
    network.internal = fields.flag(cx, "internal");
    network.external = fields.flag(cx, "external");
    network.labels = fields.map(cx, "labels");
    fields.finish(cx);
    Some(network)
}

/// The networks of a service: a mapping whose values may be null.
pub(super) fn joined(cx: &mut Context<'_>, at: &At<'_>) -> BTreeMap<String, NetworkAttachment> {
    if at.node.is_null() {
        return BTreeMap::new();
    }
    let mut out = BTreeMap::new();
    for (name, at) in at.entries(cx) {
        let mut joined = attachment(at.key.clone());
        if let Some(mut fields) = at.optional_fields(cx, keys::SERVICE_NETWORK) {
            joined.aliases = fields.take("aliases").map(|at| lists::unique(cx, &at)).unwrap_or_default();
            joined.addresses = addresses(cx, &mut fields);
            joined.mac_address = fields.word(cx, "mac_address");
            fields.finish(cx);
        }
        out.insert(name.value.clone(), joined);
    }
    out
}

fn attachment(span: Span) -> NetworkAttachment {
    NetworkAttachment { span, aliases: Vec::new(), addresses: Vec::new(), mac_address: None }
}

fn addresses(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Vec<Spanned<IpAddr>> {
    let mut items: Vec<At<'_>> =
        ["ipv4_address", "ipv6_address"].iter().filter_map(|key| fields.take(key)).collect();
    items.extend(fields.take("link_local_ips").map(|at| at.items(cx)).unwrap_or_default());
    let mut out = Vec::new();
    for item in items {
        let Some(text) = item.word(cx) else { continue };
        match text.value.parse() {
            Ok(address) => out.push(Spanned::new(address, text.span)),
            Err(_) => item.invalid(cx, "an IP address"),
        }
    }
    out
}

/// `extra_hosts`: `NAME=ADDRESS`.
pub(super) fn extra_hosts(cx: &mut Context<'_>, at: &At<'_>) -> Vec<Spanned<(String, String)>> {
    let mut out = Vec::new();
    for item in at.items(cx) {
        let Some(text) = item.text(cx) else { continue };
        let pair = text.value.split_once('=');
        match pair.filter(|(name, address)| !name.is_empty() && !address.is_empty()) {
            Some((name, address)) => {
                out.push(Spanned::new((name.to_owned(), bare(address)), text.span.clone()));
            }
            None => item.invalid(cx, "`name=address`"),
        }
    }
    out
}

/// IPv6 addresses may stand in brackets.
fn bare(address: &str) -> String {
    let inner = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(address).to_owned()
}

/// Reports networks that the file does not declare.
pub(super) fn check(
    cx: &mut Context<'_>,
    service: &str,
    joined: &BTreeMap<String, NetworkAttachment>,
    all: &BTreeMap<String, Network>,
) {
    for (name, NetworkAttachment { span, .. }) in joined {
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
