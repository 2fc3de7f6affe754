//! The detail conditions of an app: the file, the disks, the workloads, the routes.

use super::{Outcome, Round};
use crate::app::problem::Problem;
use crate::app::validated::Activity;
use crate::app::volume::Take;
use crate::app::waves::Admission;
use crate::conditions::{Conditions, Status};
use k8s_openapi::api::networking::v1::Ingress;
use kompox_compose::Severity;
use kompox_crds::Reason;
use kompox_crds::conditions::{COMPOSE_VALID, DISKS_READY, ROUTES_READY, WORKLOADS_AVAILABLE};

/// Problems that say that the Compose project cannot be read or converted.
const OF_THE_FILE: [Reason; 5] = [
    Reason::ComposeInvalid,
    Reason::ConfigMapMissing,
    Reason::SecretMissing,
    Reason::FileMissing,
    Reason::VolumeNotMapped,
];

/// Sets what is known. Without a valid app, what runs is not looked at: its conditions stay.
pub(super) fn set(conditions: &mut Conditions, round: &Round<'_>) {
    let of_the_file = round.validation.problems.iter().find(|problem| OF_THE_FILE.contains(&problem.reason));
    match of_the_file {
        Some(problem) => conditions.set(COMPOSE_VALID, Status::False, problem.reason, problem.to_string()),
        None => conditions.set(COMPOSE_VALID, Status::True, Reason::Ready, valid(round)),
    };
    if let Some(outcome) = &round.outcome {
        disks(conditions, outcome);
        workloads(conditions, outcome);
        routes(conditions, outcome, &round.validation.shortfalls);
    }
}

fn valid(round: &Round<'_>) -> String {
    let count = |severity| round.validation.diagnostics.iter().filter(|d| d.severity == severity).count();
    match (count(Severity::Warning), count(Severity::Info)) {
        (0, 0) => "the Compose file was read and converted".to_owned(),
        (warnings, notes) => {
            format!(
                "the Compose file was converted with {warnings} warning(s) and {notes} note(s); see status.diagnostics"
            )
        }
    }
}

fn disks(conditions: &mut Conditions, outcome: &Outcome<'_>) {
    let obstacle = outcome.disks.values().find_map(|take| match take {
        Take::Wait(obstacle) | Take::Refuse(obstacle) => Some((obstacle.reason, obstacle.message.clone())),
        Take::Do(step) => Some((Reason::Provisioning, format!("the step {} is being done", step.as_str()))),
        Take::Ready { .. } => None,
    });
    match obstacle {
        Some((reason, message)) => conditions.set(DISKS_READY, Status::False, reason, message),
        None if outcome.disks.is_empty() => {
            conditions.set(DISKS_READY, Status::True, Reason::NotApplicable, "no service mounts a disk")
        }
        None => conditions.set(DISKS_READY, Status::True, Reason::Ready, "every disk is locked and bound"),
    };
}

fn workloads(conditions: &mut Conditions, outcome: &Outcome<'_>) {
    let waiting = unavailable(outcome);
    if outcome.app.activity == Activity::Hibernated {
        let message = "spec.replicas is 0: the app hibernates";
        conditions.set(WORKLOADS_AVAILABLE, Status::False, Reason::Hibernated, message);
    } else if waiting.is_empty() {
        let message = "every service has its pods";
        conditions.set(WORKLOADS_AVAILABLE, Status::True, Reason::Available, message);
    } else {
        let message = waiting.join("; ");
        conditions.set(WORKLOADS_AVAILABLE, Status::False, Reason::WaitingForWorkloads, message);
    }
}

/// The services that are not as they should be, and why.
pub(super) fn unavailable(outcome: &Outcome<'_>) -> Vec<String> {
    outcome
        .app
        .services()
        .filter_map(|(workload, service)| {
            let name = &service.name;
            let state = outcome.states.get(name).cloned().unwrap_or_default();
            let why = match outcome.admissions.get(&workload.name) {
                Some(Admission::Skip) => return None,
                Some(Admission::Wait { on }) => format!("waits for {on}"),
                _ if state.available => return None,
                _ => state
                    .message
                    .unwrap_or_else(|| format!("{}/{} pods ready", state.ready_pods, state.desired_pods)),
            };
            Some(format!("{name}: {why}"))
        })
        .collect()
}

fn routes(conditions: &mut Conditions, outcome: &Outcome<'_>, shortfalls: &[Problem]) {
    let left_out = shortfalls.iter().find(|problem| problem.field.starts_with("spec.ingress"));
    if let Some(problem) = left_out {
        conditions.set(ROUTES_READY, Status::False, problem.reason, problem.to_string());
    } else if outcome.applied.ingresses.is_empty() {
        conditions.set(ROUTES_READY, Status::True, Reason::NotApplicable, "no routes are asked for");
    } else if outcome.applied.ingresses.iter().all(has_address) {
        conditions.set(ROUTES_READY, Status::True, Reason::Ready, "every route has an address");
    } else {
        let message = "the ingress controller has given the Ingress no address";
        conditions.set(ROUTES_READY, Status::False, Reason::WaitingForRoutes, message);
    }
}

fn has_address(ingress: &Ingress) -> bool {
    let balancer = ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    balancer.and_then(|balancer| balancer.ingress.as_ref()).is_some_and(|addresses| !addresses.is_empty())
}
