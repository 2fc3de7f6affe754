//! One value for the state of an app: the first of an ordered list of checks that has something to say.

use super::{Outcome, Round};
use crate::app::problem::Problem;
use crate::app::validated::Activity;
use crate::app::volume::{Obstacle, Take};
use crate::conditions::{Outlook, Summary};
use kompox_crds::Reason;

/// What is worst, in this order: problems of the input, disks, failed services, services under way,
/// disks not given back yet, features left out.
#[must_use]
pub fn summarize(round: &Round<'_>) -> Summary {
    of_problems(&round.validation.problems)
        .or_else(|| round.outcome.as_ref().and_then(of_outcome))
        .or_else(|| of_problems(&round.validation.shortfalls))
        .unwrap_or(Summary::Ready)
}

fn of_outcome(outcome: &Outcome<'_>) -> Option<Summary> {
    of_disks(outcome).or_else(|| failed(outcome)).or_else(|| under_way(outcome)).or_else(|| leaving(outcome))
}

fn of_problems(problems: &[Problem]) -> Option<Summary> {
    let first = problems.first()?;
    let message = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    // What is missing may still come; what is wrong stays so until somebody changes it.
    let missing = [Reason::ConfigMapMissing, Reason::SecretMissing];
    let outlook = if problems.iter().all(|problem| missing.contains(&problem.reason)) {
        Outlook::Retrying
    } else {
        Outlook::Stalled
    };
    Some(Summary::Degraded { reason: first.reason, message, outlook })
}

fn of_disks(outcome: &Outcome<'_>) -> Option<Summary> {
    let refused = outcome.disks.values().find_map(|take| match take {
        Take::Refuse(obstacle) => Some(degraded(obstacle, Outlook::Stalled)),
        _ => None,
    });
    let waiting = || {
        outcome.disks.values().find_map(|take| match take {
            Take::Wait(obstacle) => Some(waiting(obstacle)),
            _ => None,
        })
    };
    refused.or_else(waiting)
}

fn waiting(obstacle: &Obstacle) -> Summary {
    match obstacle.reason {
        Reason::DiskNotReady => {
            Summary::Progressing { reason: Reason::WaitingForDisk, message: obstacle.message.clone() }
        }
        Reason::WaitingForClaim | Reason::WaitingForRelease => {
            Summary::Progressing { reason: obstacle.reason, message: obstacle.message.clone() }
        }
        _ => degraded(obstacle, Outlook::Retrying),
    }
}

fn degraded(obstacle: &Obstacle, outlook: Outlook) -> Summary {
    Summary::Degraded { reason: obstacle.reason, message: obstacle.message.clone(), outlook }
}

fn failed(outcome: &Outcome<'_>) -> Option<Summary> {
    let names: Vec<_> = outcome
        .app
        .services()
        .filter(|(_, service)| outcome.states.get(&service.name).is_some_and(|state| state.failed))
        .map(|(_, service)| service.name.as_str())
        .collect();
    (!names.is_empty()).then(|| Summary::Degraded {
        reason: Reason::WorkloadFailed,
        message: format!("failed: {}; see the logs of its pods, then change the service", names.join(", ")),
        outlook: Outlook::Stalled,
    })
}

fn under_way(outcome: &Outcome<'_>) -> Option<Summary> {
    let waiting = super::details::unavailable(outcome);
    if waiting.is_empty() {
        return None;
    }
    let reason = match outcome.app.activity {
        Activity::Running => Reason::WaitingForWorkloads,
        Activity::Hibernated => Reason::Hibernated,
    };
    Some(Summary::Progressing { reason, message: waiting.join("; ") })
}

fn leaving(outcome: &Outcome<'_>) -> Option<Summary> {
    let first = outcome.leaving.first()?;
    Some(Summary::Progressing { reason: first.reason, message: first.to_string() })
}
