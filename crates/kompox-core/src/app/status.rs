//! Status of an app: from what was found, held back and applied, to what people and tools read. The
//! conditions every kind has come from one [`Summary`]; the details say which part is not there yet.

mod details;
mod summary;

pub use summary::summarize;

use crate::app::build::AppResources;
use crate::app::problem::Problem;
use crate::app::validate::Validation;
use crate::app::validated::{Activity, ValidatedApp};
use crate::app::volume::Take;
use crate::app::waves::{Admission, ServiceState};
use crate::conditions::Conditions;
use crate::labels;
use crate::resources::Applied;
use k8s_openapi::jiff::Timestamp;
use kompox_crds::v1alpha1::app::{DiagnosticStatus, KompoxAppStatus, ServiceStatus, VolumeStatus};
use kompox_crds::{KompoxApp, names};
use std::collections::BTreeMap;

/// Findings shown in the status.
const MAX_DIAGNOSTICS: usize = 20;

/// Longest text of a member of the status.
const MAX_TEXT: usize = 1024;

/// What one round came to.
pub struct Round<'a> {
    /// The app as read.
    pub app: &'a KompoxApp,
    /// What validation said.
    pub validation: &'a Validation,
    /// The part that needs a valid app; absent when there was none.
    pub outcome: Option<Outcome<'a>>,
}

/// What came of a valid app.
pub struct Outcome<'a> {
    /// The app.
    pub app: &'a ValidatedApp,
    /// Each disk, by name.
    pub disks: &'a BTreeMap<String, Take>,
    /// Each workload, by name: applied or held back.
    pub admissions: &'a BTreeMap<String, Admission>,
    /// Each service, as its workload and pods were after applying.
    pub states: &'a BTreeMap<String, ServiceState>,
    /// The objects as the API server returned them.
    pub applied: &'a AppResources<Applied>,
    /// Disks that the app gives back and that are still held, with what is in the way.
    pub leaving: &'a [Problem],
}

/// The new status. Members of a newer version in the old one are kept.
#[must_use]
pub fn status(round: &Round<'_>, now: Timestamp) -> KompoxAppStatus {
    let mut status = round.app.status.clone().unwrap_or_default();
    let generation = round.app.metadata.generation.unwrap_or(0);
    let mut conditions = Conditions::new(&status.conditions, now, generation);
    conditions.summary(&summarize(round));
    details::set(&mut conditions, round);
    conditions.remove(kompox_crds::conditions::PAUSED);
    status.conditions = conditions.finish();
    status.observed_generation = Some(generation);
    status.diagnostics = diagnostics(round.validation);
    let annotations = round.app.metadata.annotations.as_ref();
    status.last_handled_reconcile_at =
        annotations.and_then(|map| map.get(names::annotations::RECONCILE_REQUESTED_AT).cloned());
    status.selector = Some(selector(&round.app.metadata.name.clone().unwrap_or_default()));
    if let Some(outcome) = &round.outcome {
        fill(&mut status, round.app, outcome);
    }
    status
}

/// What only a valid app has. Without one these members stay: what runs keeps running.
fn fill(status: &mut KompoxAppStatus, app: &KompoxApp, outcome: &Outcome<'_>) {
    status.services = services(outcome);
    let is_ready = |name: &str| outcome.states.get(name).is_some_and(|state| state.available && state.up);
    let ready = outcome.app.services().filter(|(_, service)| is_ready(&service.name)).count();
    status.services_ready = Some(format!("{ready}/{}", outcome.app.services().count()));
    status.volumes = volumes(app, outcome);
    status.compose_hash = Some(outcome.app.compose_hash.clone());
    status.replicas = Some(match outcome.app.activity {
        Activity::Running => 1,
        Activity::Hibernated => 0,
    });
    let ingress = outcome.app.ingress.as_ref();
    status.ingress_class_name = ingress.and_then(|ingress| ingress.class_name.clone());
    let mut hosts: Vec<_> =
        ingress.iter().flat_map(|ingress| &ingress.routes).map(|route| route.host.clone()).collect();
    hosts.sort();
    hosts.dedup();
    status.ingress_hosts = hosts;
    status.urls = urls(outcome.app);
}

fn services(outcome: &Outcome<'_>) -> Vec<ServiceStatus> {
    outcome
        .app
        .services()
        .map(|(workload, service)| {
            let state = outcome.states.get(&service.name).cloned().unwrap_or_default();
            let held = match outcome.admissions.get(&workload.name) {
                Some(Admission::Wait { on }) => Some(format!("waits for {on}")),
                _ => None,
            };
            let message = held.or_else(|| state.message.clone()).filter(|_| !state.available);
            ServiceStatus {
                name: service.name.clone(),
                kind: Some(workload.kind.as_str().to_owned()),
                ready: Some(state.ready_pods),
                desired: Some(if state.exists { state.desired_pods } else { workload.replicas }),
                image: Some(bounded(&service.container.image)),
                message: message.map(|message| bounded(&message)),
            }
        })
        .collect()
}

/// The entries of `spec.volumes` with the disk on which each lives. What has no lock yet lives nowhere.
fn volumes(app: &KompoxApp, outcome: &Outcome<'_>) -> Vec<VolumeStatus> {
    let known = app.status.as_ref().map(|status| status.volumes.as_slice()).unwrap_or_default();
    let mut volumes: Vec<_> = app
        .spec
        .volumes
        .iter()
        .filter_map(|entry| {
            let disk = entry.disk_ref.as_ref()?.name.clone();
            let epoch = match outcome.disks.get(&disk)? {
                Take::Ready { epoch } => Some(*epoch),
                _ => known.iter().find(|v| v.name == entry.name && v.disk.as_ref() == Some(&disk))?.epoch,
            };
            Some(VolumeStatus {
                name: entry.name.clone(),
                disk: Some(disk),
                epoch,
                ..VolumeStatus::default()
            })
        })
        .collect();
    volumes.sort_by(|a, b| a.name.cmp(&b.name));
    volumes
}

fn urls(app: &ValidatedApp) -> Vec<String> {
    let Some(ingress) = &app.ingress else { return Vec::new() };
    let routed_by_tls = ingress.annotations.get("traefik.ingress.kubernetes.io/router.tls");
    let mut urls: Vec<String> = Vec::new();
    for route in ingress.routes.iter().filter(|route| !route.host.starts_with('*')) {
        let secure = routed_by_tls.is_some_and(|value| value == "true")
            || ingress.tls.iter().any(|entry| entry.hosts.contains(&route.host));
        let scheme = if secure { "https" } else { "http" };
        let url = format!("{scheme}://{}{}", route.host, route.path);
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    urls.truncate(64);
    urls
}

/// The label selector of the app's pods, as text.
fn selector(app: &str) -> String {
    labels::app_selector(app)
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(",")
}

/// Errors first, then warnings, then notes, each in the order of the file.
fn diagnostics(validation: &Validation) -> Vec<DiagnosticStatus> {
    let mut found: Vec<_> = validation.diagnostics.iter().collect();
    found.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.severity));
    found
        .into_iter()
        .take(MAX_DIAGNOSTICS)
        .map(|diagnostic| DiagnosticStatus {
            code: diagnostic.code.id.to_owned(),
            severity: diagnostic.severity.to_string(),
            path: (!diagnostic.path.is_empty()).then(|| bounded(&diagnostic.path)),
            line: diagnostic.span.as_ref().and_then(|span| i32::try_from(span.line).ok()),
            message: bounded(&match &diagnostic.help {
                Some(help) => format!("{}; {help}", diagnostic.message),
                None => diagnostic.message.clone(),
            }),
        })
        .collect()
}

fn bounded(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests;
