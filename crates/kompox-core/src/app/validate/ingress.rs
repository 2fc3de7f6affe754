//! `spec.ingress`: which host and path leads to which published port, and whose certificate it has.

use super::Findings;
use crate::app::facts::Settings;
use crate::app::problem::Problem;
use crate::app::validated::{
    Protocol, Route, TlsEntry, ValidatedIngress, ValidatedService, ValidatedWorkload,
};
use crate::{hash, naming};
use kompox_crds::v1alpha1::app::{Ingress, IngressMode, IngressRule, IssuerKind, TlsMode};
use kompox_crds::{KompoxApp, Reason};
use std::collections::{BTreeMap, BTreeSet};

/// Traefik's annotations for a router with TLS from a certificate resolver
/// (<https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/ingress/>).
const ROUTER: &str = "traefik.ingress.kubernetes.io/router";

/// The routes; `None` when none are wanted.
pub(super) fn validate(
    app: &KompoxApp,
    settings: &Settings,
    workloads: &[ValidatedWorkload],
    findings: &mut Findings,
) -> Option<ValidatedIngress> {
    let ingress = &app.spec.ingress;
    if ingress.mode != IngressMode::Ingress || ingress.rules.is_empty() {
        return None;
    }
    let mut routes = Vec::new();
    let mut tls = Tls::of(app);
    for rule in &ingress.rules {
        let hosts = hosts(app, rule);
        if hosts.is_empty() {
            findings.problem(no_host(rule));
        }
        let Some(service) = publisher(rule, workloads, findings) else { continue };
        tls.add(rule, &hosts);
        routes.extend(hosts.into_iter().map(|host| Route {
            host,
            path: rule.path.clone().unwrap_or_else(|| "/".to_owned()),
            service: naming::publish_service(&service.name),
            port: published_number(rule),
        }));
    }
    check_conflicts(&routes, findings);
    let mut annotations = ingress.annotations.clone();
    annotations.extend(tls.annotations);
    let class_name = ingress.class_name.clone().or_else(|| settings.default_ingress_class.clone());
    Some(ValidatedIngress { class_name, annotations, routes, tls: tls.entries })
}

/// The CRD bounds `port` to 1..65535; 0 is published by nobody.
fn published_number(rule: &IngressRule) -> u16 {
    u16::try_from(rule.port).unwrap_or(0)
}

fn no_host(rule: &IngressRule) -> Problem {
    Problem::in_spec(
        Reason::InvalidSpec,
        format!("spec.ingress.rules[{}]", rule.name),
        "the rule has no host",
        "add hosts to the rule, or set spec.ingress.domain",
    )
}

/// The hosts of a rule, and the one it gets under `domain`.
fn hosts(app: &KompoxApp, rule: &IngressRule) -> Vec<String> {
    let name = app.metadata.name.as_deref().unwrap_or_default();
    let namespace = app.metadata.namespace.as_deref().unwrap_or_default();
    let own = app.spec.ingress.domain.as_ref().map(|domain| {
        // Apps of the same name live in different namespaces of one cluster.
        let id = hash::suffix(&format!("{namespace}/{name}"));
        format!("{}-{id}-{}.{domain}", naming::slug(name, 40), rule.port)
    });
    rule.hosts.iter().cloned().chain(own).collect()
}

/// The one service that publishes the port of a rule.
fn publisher<'a>(
    rule: &IngressRule,
    workloads: &'a [ValidatedWorkload],
    findings: &mut Findings,
) -> Option<&'a ValidatedService> {
    let port = published_number(rule);
    let publishes = |service: &&ValidatedService| {
        service.published.iter().any(|own| own.published == port && own.protocol == Protocol::Tcp)
    };
    let services = workloads.iter().flat_map(|workload| &workload.services);
    let found: Vec<_> = services.filter(publishes).collect();
    let field = format!("spec.ingress.rules[{}].port", rule.name);
    match found.as_slice() {
        [service] => Some(service),
        [] => {
            let message = format!("no service publishes the TCP port {port}");
            let remedy = "use the published number of one of the services' `ports`";
            findings.problem(Problem::in_spec(Reason::PortNotPublished, field, message, remedy));
            None
        }
        several => {
            let names: Vec<_> = several.iter().map(|service| service.name.as_str()).collect();
            let message = format!("port {port} is published by {}", names.join(" and "));
            let remedy = "publish it under different numbers";
            findings.problem(Problem::in_spec(Reason::RouteConflict, field, message, remedy));
            None
        }
    }
}

fn check_conflicts(routes: &[Route], findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for route in routes {
        if !seen.insert((&route.host, &route.path)) {
            findings.problem(Problem::in_spec(
                Reason::RouteConflict,
                "spec.ingress.rules",
                format!("two rules claim {}{}", route.host, route.path),
                "give each host and path to one rule",
            ));
        }
    }
}

/// How the hosts get their certificates.
struct Tls {
    /// The Secret for hosts without one of their own; absent: no entry for them.
    secret: Option<String>,
    annotations: BTreeMap<String, String>,
    entries: Vec<TlsEntry>,
}

impl Tls {
    fn of(app: &KompoxApp) -> Self {
        let mut tls = Self { secret: None, annotations: BTreeMap::new(), entries: Vec::new() };
        let ingress = &app.spec.ingress;
        if let Some(resolver) = resolver(ingress) {
            tls.annotations = BTreeMap::from([
                (format!("{ROUTER}.entrypoints"), "websecure".to_owned()),
                (format!("{ROUTER}.tls"), "true".to_owned()),
                (format!("{ROUTER}.tls.certresolver"), resolver.to_owned()),
            ]);
        }
        let Some(spec) = &ingress.tls else { return tls };
        tls.secret = match spec.mode {
            TlsMode::Secret => spec.secret_ref.as_ref().map(|secret| secret.name.clone()),
            TlsMode::CertManager => {
                let name = app.metadata.name.as_deref().unwrap_or_default();
                Some(naming::bounded(&format!("{name}-tls"), naming::MAX_NAME))
            }
            TlsMode::None | TlsMode::Resolver => None,
        };
        if let Some(issuer) = &spec.issuer_ref {
            let key = match issuer.kind {
                IssuerKind::Issuer => "cert-manager.io/issuer",
                IssuerKind::ClusterIssuer => "cert-manager.io/cluster-issuer",
            };
            tls.annotations.insert(key.to_owned(), issuer.name.clone());
        }
        tls
    }

    fn add(&mut self, rule: &IngressRule, hosts: &[String]) {
        let own = rule.tls_secret_ref.as_ref().map(|secret| secret.name.clone());
        let Some(secret) = own.or_else(|| self.secret.clone()) else { return };
        match self.entries.iter_mut().find(|entry| entry.secret_name == secret) {
            Some(entry) => {
                let new =
                    hosts.iter().filter(|host| !entry.hosts.contains(host)).cloned().collect::<Vec<_>>();
                entry.hosts.extend(new);
            }
            None => self.entries.push(TlsEntry { hosts: hosts.to_vec(), secret_name: secret }),
        }
    }
}

fn resolver(ingress: &Ingress) -> Option<&str> {
    let of_tls = ingress.tls.as_ref().filter(|tls| tls.mode == TlsMode::Resolver);
    ingress.cert_resolver.as_deref().or_else(|| of_tls?.resolver.as_deref())
}
