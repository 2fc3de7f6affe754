//! Names: every service must be reachable under its own, and no two under the same.

use super::Findings;
use super::rename::{self, Renames};
use crate::app::codes;
use crate::naming::{MAX_LABEL, is_service_name, publish_service};
use kompox_compose::model::Service;
use kompox_compose::{Diagnostic, Project, Span};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// A further name under which a service is to be reached.
struct Alias<'a> {
    service: &'a str,
    name: String,
    span: &'a Span,
    path: String,
}

/// The further names of each service that DNS can carry: container name, aliases, links to it, and the name
/// it had before it was renamed.
pub(super) type Aliases = BTreeMap<String, BTreeSet<String>>;

/// Checks service names, further names, and that all of them are different.
pub(super) fn check(project: &Project, renames: &Renames, findings: &mut Findings) -> Aliases {
    let services = project.services.values();
    let mut taken: BTreeMap<String, (&str, &Span)> = BTreeMap::new();
    for service in services.clone() {
        check_service_name(service, findings);
        taken.insert(service.name.value.clone(), (&service.name.value, &service.name.span));
    }
    for service in services.filter(|service| !service.ports.is_empty()) {
        let name = &service.name.value;
        let path = format!("services.{name}.ports");
        let publish = Alias { service: "", name: publish_service(name), span: &service.name.span, path };
        claim(&mut taken, publish, findings);
    }
    let mut aliases = Aliases::new();
    for alias in all_aliases(project, renames) {
        if is_service_name(&alias.name) {
            aliases.entry(alias.service.to_owned()).or_default().insert(alias.name.clone());
            claim(&mut taken, alias, findings);
        } else {
            let message = format!("nobody reaches the service as `{}`, which is no DNS label", alias.name);
            findings.diagnose(
                Diagnostic::new(&codes::UNRESOLVABLE_NAME, message)
                    .at(alias.span)
                    .path(&alias.path)
                    .help(format!("others reach it as `{}`", alias.service)),
            );
        }
    }
    aliases
}

fn all_aliases<'a>(project: &'a Project, renames: &Renames) -> Vec<Alias<'a>> {
    let mut found = Vec::new();
    for service in project.services.values() {
        let own = &service.name.value;
        let at = |key: &str| format!("services.{own}.{key}");
        if let Some(container) = &service.container_name {
            let (name, span) = (container.value.clone(), &container.span);
            found.push(Alias { service: own, name, span, path: at("container_name") });
        }
        for (network, attachment) in &service.networks {
            found.extend(attachment.aliases.iter().map(|alias| Alias {
                service: own,
                name: alias.value.clone(),
                span: &alias.span,
                path: at(&format!("networks.{network}.aliases")),
            }));
        }
        found.extend(service.links.iter().filter_map(|link| {
            let (other, alias) = &link.value;
            let name = alias.clone()?;
            Some(Alias { service: other, name, span: &link.span, path: at("links") })
        }));
        // Names in DNS have no case.
        let old = renames.get(own).map(|old| old.to_ascii_lowercase()).filter(|old| is_service_name(old));
        let span = &service.name.span;
        found.extend(old.map(|name| Alias { service: own, name, span, path: format!("services.{own}") }));
    }
    found.retain(|alias| alias.name != alias.service && project.services.contains_key(alias.service));
    found
}

fn claim<'a>(taken: &mut BTreeMap<String, (&'a str, &'a Span)>, alias: Alias<'a>, findings: &mut Findings) {
    match taken.entry(alias.name) {
        Entry::Vacant(entry) => {
            entry.insert((alias.service, alias.span));
        }
        // The same name for the same service, by another key.
        Entry::Occupied(entry) if entry.get().0 == alias.service => {}
        Entry::Occupied(entry) => {
            let message = format!("the name {} is taken by another service", entry.key());
            let diagnostic = Diagnostic::new(&codes::NAME_CLASH, message)
                .at(alias.span)
                .path(alias.path)
                .related(entry.get().1, "the other service")
                .help("rename one of the two");
            findings.diagnose(diagnostic);
        }
    }
}

fn check_service_name(service: &Service, findings: &mut Findings) {
    let Some(limit) = rename::check_name(service) else { return };
    let name = &service.name.value;
    let message = format!("`{name}` cannot be the name of a Kubernetes Service");
    let help = format!(
        "use at most {limit} lower-case letters, digits and `-`, a letter first; or set spec.compose.serviceNames to Rename"
    );
    findings.diagnose(
        Diagnostic::new(&codes::INVALID_SERVICE_NAME, message)
            .at(&service.name.span)
            .path(format!("services.{name}"))
            .help(help),
    );
}

/// RFC 1123 label, as host names need it.
pub(super) fn is_dns_label(name: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= MAX_LABEL
        && name.starts_with(edge)
        && name.ends_with(edge)
        && name.chars().all(|c| edge(c) || c == '-')
}

/// RFC 1123 subdomain, as names of most objects.
pub(super) fn is_dns_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_dns_label)
}

/// `[prefix/]name` as Kubernetes wants keys of labels and annotations.
pub(super) fn is_qualified_name(key: &str) -> bool {
    let (prefix, name) = key.rsplit_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let name_fits = !name.is_empty() && is_label_value(name);
    name_fits && prefix.is_none_or(is_dns_subdomain)
}

/// What the value of a Kubernetes label may be.
pub(super) fn is_label_value(value: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    value.is_empty()
        || (value.len() <= MAX_LABEL
            && value.starts_with(alphanumeric)
            && value.ends_with(alphanumeric)
            && value.chars().all(|c| alphanumeric(c) || "-_.".contains(c)))
}
