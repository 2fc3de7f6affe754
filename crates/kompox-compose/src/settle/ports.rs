//! The short form of ports: `[[HOST_IP:]PUBLISHED:]CONTAINER[/PROTOCOL]`, ranges included.

use std::net::IpAddr;

use super::scalars::replace;
use super::{At, Settler};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::limits;
use crate::schema::PORT;
use crate::span::Spanned;
use crate::yaml::{Entry, Kind, Node, Shape};

const FORM: &str = "`[[HOST_IP:]PUBLISHED:]CONTAINER[/PROTOCOL]` with ports from 1 to 65535";

/// What one entry says.
struct Spec<'s> {
    host_ip: &'s str,
    published: Option<(u16, u16)>,
    target: (u16, u16),
    protocol: String,
}

impl Settler<'_> {
    pub(super) fn ports(&mut self, node: &mut Node, at: At<'_>) {
        let Kind::Sequence(items) = &mut node.kind else {
            return self.wrong_type(node, at, "a list");
        };
        let mut ports = Vec::new();
        for (index, mut item) in std::mem::take(items).into_iter().enumerate() {
            let path = at.1.index(index);
            if self.open(&item) {
                ports.push(item);
            } else if matches!(item.kind, Kind::Mapping(_)) {
                let span = item.span.clone();
                self.object(&PORT, &mut item, &span, &path);
                ports.push(item);
            } else {
                self.short_port(&item, &path, &mut ports);
            }
        }
        node.kind = Kind::Sequence(ports);
    }

    fn short_port(&mut self, item: &Node, path: &crate::path::Path, ports: &mut Vec<Node>) {
        let at = (&item.span, path);
        let whole = |item: &&Node| !matches!(&item.kind, Kind::Scalar(s) if matches!(s.shape(), Shape::Float(_) | Shape::Boolean(_)));
        let Some(text) = Some(item).filter(whole).and_then(Node::printed) else {
            return self.wrong_type(item, at, "a string, a number or a mapping");
        };
        let Some(spec) = read(&text) else {
            return self.invalid(item, at, FORM);
        };
        let count = usize::from(spec.target.1 - spec.target.0) + 1;
        let cost = count.saturating_mul(limits::PORT_COST);
        let left = self.budget.checked_sub(cost).filter(|_| ports.len() + count <= limits::MAX_PORTS);
        let Some(left) = left else {
            let message = format!("a service has more than {} ports", limits::MAX_PORTS);
            let finding = Diagnostic::new(&codes::UNSUPPORTED_VALUE, message).at(&item.span).path(path);
            return self.diagnostics.push(finding);
        };
        *self.budget = left;
        let mut expanded: Vec<(String, Node)> =
            (0..count).filter_map(|index| port(item, &spec, index)).collect();
        // The reference sorts the ports of a range as text.
        expanded.sort_by(|a, b| a.0.cmp(&b.0));
        ports.extend(expanded.into_iter().map(|(_, port)| port));
    }
}

fn port(item: &Node, spec: &Spec<'_>, index: usize) -> Option<(String, Node)> {
    let index = u16::try_from(index).ok()?;
    let target = (spec.target.0.checked_add(index)?).to_string();
    let single = spec.target.0 == spec.target.1;
    let published = match spec.published {
        Some((first, last)) if single && first != last => Some(format!("{first}-{last}")),
        Some((first, _)) => Some(first.checked_add(index)?.to_string()),
        None => None,
    };
    let value = |text: &str, plain: bool| {
        let mut node = Node { mark: None, ..item.clone() };
        replace(&mut node, text.to_owned(), plain);
        node
    };
    let entry =
        |key: &str, value: Node| Entry { key: Spanned::new(key.to_owned(), item.span.clone()), value };
    let mut entries = vec![entry("mode", Node::text(&item.span, "ingress").filled())];
    entries.push(entry("target", value(&target, true)));
    entries.push(entry("protocol", value(&spec.protocol, false)));
    entries.extend(published.map(|published| entry("published", value(&published, false))));
    if !spec.host_ip.is_empty() {
        entries.push(entry("host_ip", value(spec.host_ip, false)));
    }
    let node = Node { mark: None, ..Node::new(item.span.clone(), Kind::Mapping(entries)) };
    Some((format!("{target}/{}", spec.protocol), node))
}

fn read(text: &str) -> Option<Spec<'_>> {
    let (rest, container) = text.rsplit_once(':').unwrap_or(("", text));
    let (host_ip, published) = rest.rsplit_once(':').unwrap_or(("", rest));
    let (container, protocol) = match container.split_once('/') {
        Some((container, "")) => (container, "tcp"),
        Some((container, protocol)) => (container, protocol),
        None => (container, "tcp"),
    };
    let protocol = protocol.to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return None;
    }
    let host_ip = host_ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(host_ip);
    if !host_ip.is_empty() && host_ip.parse::<IpAddr>().is_err() {
        return None;
    }
    let target = range(container)?;
    let published = if published.is_empty() { None } else { Some(range(published)?) };
    let fits =
        published.is_none_or(|(first, last)| last - first == target.1 - target.0 || target.0 == target.1);
    fits.then_some(Spec { host_ip, published, target, protocol })
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let (first, last): (u16, u16) = (digits(first)?, digits(last)?);
    (first <= last).then_some((first, last))
}
