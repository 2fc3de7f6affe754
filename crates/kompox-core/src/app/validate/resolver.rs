//! Names inside the container: `hostname`, `domainname`, `extra_hosts`, `dns`, `dns_search`, `dns_opt`.

use super::subject::{Subject, at};
use super::{Findings, names};
use crate::app::codes;
use crate::app::validated::WorkloadKind;
use k8s_openapi::api::core::v1::{HostAlias, PodDNSConfig, PodDNSConfigOption};
use kompox_compose::Spanned;
use kompox_compose::model::Service;
use std::net::IpAddr;

/// Name servers that fit behind the cluster's: resolvers read three.
const MAX_SERVERS: usize = 2;

/// The pod's host name: a lower-case label. A StatefulSet names its pods itself.
pub(super) fn hostname(service: &Service, kind: WorkloadKind, findings: &mut Findings) -> Option<String> {
    let given = service.hostname.as_ref()?;
    let lower = given.value.to_ascii_lowercase();
    let changed = |message: &str| at(service, &codes::HOSTNAME_CHANGED, "hostname", &given.span, message);
    if kind == WorkloadKind::StatefulSet {
        findings.diagnose(changed("a service with a disk has its pod's name as host name"));
        return None;
    }
    if lower.contains('.') && names::is_dns_subdomain(&lower) {
        findings.diagnose(changed("a host name with dots is not kept: the pod has its own name"));
        return None;
    }
    if !names::is_dns_label(&lower) {
        let message = format!("`{}` cannot be the host name of a pod", given.value);
        let diagnostic = at(service, &codes::HOSTNAME, "hostname", &given.span, message);
        findings.diagnose(diagnostic.help("use at most 63 lower-case letters, digits and `-`"));
        return None;
    }
    if lower != given.value {
        findings.diagnose(changed("the host name is changed to lower case"));
    }
    Some(lower)
}

/// `domainname`: what follows the host name is the cluster's.
pub(super) fn domain_name(subject: &Subject<'_>, findings: &mut Findings) {
    if let Some(domain) = &subject.service.domainname {
        let message = "the domain name is not kept: the pod has the cluster's";
        findings.diagnose(subject.at(&codes::DOMAIN_NAME, "domainname", &domain.span, message));
    }
}

/// Lines of `/etc/hosts`: one per address, in the order in which the file first mentions it.
pub(super) fn host_aliases(subject: &Subject<'_>, findings: &mut Findings) -> Vec<HostAlias> {
    let mut aliases: Vec<HostAlias> = Vec::new();
    for entry in &subject.service.extra_hosts {
        let Some((name, ip)) = host(subject, entry, findings) else { continue };
        match aliases.iter_mut().find(|alias| alias.ip == ip) {
            Some(alias) => {
                let names = alias.hostnames.get_or_insert_default();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            None => aliases.push(HostAlias { ip, hostnames: Some(vec![name]) }),
        }
    }
    aliases
}

fn host(
    subject: &Subject<'_>,
    entry: &Spanned<(String, String)>,
    findings: &mut Findings,
) -> Option<(String, String)> {
    let (name, address) = &entry.value;
    let at = |code, message: String| subject.at(code, "extra_hosts", &entry.span, message);
    if address == "host-gateway" {
        let message = format!("`{name}` cannot lead to the host: pods move between nodes");
        let help = "give the address of what is reached there, or run that as a service of the app";
        findings.diagnose(at(&codes::HOST_GATEWAY, message).help(help));
        return None;
    }
    let ip = address.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let lower = name.to_ascii_lowercase();
    let (Ok(ip), true) = (ip, names::is_dns_subdomain(&lower)) else {
        let message = format!("`{name}` with the address `{address}` cannot stand in a pod's hosts file");
        findings.diagnose(at(&codes::EXTRA_HOST, message).help("give a DNS name and an IP address"));
        return None;
    };
    if lower != *name {
        findings.diagnose(at(&codes::EXTRA_HOST_CHANGED, format!("`{name}` is changed to lower case")));
    }
    Some((lower, ip.to_string()))
}

/// What is added to the cluster's resolver settings. Replacing them would break the services' names.
pub(super) fn dns(subject: &Subject<'_>, findings: &mut Findings) -> Option<PodDNSConfig> {
    let service = subject.service;
    let mut searches: Vec<String> = Vec::new();
    for domain in &service.dns_search {
        let name = domain.value.trim_end_matches('.');
        if name.is_empty() || names::is_dns_subdomain(&name.to_ascii_lowercase()) {
            searches.push(domain.value.clone());
        } else {
            let message = format!("`{}` is no search domain", domain.value);
            findings.diagnose(subject.at(&codes::DNS_INVALID, "dns_search", &domain.span, message));
        }
    }
    let options: Vec<_> = service.dns_opt.iter().map(|option| resolver_option(&option.value)).collect();
    let nameservers = nameservers(subject, findings);
    let config = PodDNSConfig {
        nameservers: (!nameservers.is_empty()).then_some(nameservers),
        options: (!options.is_empty()).then_some(options),
        searches: (!searches.is_empty()).then_some(searches),
    };
    (config != PodDNSConfig::default()).then_some(config)
}

fn resolver_option(text: &str) -> PodDNSConfigOption {
    let (name, value) = text.split_once(':').map_or((text, None), |(name, value)| (name, Some(value)));
    PodDNSConfigOption { name: Some(name.to_owned()), value: value.map(str::to_owned) }
}

fn nameservers(subject: &Subject<'_>, findings: &mut Findings) -> Vec<String> {
    let given = &subject.service.dns;
    let mut servers = Vec::new();
    for (index, server) in given.iter().enumerate() {
        let at = |code, message: String| subject.at(code, "dns", &server.span, message);
        if server.value.parse::<IpAddr>().is_err() {
            let message = format!("`{}` is no address of a name server", server.value);
            findings.diagnose(at(&codes::DNS_INVALID, message).help("give an IP address"));
        } else if index > MAX_SERVERS {
            let message = "resolvers read three name servers, and the first is the cluster's".to_owned();
            findings.diagnose(at(&codes::DNS_INVALID, message).help("give two at most"));
        } else if index == MAX_SERVERS {
            let message =
                format!("`{}` is left out: the cluster's own server is the first of three", server.value);
            findings.diagnose(at(&codes::DNS_ORDER, message));
        } else {
            let message = format!("`{}` is asked after the cluster's own server", server.value);
            findings.diagnose(at(&codes::DNS_ORDER, message));
            servers.push(server.value.clone());
        }
    }
    servers
}
