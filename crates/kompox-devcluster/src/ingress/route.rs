//! Which rule of which Ingress a request is for. Pure.
//!
//! Kubernetes' order: the most exact host, then the longest path, then `Exact` before `Prefix`; among equals the
//! oldest Ingress (Kubernetes documentation, "Ingress", "Multiple matches").

use std::sync::Arc;

use k8s_openapi::api::networking::v1::{HTTPIngressPath, Ingress, IngressBackend, IngressRule};
use kube::ResourceExt as _;

/// The label by which the operator's objects name their app.
const APP_LABEL: &str = "kompox.dev/app";
/// Every name below this one is loopback (RFC 6761).
const LOOPBACK: &str = ".localhost";

/// How well a rule's host fits; a higher one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum HostRank {
    /// Not a rule: `spec.defaultBackend` of an Ingress.
    Default,
    /// A rule without a host.
    Any,
    /// `<app>.localhost` or `<app>.<namespace>.localhost`, and the rule is for the first host of the app.
    App,
    /// `<host>.localhost`.
    Loopback,
    /// `*.example.com`.
    Wildcard,
    /// The very name.
    Exact,
}

/// How well a rule fits as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    host: HostRank,
    path_length: usize,
    exact_path: bool,
}

/// What a request is for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Target {
    pub(super) namespace: String,
    pub(super) backend: IngressBackend,
}

/// True for the Ingresses that the class's controller serves.
pub(super) fn is_served(ingress: &Ingress, class: &str) -> bool {
    let field = ingress.spec.as_ref().and_then(|spec| spec.ingress_class_name.as_deref());
    let annotation = ingress.annotations().get("kubernetes.io/ingress.class").map(String::as_str);
    field.or(annotation) == Some(class)
}

/// The best of all rules. `host` is lower case and without a port.
pub(super) fn find(ingresses: &[Arc<Ingress>], host: &str, path: &str) -> Option<Target> {
    let mut sorted: Vec<_> = ingresses.iter().collect();
    sorted.sort_by_key(|ingress| (ingress.creation_timestamp(), ingress.namespace(), ingress.name_any()));
    let mut best: Option<(Rank, Target)> = None;
    for ingress in sorted {
        for (rank, backend) in candidates(ingress, host, path) {
            if best.as_ref().is_none_or(|(found, _)| rank > *found) {
                let namespace = ingress.namespace().unwrap_or_default();
                best = Some((rank, Target { namespace, backend: backend.clone() }));
            }
        }
    }
    best.map(|(_, target)| target)
}

/// True when some rule names the host: then a certificate is made for it.
pub(super) fn knows(ingresses: &[Arc<Ingress>], host: &str) -> bool {
    ingresses.iter().any(|ingress| {
        rules(ingress)
            .iter()
            .any(|rule| host_rank(ingress, rule, host).is_some_and(|rank| rank > HostRank::Any))
    })
}

fn rules(ingress: &Ingress) -> &[IngressRule] {
    ingress.spec.as_ref().and_then(|spec| spec.rules.as_deref()).unwrap_or_default()
}

fn candidates<'a>(ingress: &'a Ingress, host: &str, path: &str) -> Vec<(Rank, &'a IngressBackend)> {
    let default = ingress.spec.as_ref().and_then(|spec| spec.default_backend.as_ref());
    let whole = |host| Rank { host, path_length: 0, exact_path: false };
    let mut found: Vec<_> = default.map(|backend| (whole(HostRank::Default), backend)).into_iter().collect();
    for rule in rules(ingress) {
        let Some(host) = host_rank(ingress, rule, host) else { continue };
        match &rule.http {
            Some(http) => found.extend(http.paths.iter().filter_map(|entry| {
                let (path_length, exact_path) = path_rank(entry, path)?;
                Some((Rank { host, path_length, exact_path }, &entry.backend))
            })),
            // A host without paths sends everything to the default backend.
            None => found.extend(default.map(|backend| (whole(host), backend))),
        }
    }
    found
}

fn host_rank(ingress: &Ingress, rule: &IngressRule, host: &str) -> Option<HostRank> {
    let Some(wanted) = rule.host.as_deref().filter(|wanted| !wanted.is_empty()) else {
        return Some(HostRank::Any);
    };
    if wanted == host {
        return Some(HostRank::Exact);
    }
    // A wildcard stands for exactly one label.
    let suffix = wanted.strip_prefix('*');
    if suffix.is_some_and(|suffix| host.strip_suffix(suffix).is_some_and(is_label)) {
        return Some(HostRank::Wildcard);
    }
    let short = host.strip_suffix(LOOPBACK)?;
    if wanted == short {
        return Some(HostRank::Loopback);
    }
    let first = rules(ingress).first().and_then(|rule| rule.host.as_deref());
    (first == Some(wanted) && is_app(ingress, short)).then_some(HostRank::App)
}

fn is_label(text: &str) -> bool {
    !text.is_empty() && !text.contains('.')
}

/// `name` is the app, or `<app>.<namespace>` where two namespaces have one of that name.
fn is_app(ingress: &Ingress, name: &str) -> bool {
    let app = ingress.labels().get(APP_LABEL).cloned().unwrap_or_else(|| ingress.name_any());
    let namespace = ingress.namespace().unwrap_or_default();
    name == app || name.strip_prefix(&app).and_then(|rest| rest.strip_prefix('.')) == Some(&namespace)
}

/// Length of the path that fits, and whether it is exact.
fn path_rank(entry: &HTTPIngressPath, path: &str) -> Option<(usize, bool)> {
    let wanted = entry.path.as_deref().unwrap_or("/");
    match entry.path_type.as_str() {
        "Exact" => (wanted == path).then_some((wanted.len(), true)),
        "Prefix" => has_elements(path, wanted).then_some((wanted.len(), false)),
        // ImplementationSpecific: Traefik compares characters, not elements.
        _ => path.starts_with(wanted).then_some((wanted.len(), false)),
    }
}

/// `/a` is a prefix of `/a` and `/a/b`, not of `/ab`; a slash at the end does not count.
fn has_elements(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
