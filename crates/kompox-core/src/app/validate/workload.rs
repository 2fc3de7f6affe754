//! What a service becomes: StatefulSet, Deployment or Job, with how many pods, under which host name.

use super::{Findings, names};
use crate::app::codes;
use crate::app::validated::{Mount, MountSource, WorkloadKind};
use kompox_compose::model::{DependencyCondition, RestartPolicy, Service};
use kompox_compose::{Code, Diagnostic, Project, Span};

/// `restart: no` and `on-failure` make a Job of a service that nobody reaches and nobody waits for while
/// it runs; so does a dependency that waits for its end, where `restart` is not given at all.
pub(super) fn kind(
    project: &Project,
    service: &Service,
    mounts: &[Mount],
    findings: &mut Findings,
) -> WorkloadKind {
    let running = if mounts.iter().any(|mount| !matches!(mount.source, MountSource::Tmpfs { .. })) {
        WorkloadKind::StatefulSet
    } else {
        WorkloadKind::Deployment
    };
    let end_awaited = is_awaited(project, service, |c| c == DependencyCondition::CompletedSuccessfully);
    let reached = !service.ports.is_empty()
        || !service.expose.is_empty()
        || service.healthcheck.is_some()
        || is_awaited(project, service, |c| c != DependencyCondition::CompletedSuccessfully);
    let restart = service.restart.as_ref();
    let backoff_limit = match restart.map(|restart| restart.value) {
        Some(RestartPolicy::Always | RestartPolicy::UnlessStopped) => None,
        Some(RestartPolicy::No) => Some(0),
        Some(RestartPolicy::OnFailure { max_retries: None }) => Some(i32::MAX),
        Some(RestartPolicy::OnFailure { max_retries: Some(count) }) => {
            Some(i32::try_from(count).unwrap_or(i32::MAX))
        }
        None => end_awaited.then_some(0),
    };
    let span = restart.map_or(&service.name.span, |restart| &restart.span);
    match backoff_limit {
        Some(backoff_limit) if end_awaited || !reached => return WorkloadKind::Job { backoff_limit },
        Some(_) if restart.is_some() => {
            let message = "others reach or wait for this service, so it is restarted whenever it ends";
            findings.diagnose(at(service, "restart", &codes::KEPT_RUNNING, message, span));
        }
        None if end_awaited => {
            let message =
                "another service waits for the end of this one, which is restarted whenever it ends";
            let diagnostic = at(service, "restart", &codes::NEVER_COMPLETES, message, span);
            findings.diagnose(diagnostic.help("set `restart: \"no\"` or `restart: on-failure`"));
        }
        _ => {}
    }
    running
}

fn is_awaited(project: &Project, service: &Service, condition: impl Fn(DependencyCondition) -> bool) -> bool {
    project
        .services
        .values()
        .filter_map(|other| other.depends_on.get(&service.name.value))
        .any(|dependency| condition(dependency.condition))
}

/// Pods while the app runs. A disk has one writer, and a Job one run.
pub(super) fn replicas(service: &Service, kind: WorkloadKind, findings: &mut Findings) -> i32 {
    let Some(replicas) = &service.replicas else { return 1 };
    if replicas.value > 1 && kind != WorkloadKind::Deployment {
        let message = format!("a {} runs one pod, not {}", kind.as_str(), replicas.value);
        let diagnostic = at(service, "deploy.replicas", &codes::ONE_REPLICA, &message, &replicas.span);
        findings.diagnose(diagnostic.help("remove the number of replicas, or the volumes of the service"));
    }
    i32::try_from(replicas.value).unwrap_or(i32::MAX)
}

/// The pod's host name: a lower-case label. A StatefulSet names its pods itself.
pub(super) fn hostname(service: &Service, kind: WorkloadKind, findings: &mut Findings) -> Option<String> {
    let given = service.hostname.as_ref()?;
    let lower = given.value.to_ascii_lowercase();
    let changed = |message: &str| at(service, "hostname", &codes::HOSTNAME_CHANGED, message, &given.span);
    if kind == WorkloadKind::StatefulSet {
        findings.diagnose(changed("a service with a disk has its pod's name as host name"));
        return None;
    }
    if lower.contains('.') && lower.split('.').all(names::is_dns_label) {
        findings.diagnose(changed("a host name with dots is not kept: the pod has its own name"));
        return None;
    }
    if !names::is_dns_label(&lower) {
        let message = format!("`{}` cannot be the host name of a pod", given.value);
        let diagnostic = at(service, "hostname", &codes::HOSTNAME, &message, &given.span);
        findings.diagnose(diagnostic.help("use at most 63 lower-case letters, digits and `-`"));
        return None;
    }
    if lower != given.value {
        findings.diagnose(changed("the host name is changed to lower case"));
    }
    Some(lower)
}

fn at(service: &Service, key: &str, code: &'static Code, message: &str, span: &Span) -> Diagnostic {
    Diagnostic::new(code, message).at(span).path(format!("services.{}.{key}", service.name.value))
}
