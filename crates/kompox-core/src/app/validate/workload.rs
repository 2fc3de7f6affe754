//! How a service runs: on and on, on every node, or to its end; and with how many pods.

use super::Findings;
use super::subject::at;
use crate::app::codes;
use crate::app::validated::WorkloadKind;
use kompox_compose::model::{DependencyCondition, DeployMode, RestartPolicy, Service};
use kompox_compose::{Project, Span};

/// When a container is started again.
enum Restart<'a> {
    /// Nothing is said.
    Unsaid,
    /// Whenever it ends.
    Always,
    /// At most so often, and only after a failure.
    Limited(i32, &'a Span),
}

/// Whether a service is restarted when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// Whenever it ends.
    Forever,
    /// Whenever it ends, and on every node.
    Everywhere,
    /// It runs to its end.
    ToTheEnd {
        /// Failures that are tried again.
        backoff_limit: i32,
    },
}

/// `restart: no` and `on-failure` make a one-shot service of one that nobody reaches and nobody waits for
/// while it runs; so does a dependency that waits for its end, where nothing is said about restarts.
pub(super) fn run(project: &Project, service: &Service, on_disk: bool, findings: &mut Findings) -> Run {
    let restart = restart(service, findings);
    if let Some(run) = by_mode(service, on_disk, &restart, findings) {
        return run;
    }
    let end_awaited = is_awaited(project, service, |c| c == DependencyCondition::CompletedSuccessfully);
    let reached = !service.ports.is_empty()
        || !service.expose.is_empty()
        || service.healthcheck.is_some()
        || is_awaited(project, service, |c| c != DependencyCondition::CompletedSuccessfully);
    match restart {
        Restart::Unsaid if end_awaited => return Run::ToTheEnd { backoff_limit: 0 },
        Restart::Limited(backoff_limit, _) if end_awaited || !reached => {
            return Run::ToTheEnd { backoff_limit };
        }
        Restart::Limited(_, span) => {
            let message = "others reach or wait for this service, so it is restarted whenever it ends";
            findings.diagnose(at(service, &codes::KEPT_RUNNING, "restart", span, message));
        }
        Restart::Always if end_awaited => {
            let message =
                "another service waits for the end of this one, which is restarted whenever it ends";
            let span = service.restart.as_ref().map_or(&service.name.span, |restart| &restart.span);
            let diagnostic = at(service, &codes::NEVER_COMPLETES, "restart", span, message);
            findings.diagnose(diagnostic.help("set `restart: \"no\"` or `restart: on-failure`"));
        }
        Restart::Unsaid | Restart::Always => {}
    }
    Run::Forever
}

/// `deploy.mode`, where it alone decides.
fn by_mode(service: &Service, on_disk: bool, restart: &Restart<'_>, findings: &mut Findings) -> Option<Run> {
    let mode = service.deploy.mode.as_ref()?;
    let refuse = |message: &str, help: &str| {
        at(service, &codes::GLOBAL_MODE, "deploy.mode", &mode.span, message).help(help)
    };
    match mode.value {
        DeployMode::Replicated => None,
        DeployMode::Global => {
            if on_disk {
                let message = "a service on every node cannot have a disk, which one node holds";
                findings.diagnose(refuse(message, "remove `mode: global` or the volumes"));
            }
            Some(Run::Everywhere)
        }
        DeployMode::GlobalJob => {
            let message = "no workload runs once on every node";
            findings.diagnose(refuse(message, "use `replicated-job`, or `global` for a service that stays"));
            Some(Run::Everywhere)
        }
        DeployMode::ReplicatedJob => {
            let backoff_limit = match restart {
                Restart::Limited(limit, _) => *limit,
                // A job ends once it succeeds, whatever is said: Swarm tries until then.
                Restart::Unsaid | Restart::Always => i32::MAX,
            };
            Some(Run::ToTheEnd { backoff_limit })
        }
    }
}

/// `deploy.restart_policy`, which wins as in the reference implementation, or `restart`.
fn restart<'a>(service: &'a Service, findings: &mut Findings) -> Restart<'a> {
    let Some(policy) = &service.deploy.restart_policy else { return by_restart(service) };
    let spans = [
        ("delay", policy.delay.as_ref().map(|delay| &delay.span)),
        ("window", policy.window.as_ref().map(|window| &window.span)),
    ];
    for (key, span) in spans {
        let Some(span) = span else { continue };
        let key = format!("deploy.restart_policy.{key}");
        let message = "the time between restarts is the cluster's: it doubles up to five minutes";
        findings.diagnose(at(service, &codes::RESTART_DETAIL, &key, span, message));
    }
    let condition = policy.condition.as_ref();
    let span = condition.map_or(&policy.span, |condition| &condition.span);
    let attempts = policy.max_attempts.as_ref();
    match condition.map(|condition| condition.value.as_str()) {
        Some("none") => Restart::Limited(0, span),
        Some("on-failure") => Restart::Limited(
            attempts.map_or(i32::MAX, |count| i32::try_from(count.value).unwrap_or(i32::MAX)),
            span,
        ),
        _ => {
            if let Some(attempts) = attempts {
                let message = "a service that stays is restarted without end";
                let key = "deploy.restart_policy.max_attempts";
                findings.diagnose(at(service, &codes::RESTART_DETAIL, key, &attempts.span, message));
            }
            Restart::Always
        }
    }
}

fn by_restart(service: &Service) -> Restart<'_> {
    let Some(restart) = &service.restart else { return Restart::Unsaid };
    match restart.value {
        RestartPolicy::Always | RestartPolicy::UnlessStopped => Restart::Always,
        RestartPolicy::No => Restart::Limited(0, &restart.span),
        RestartPolicy::OnFailure { max_retries } => {
            let limit = max_retries.and_then(|count| i32::try_from(count).ok()).unwrap_or(i32::MAX);
            Restart::Limited(limit, &restart.span)
        }
    }
}

fn is_awaited(project: &Project, service: &Service, condition: impl Fn(DependencyCondition) -> bool) -> bool {
    project
        .services
        .values()
        .filter_map(|other| other.depends_on.get(&service.name.value))
        .any(|dependency| condition(dependency.condition))
}

/// Pods while the app runs; runs of a Job. A disk has one writer, and a container name one container.
pub(super) fn replicas(service: &Service, kind: WorkloadKind, findings: &mut Findings) -> i32 {
    let Some(replicas) = &service.replicas else { return 1 };
    let (key, span) = ("deploy.replicas", &replicas.span);
    match kind {
        WorkloadKind::StatefulSet if replicas.value > 1 => {
            let message = format!("a service with a disk runs one pod, not {}", replicas.value);
            let diagnostic = at(service, &codes::ONE_REPLICA, key, span, message);
            findings
                .diagnose(diagnostic.help("remove the number of replicas, or the volumes of the service"));
        }
        WorkloadKind::DaemonSet => {
            let message = "a service on every node has no number of replicas";
            findings.diagnose(at(service, &codes::REPLICAS_IGNORED, key, span, message));
        }
        _ => {}
    }
    i32::try_from(replicas.value).unwrap_or(i32::MAX)
}

/// `deploy.endpoint_mode`: names lead to pods, as `dnsrr` says.
pub(super) fn endpoint_mode(service: &Service, findings: &mut Findings) {
    if let Some(mode) = service.deploy.endpoint_mode.as_ref().filter(|mode| mode.value != "dnsrr") {
        let message =
            "the name of the service leads to the addresses of its pods, not to one in front of them";
        findings.diagnose(at(service, &codes::ENDPOINT_MODE, "deploy.endpoint_mode", &mode.span, message));
    }
}
