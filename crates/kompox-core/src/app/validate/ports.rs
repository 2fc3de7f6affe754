//! Ports: what the container listens on, and under which numbers others find it.

use super::Findings;
use crate::app::codes;
use crate::app::validated::{Protocol, PublishedPort};
use kompox_compose::Diagnostic;
use kompox_compose::model::{Port, Protocol as ComposeProtocol, Service};
use std::collections::{BTreeMap, BTreeSet};

/// Every port that the file mentions.
pub(super) fn container_ports(service: &Service) -> BTreeSet<(u16, Protocol)> {
    let published = service.ports.iter().map(|port| (port.target, protocol(port.protocol)));
    let exposed = service.expose.iter().map(|&(number, kind)| (number, protocol(kind)));
    published.chain(exposed).collect()
}

/// The published ports, sorted.
pub(super) fn published(service: &Service, findings: &mut Findings) -> Vec<PublishedPort> {
    let mut ports: BTreeMap<(u16, Protocol), PublishedPort> = BTreeMap::new();
    for port in &service.ports {
        note_what_is_lost(service, port, findings);
        let published = number(service, port, findings);
        let entry = PublishedPort {
            published,
            target: port.target,
            protocol: protocol(port.protocol),
            app_protocol: port.app_protocol.clone(),
        };
        let known = ports.entry((published, entry.protocol)).or_insert_with(|| entry.clone());
        if known.target != entry.target {
            let message = format!("{published}/{} leads to two ports of the container", port.protocol);
            findings.diagnose(
                at(service, port, &codes::PORT_CLASH, message).help("publish one of them elsewhere"),
            );
        }
    }
    ports.into_values().collect()
}

/// The published number; where the file leaves it open, the container's or the first of the range.
fn number(service: &Service, port: &Port, findings: &mut Findings) -> u16 {
    match port.published {
        Some(range) if range.first == range.last => range.first,
        Some(range) => {
            let message =
                format!("any of {}-{} may be published: it is {}", range.first, range.last, range.first);
            findings.diagnose(at(service, port, &codes::PUBLISHED_CHOSEN, message));
            range.first
        }
        None => {
            let message =
                format!("no published number is given: it is that of the container, {}", port.target);
            findings.diagnose(at(service, port, &codes::PUBLISHED_CHOSEN, message));
            port.target
        }
    }
}

fn note_what_is_lost(service: &Service, port: &Port, findings: &mut Findings) {
    if let Some(address) = port.host_ip.filter(|address| !address.is_loopback() && !address.is_unspecified())
    {
        let message = format!("the address {address} has no meaning in a cluster");
        findings.diagnose(at(service, port, &codes::HOST_ADDRESS, message));
    }
    if let Some(name) = &port.name {
        findings.diagnose(at(
            service,
            port,
            &codes::PORT_NAME_IGNORED,
            format!("the name `{name}` has no effect"),
        ));
    }
}

fn at(service: &Service, port: &Port, code: &'static kompox_compose::Code, message: String) -> Diagnostic {
    Diagnostic::new(code, message).at(&port.span).path(format!("services.{}.ports", service.name.value))
}

fn protocol(protocol: ComposeProtocol) -> Protocol {
    match protocol {
        ComposeProtocol::Tcp => Protocol::Tcp,
        ComposeProtocol::Udp => Protocol::Udp,
        ComposeProtocol::Sctp => Protocol::Sctp,
    }
}
