//! Ports: what the container listens on, and under which numbers others find it.

use super::subject::Subject;
use super::{Findings, names};
use crate::app::codes;
use crate::app::validated::{ContainerPort, HostPort, Protocol, PublishedPort};
use kompox_compose::Diagnostic;
use kompox_compose::model::{Port, Protocol as ComposeProtocol, Service};
use std::collections::{BTreeMap, BTreeSet};

/// The longest name of a port.
const MAX_PORT_NAME: usize = 15;

/// Every port that the file mentions, by number and protocol.
pub(super) fn container_ports(subject: &Subject<'_>, findings: &mut Findings) -> Vec<ContainerPort> {
    let service = subject.service;
    let named = given_names(service);
    let mut ports: BTreeMap<(u16, Protocol), Option<HostPort>> = BTreeMap::new();
    for &(number, kind) in &service.expose {
        ports.insert((number, protocol(kind)), None);
    }
    for port in &service.ports {
        let host = host_port(subject, port, findings);
        let known = ports.entry((port.target, protocol(port.protocol))).or_default();
        *known = known.or(host);
    }
    let mut ports: Vec<_> = ports
        .into_iter()
        .map(|((number, protocol), host)| {
            let name = named.get(&(number, protocol)).cloned();
            ContainerPort { number, protocol, name: name.unwrap_or_else(|| protocol.port_name(number)), host }
        })
        .collect();
    ports.sort_by_key(|port| (port.number, port.protocol));
    ports
}

/// `mode: host`.
fn host_port(subject: &Subject<'_>, port: &Port, findings: &mut Findings) -> Option<HostPort> {
    port.mode.as_ref().filter(|mode| *mode == "host")?;
    let number = port.published.map_or(port.target, |range| range.first);
    let what = format!("the host's port {number}");
    let allowed = subject.allows(&codes::POLICY_HOST_PORT, "ports", &port.span, &what, findings);
    let address = port.host_ip.filter(|address| !address.is_unspecified());
    allowed.then_some(HostPort { number, address })
}

/// Names that a port may have and no other port of the service has.
fn given_names(service: &Service) -> BTreeMap<(u16, Protocol), String> {
    let mut named = BTreeMap::new();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for port in &service.ports {
        let Some(name) = port.name.as_ref().map(|name| name.to_ascii_lowercase()) else { continue };
        let key = (port.target, protocol(port.protocol));
        if is_port_name(&name) && !named.contains_key(&key) && taken.insert(name.clone()) {
            named.insert(key, name);
        }
    }
    named
}

/// RFC 6335 service name, and not one that other ports get by themselves.
fn is_port_name(name: &str) -> bool {
    name.len() <= MAX_PORT_NAME
        && names::is_dns_label(name)
        && name.contains(|c: char| c.is_ascii_lowercase())
        && !name.contains("--")
        && !["tcp-", "udp-", "sctp-"].iter().any(|start| name.starts_with(start))
}

/// The published ports, sorted.
pub(super) fn published(subject: &Subject<'_>, findings: &mut Findings) -> Vec<PublishedPort> {
    let named = given_names(subject.service);
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut ports: BTreeMap<(u16, Protocol), PublishedPort> = BTreeMap::new();
    for port in &subject.service.ports {
        let kind = protocol(port.protocol);
        let name = named.get(&(port.target, kind)).filter(|name| used.insert((*name).clone())).cloned();
        note_what_is_lost(subject, port, name.as_deref(), findings);
        let published = number(subject, port, findings);
        let entry = PublishedPort {
            published,
            target: port.target,
            protocol: kind,
            name: name.unwrap_or_else(|| kind.port_name(published)),
            app_protocol: port.app_protocol.clone().filter(|name| names::is_qualified_name(name)),
        };
        let known = ports.entry((published, kind)).or_insert_with(|| entry.clone());
        if known.target != entry.target {
            let message = format!("{published}/{} leads to two ports of the container", port.protocol);
            findings.diagnose(
                at(subject, port, &codes::PORT_CLASH, message).help("publish one of them elsewhere"),
            );
        }
    }
    ports.into_values().collect()
}

/// The published number; where the file leaves it open, the container's or the first of the range.
fn number(subject: &Subject<'_>, port: &Port, findings: &mut Findings) -> u16 {
    match port.published {
        Some(range) if range.first == range.last => range.first,
        Some(range) => {
            let message =
                format!("any of {}-{} may be published: it is {}", range.first, range.last, range.first);
            findings.diagnose(at(subject, port, &codes::PUBLISHED_CHOSEN, message));
            range.first
        }
        None => {
            let message =
                format!("no published number is given: it is that of the container, {}", port.target);
            findings.diagnose(at(subject, port, &codes::PUBLISHED_CHOSEN, message));
            port.target
        }
    }
}

fn note_what_is_lost(subject: &Subject<'_>, port: &Port, name: Option<&str>, findings: &mut Findings) {
    let on_host = port.mode.as_deref() == Some("host");
    let address = port.host_ip.filter(|address| !address.is_loopback() && !address.is_unspecified());
    if let Some(address) = address.filter(|_| !on_host) {
        let message = format!("the address {address} has no meaning in a cluster");
        findings.diagnose(at(subject, port, &codes::HOST_ADDRESS, message));
    }
    if let Some(given) = port.name.as_ref().filter(|given| Some(given.as_str()) != name) {
        let message = format!("the name `{given}` cannot be that of the port, or is taken or changed");
        let help = "use at most 15 lower-case letters, digits and `-`, once per service";
        findings.diagnose(at(subject, port, &codes::PORT_NAME_IGNORED, message).help(help));
    }
    if let Some(given) = port.app_protocol.as_ref().filter(|given| !names::is_qualified_name(given)) {
        let message = format!("`{given}` cannot be the application protocol of a port");
        findings.diagnose(at(subject, port, &codes::PORT_DETAIL, message));
    }
    if port.protocol != ComposeProtocol::Tcp && !on_host {
        let message = format!("{}/{} is reached inside the cluster only", port.target, port.protocol);
        findings.diagnose(
            at(subject, port, &codes::PORT_NOT_ROUTED, message)
                .help("offer it to the outside under `spec.expose` of the KompoxApp"),
        );
    }
}

fn at(
    subject: &Subject<'_>,
    port: &Port,
    code: &'static kompox_compose::Code,
    message: String,
) -> Diagnostic {
    subject.at(code, "ports", &port.span, message)
}

fn protocol(protocol: ComposeProtocol) -> Protocol {
    match protocol {
        ComposeProtocol::Tcp => Protocol::Tcp,
        ComposeProtocol::Udp => Protocol::Udp,
        ComposeProtocol::Sctp => Protocol::Sctp,
    }
}

#[cfg(test)]
mod tests {
    use super::is_port_name;

    #[test]
    fn names_of_ports() {
        for (name, good) in [
            ("http", true),
            ("web-1", true),
            ("sixteen-letters-", false),
            ("a-name-too-long-1", false),
            ("80", false),
            ("a--b", false),
            ("a_b", false),
            ("tcp-80", false),
        ] {
            assert_eq!(is_port_name(name), good, "{name}");
        }
    }
}
