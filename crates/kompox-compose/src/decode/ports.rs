//! `ports` and `expose`: <https://github.com/compose-spec/compose-spec/blob/main/05-services.md#ports>.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::cursor::At;
use super::{Context, keys, lists};
use crate::codes;
use crate::limits::{MAX_PORTS, PORT_COST};
use crate::model::{Port, PortRange, Protocol};
use crate::yaml::Shape;

/// The published ports, exact repetitions reported and left out.
pub(super) fn ports(cx: &mut Context<'_>, at: &At<'_>) -> Vec<Port> {
    let mut out: Vec<Port> = Vec::new();
    let mut seen = BTreeSet::new();
    for item in at.items(cx) {
        if !affordable(cx, &item, out.len() + 1, 1) {
            break;
        }
        if let Some(port) = long(cx, &item) {
            if seen.insert((port.target, port.published, port.protocol, port.host_ip)) {
                out.push(port);
            } else {
                lists::repeated(cx, &item);
            }
        }
    }
    out
}

/// Whether a service may have so many ports, and the project `more` of them.
fn affordable(cx: &mut Context<'_>, item: &At<'_>, of_service: usize, more: usize) -> bool {
    let affordable = of_service <= MAX_PORTS && cx.spend(more * PORT_COST);
    if !affordable {
        let message = format!("more than {MAX_PORTS} ports of one service, or far too many of the project");
        cx.report(item.finding(&codes::UNSUPPORTED_VALUE, message));
    }
    affordable
}

fn number_or_text<'n>(cx: &mut Context<'_>, item: &At<'n>) -> Option<&'n str> {
    match item.scalar().map(|scalar| (scalar, scalar.shape())) {
        Some((scalar, Shape::Text | Shape::Integer(_))) => Some(&scalar.text),
        _ => {
            item.wrong_type(cx, "a string, a number or a mapping");
            None
        }
    }
}

fn long(cx: &mut Context<'_>, at: &At<'_>) -> Option<Port> {
    let mut fields = at.fields(cx, keys::PORT)?;
    let target = fields.require(cx, "target").and_then(|at| target(cx, &at));
    let published = fields.take("published").and_then(|at| published(cx, &at));
    let protocol = fields.take("protocol").map(|at| long_protocol(cx, &at));
    let host_ip = fields.take("host_ip").and_then(|at| host_ip(cx, &at));
    let name = fields.word(cx, "name");
    let app_protocol = fields.word(cx, "app_protocol");
    let mode = fields.take("mode").and_then(|at| mode(cx, &at));
    fields.finish(cx);
    Some(Port {
        span: at.node.span.clone(),
        target: target?,
        published: published.flatten(),
        protocol: protocol.unwrap_or(Some(Protocol::Tcp))?,
        host_ip,
        name: name.map(|name| name.value),
        app_protocol: app_protocol.map(|protocol| protocol.value),
        mode,
    })
}

fn target(cx: &mut Context<'_>, at: &At<'_>) -> Option<u16> {
    let target = number_or_text(cx, at)?;
    let target = range(target).filter(|range| range.first == range.last).map(|range| range.first);
    if target.is_none() {
        at.invalid(cx, "a port from 1 to 65535");
    }
    target
}

/// `published: ""` and `published: 0` leave the choice to the platform.
fn published(cx: &mut Context<'_>, at: &At<'_>) -> Option<Option<PortRange>> {
    let text = number_or_text(cx, at)?;
    if text.is_empty() || text == "0" {
        return Some(None);
    }
    let range = range(text);
    if range.is_none() {
        at.invalid(cx, "a port or a range of ports from 1 to 65535");
    }
    range.map(Some)
}

fn long_protocol(cx: &mut Context<'_>, at: &At<'_>) -> Option<Protocol> {
    let protocol = protocol(at.string(cx)?);
    if protocol.is_none() {
        at.invalid(cx, "`tcp`, `udp` or `sctp`");
    }
    protocol
}

fn host_ip(cx: &mut Context<'_>, at: &At<'_>) -> Option<IpAddr> {
    let text = at.string(cx)?;
    let ip = address(text);
    if ip.is_none() && !text.is_empty() {
        at.invalid(cx, "an IP address");
    }
    ip
}

fn mode(cx: &mut Context<'_>, at: &At<'_>) -> Option<String> {
    let mode = at.word(cx)?.value;
    if !matches!(mode.as_str(), "ingress" | "host") {
        at.invalid(cx, "`ingress` or `host`");
    }
    Some(mode)
}

fn address(text: &str) -> Option<IpAddr> {
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    text.parse().ok()
}

fn protocol(text: &str) -> Option<Protocol> {
    match text.to_ascii_lowercase().as_str() {
        "tcp" => Some(Protocol::Tcp),
        "udp" => Some(Protocol::Udp),
        "sctp" => Some(Protocol::Sctp),
        _ => None,
    }
}

fn range(text: &str) -> Option<PortRange> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|port| digits && *port > 0)
    };
    let (first, last) = (port(first)?, port(last)?);
    (first <= last).then_some(PortRange { first, last })
}

/// `expose`: ports and ranges with an optional protocol.
pub(super) fn expose(cx: &mut Context<'_>, at: &At<'_>) -> BTreeSet<(u16, Protocol)> {
    let mut out = BTreeSet::new();
    for item in at.items(cx) {
        let Some(text) = number_or_text(cx, &item) else { continue };
        let (ports, protocol) = match text.split_once('/') {
            Some((ports, protocol)) => (ports, self::protocol(protocol)),
            None => (text, Some(Protocol::Tcp)),
        };
        let (Some(range), Some(protocol)) = (range(ports), protocol) else {
            item.invalid(cx, "`PORT[/PROTOCOL]` with ports from 1 to 65535");
            continue;
        };
        let length = usize::from(range.last - range.first) + 1;
        if !affordable(cx, &item, out.len() + length, length) {
            break;
        }
        out.extend((range.first..=range.last).map(|port| (port, protocol)));
    }
    out
}
