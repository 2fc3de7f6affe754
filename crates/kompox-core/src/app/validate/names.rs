//! Names: every service must be reachable under its own, and no two under the same.

use super::Findings;
use crate::app::codes;
use crate::naming::{MAX_LABEL, PUBLISH_SUFFIX, publish_service};
use kompox_compose::model::Service;
use kompox_compose::{Diagnostic, Project, Span};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Checks service names, further names, and that all of them are different.
pub(super) fn check(project: &Project, findings: &mut Findings) {
    let mut taken: BTreeMap<String, &Span> = BTreeMap::new();
    for service in project.services.values() {
        check_service_name(service, findings);
        taken.insert(service.name.value.clone(), &service.name.span);
    }
    for service in project.services.values() {
        let publish =
            (!service.ports.is_empty()).then(|| (publish_service(&service.name.value), &service.name.span));
        let aliases = aliases(service).into_iter().map(|alias| (alias, alias_span(service)));
        for (name, span) in publish.into_iter().chain(aliases) {
            claim(&mut taken, name, span, findings);
        }
    }
}

/// The further names of a service that DNS can carry: its container name, where it differs.
pub(super) fn aliases(service: &Service) -> BTreeSet<String> {
    let name = service.container_name.as_ref().map(|name| name.value.clone());
    name.into_iter().filter(|name| *name != service.name.value && is_service_name(name)).collect()
}

fn alias_span(service: &Service) -> &Span {
    service.container_name.as_ref().map_or(&service.name.span, |name| &name.span)
}

fn claim<'a>(taken: &mut BTreeMap<String, &'a Span>, name: String, span: &'a Span, findings: &mut Findings) {
    match taken.entry(name) {
        Entry::Vacant(entry) => {
            entry.insert(span);
        }
        Entry::Occupied(entry) => {
            let message = format!("the name {} is taken by another service", entry.key());
            let diagnostic = Diagnostic::new(&codes::NAME_CLASH, message)
                .at(span)
                .related(entry.get(), "the other service")
                .help("rename one of the two");
            findings.diagnose(diagnostic);
        }
    }
}

fn check_service_name(service: &Service, findings: &mut Findings) {
    let name = &service.name.value;
    let limit = if service.ports.is_empty() { MAX_LABEL } else { MAX_LABEL - PUBLISH_SUFFIX.len() };
    if !is_service_name(name) || name.len() > limit {
        let message = format!("`{name}` cannot be the name of a Kubernetes Service");
        let help = format!("use at most {limit} lower-case letters, digits and `-`, a letter first");
        findings.diagnose(
            Diagnostic::new(&codes::INVALID_SERVICE_NAME, message)
                .at(&service.name.span)
                .path(format!("services.{name}"))
                .help(help),
        );
    }
    if let Some(container) = &service.container_name
        && !is_service_name(&container.value)
    {
        let message = format!("nobody reaches the service as `{}`, which is no DNS label", container.value);
        findings.diagnose(
            Diagnostic::new(&codes::UNRESOLVABLE_NAME, message)
                .at(&container.span)
                .path(format!("services.{name}.container_name"))
                .help(format!("others reach it as `{name}`")),
        );
    }
}

/// RFC 1035 label, as Services need it.
fn is_service_name(name: &str) -> bool {
    name.len() <= MAX_LABEL
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'))
}

/// RFC 1123 label, as host names need it.
pub(super) fn is_dns_label(name: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= MAX_LABEL
        && name.starts_with(edge)
        && name.ends_with(edge)
        && name.chars().all(|c| edge(c) || c == '-')
}
