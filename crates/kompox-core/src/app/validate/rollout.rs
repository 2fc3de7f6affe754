//! `deploy.update_config`: how pods are replaced by newer ones.

use super::Findings;
use super::seconds;
use super::subject::at;
use crate::app::codes;
use crate::app::validated::{Rollout, WorkloadKind};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kompox_compose::model::{Service, UpdateConfig};

/// The rollout. `alone` says that a node cannot hold an old and a new pod at once.
pub(super) fn validate(
    service: &Service,
    kind: WorkloadKind,
    alone: bool,
    findings: &mut Findings,
) -> Rollout {
    let config = service.deploy.update_config.as_ref();
    match kind {
        WorkloadKind::StatefulSet | WorkloadKind::Job { .. } => {
            note_what_is_lost(service, kind, config, findings);
            Rollout::default()
        }
        WorkloadKind::Deployment | WorkloadKind::DaemonSet => {
            let Some(config) = config else {
                // With one pod more than wanted, as is the default, the new one would never find a node.
                return if alone { stop_first(IntOrString::Int(1)) } else { Rollout::default() };
            };
            Rollout {
                min_ready_seconds: delay(service, config, findings),
                ..order(service, config, alone, findings)
            }
        }
    }
}

fn order(service: &Service, config: &UpdateConfig, alone: bool, findings: &mut Findings) -> Rollout {
    let at_a_time = match config.parallelism.as_ref().map_or(1, |parallelism| parallelism.value) {
        0 => IntOrString::String("100%".to_owned()),
        count => IntOrString::Int(i32::try_from(count).unwrap_or(i32::MAX)),
    };
    let Some(order) = config.order.as_ref().filter(|order| order.value == "start-first") else {
        return stop_first(at_a_time);
    };
    if alone {
        let message = "the old pod goes first: a node cannot hold both";
        let key = "deploy.update_config.order";
        findings.diagnose(at(service, &codes::UPDATE_IGNORED, key, &order.span, message));
        return stop_first(at_a_time);
    }
    Rollout {
        max_surge: Some(at_a_time),
        max_unavailable: Some(IntOrString::Int(0)),
        min_ready_seconds: None,
    }
}

fn stop_first(at_a_time: IntOrString) -> Rollout {
    Rollout {
        max_surge: Some(IntOrString::Int(0)),
        max_unavailable: Some(at_a_time),
        min_ready_seconds: None,
    }
}

fn delay(service: &Service, config: &UpdateConfig, findings: &mut Findings) -> Option<i32> {
    let delay = config.delay.as_ref().filter(|delay| !delay.value.is_zero())?;
    let seconds = seconds::ceil(delay.value);
    let message = format!("a new pod must be ready for {seconds} s before the next is replaced");
    findings.diagnose(at(service, &codes::UPDATE_DELAY, "deploy.update_config.delay", &delay.span, message));
    Some(seconds)
}

fn note_what_is_lost(
    service: &Service,
    kind: WorkloadKind,
    config: Option<&UpdateConfig>,
    findings: &mut Findings,
) {
    let Some(config) = config else { return };
    let order = config.order.as_ref().filter(|order| order.value == "start-first");
    let lost = [
        ("order", order.map(|order| &order.span)),
        ("delay", config.delay.as_ref().map(|delay| &delay.span)),
        (
            "parallelism",
            config.parallelism.as_ref().filter(|count| count.value != 1).map(|count| &count.span),
        ),
    ];
    for (key, span) in lost {
        let Some(span) = span else { continue };
        let message = match kind {
            WorkloadKind::StatefulSet => "a service with a disk is replaced only after it has stopped",
            _ => "a service that runs once is never updated: it runs again",
        };
        let key = format!("deploy.update_config.{key}");
        findings.diagnose(at(service, &codes::UPDATE_IGNORED, &key, span, message));
    }
}
