//! A snapshot that has no handle yet: import it, or write the intent and take it exactly once.

use super::{
    Act, Observed, Read, Step, Verdict,
    observed::{Provider, SourceDisk},
};
use crate::{
    cloud::{
        Problem, Retry, Sighting,
        creation::{self, Asked},
    },
    driver::{Effect, Intent, SnapshotInfo, SnapshotRequest, Target},
    quantity,
    step::Note,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kompox_crds::{
    reasons::Reason,
    v1alpha1::{Creation, KompoxSnapshotStatus, Operation, options_to_strings, snapshot},
};
use serde::{Deserialize, Serialize};

/// The method as status and the printer column show it.
const METHOD: &str = "Provider";

/// The request as it is recorded with the intent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    disk: String,
    options: crate::driver::Attributes,
}

pub(super) fn decide(observed: &Observed, provider: &Provider) -> Step {
    if let Some(source) = &observed.spec().source {
        return match &source.handle {
            Some(handle) => import(observed, provider, handle),
            None => Step::blocked(Problem::stalled(
                Reason::NotSupported,
                "`spec.source.volumeSnapshotRef` is not supported by this version of the operator; import the cloud snapshot with `spec.source.handle`",
            )),
        };
    }
    match observed.status().creation {
        None => begin(observed, provider),
        Some(recorded) => go_on(observed, provider, &recorded),
    }
}

/// A cloud snapshot that exists already. It stays its owner's: it is neither tagged nor deleted by us
/// unless it carries our tags.
fn import(observed: &Observed, provider: &Provider, handle: &str) -> Step {
    let Some(sighting) = &observed.by_handle else { return Step::Read(Read::ByHandle(handle.to_owned())) };
    let Sighting::One(info) = sighting else {
        let message = format!(
            "`spec.source.handle`: the snapshot `{handle}` cannot be found in this account and region"
        );
        return Step::blocked(Problem {
            retry: Retry::PERSON,
            ..Problem::stalled(Reason::SourceNotFound, message)
        });
    };
    let Some(account) = &observed.account else { return Step::Read(Read::Account) };
    let mut status = facts(observed, observed.status(), info);
    status.provider = Some(provider.common.recorded(account.id.clone()));
    Step::act(Act::WriteStatus(
        status,
        Some(Note::new(Reason::Adopted, format!("the snapshot `{handle}` is imported"))),
    ))
}

/// Nothing was asked for yet: check, and write the intent.
fn begin(observed: &Observed, provider: &Provider) -> Step {
    if let Some(problem) = refused_already(observed) {
        return Step::blocked(problem);
    }
    let disk = match &observed.disk {
        Ok(disk) => disk,
        Err(problem) => return Step::blocked(problem.clone()),
    };
    let Some(account) = &observed.account else { return Step::Read(Read::Account) };
    if disk.account_id.is_some() && account.id != disk.account_id {
        let message = format!("the credentials belong to another account than KompoxDisk `{}`", disk.name);
        return Step::blocked(Problem::stalled(Reason::AccountChanged, message));
    }
    let recorded =
        Recorded { disk: disk.handle.clone(), options: options_to_strings(&observed.spec().options) };
    let mut status = observed.status();
    let attempt = status.attempts.unwrap_or(0).saturating_add(1);
    status.provider = Some(provider.common.recorded(account.id.clone()));
    status.method = Some(METHOD.to_owned());
    status.source_disk = Some(source_disk(disk));
    // A struct of strings always serialises.
    record_intent(observed, &mut status, attempt, serde_json::to_string(&recorded).unwrap_or_default());
    let note = Note::new(Reason::Provisioning, format!("taking a snapshot of KompoxDisk `{}`", disk.name));
    Step::act(Act::WriteStatus(status, Some(note)))
}

/// The provider has refused this very generation for good.
fn refused_already(observed: &Observed) -> Option<Problem> {
    let Asked::Yes { answer: Err(error), .. } = &observed.asked else { return None };
    let problem = Problem::of_driver(error, "take the snapshot");
    let same = observed.asked_generation == observed.snapshot.metadata.generation;
    (same && error.effect == Effect::None && problem.retry == Retry::AwaitChange).then_some(problem)
}

fn record_intent(observed: &Observed, status: &mut KompoxSnapshotStatus, attempt: i32, request: String) {
    let intent = intent(observed, attempt);
    status.attempts = Some(attempt);
    status.creation =
        Some(Creation { attempt, name: intent.name, token: intent.token, request: Some(request) });
    status.operation = Some(Operation {
        type_: "Create".to_owned(),
        message: Some(format!("attempt {attempt}")),
        percent: None,
        started_at: Some(Time(observed.now)),
    });
}

fn intent(observed: &Observed, attempt: i32) -> Intent {
    observed.owner().intent(attempt, &observed.spec().tags)
}

/// The intent stands: follow the creation protocol.
fn go_on(observed: &Observed, provider: &Provider, recorded: &Creation) -> Step {
    let request: Recorded = match serde_json::from_str(recorded.request.as_deref().unwrap_or_default()) {
        Ok(request) => request,
        Err(error) => {
            let message = format!(
                "`status.creation.request` cannot be read ({error}); nothing is made. Delete this object and make a new one"
            );
            return Step::blocked(Problem::stalled(Reason::OperatorError, message));
        }
    };
    let owner = observed.owner();
    let (asked, looks, consistency) = (&observed.asked, &observed.looks, provider.common.consistency);
    match creation::next(&owner, &recorded.name, asked, looks, observed.now, consistency) {
        creation::Next::LookByName => Step::Read(Read::ByName(recorded.name.clone())),
        creation::Next::LookByTags => Step::Read(Read::ByTags),
        creation::Next::Create { resume } => {
            let intent = Intent {
                name: recorded.name.clone(),
                token: recorded.token.clone(),
                ..intent(observed, recorded.attempt)
            };
            let request = SnapshotRequest { disk_handle: request.disk, options: request.options };
            Step::act(Act::CreateSnapshot { intent, request, resume })
        }
        creation::Next::Confirmed(info) => {
            let status = facts(observed, observed.status(), &info);
            let note = Note::new(Reason::Creating, format!("the snapshot `{}` is taken", info.handle));
            Step::act(Act::WriteStatus(status, Some(note)))
        }
        creation::Next::RemoveRemains(info) => {
            let target = Target { handle: info.handle, name: info.name, tags: owner.tags() };
            Step::act(Act::DeleteSnapshot(target))
        }
        creation::Next::Spent(problem) => {
            let mut status = observed.status();
            let request = recorded.request.clone().unwrap_or_default();
            record_intent(observed, &mut status, recorded.attempt.saturating_add(1), request);
            Step::act(Act::WriteStatus(status, Some(Note::of(&problem))))
        }
        creation::Next::Refused(problem) => give_up(observed, &problem),
        creation::Next::Wait(pause) => Step::wait(Verdict::Creating, pause),
        creation::Next::Blocked(problem) => Step::blocked(problem),
    }
}

/// Nothing was made and only a change can help: clear the intent.
fn give_up(observed: &Observed, problem: &Problem) -> Step {
    let mut status = observed.status();
    status.creation = None;
    status.operation = None;
    Step::act(Act::WriteStatus(status, Some(Note::of(problem))))
}

/// What a snapshot tells about itself, added to `status`.
pub(super) fn facts(
    observed: &Observed,
    mut status: KompoxSnapshotStatus,
    info: &SnapshotInfo,
) -> KompoxSnapshotStatus {
    status.snapshot_handle = Some(info.handle.clone());
    status.method = Some(METHOD.to_owned());
    if info.restore_size_bytes > 0 {
        status.restore_size = Some(quantity::quantity(info.restore_size_bytes));
    }
    status.taken_at = info.taken_at.as_deref().and_then(|at| at.parse().ok()).map(Time).or(status.taken_at);
    if let Ok(disk) = &observed.disk {
        status.fs_type.clone_from(&disk.fs_type);
        status.zone.clone_from(&disk.zone);
    }
    status.creation = None;
    status.operation = None;
    status
}

fn source_disk(disk: &SourceDisk) -> snapshot::SourceDisk {
    snapshot::SourceDisk {
        name: Some(disk.name.clone()),
        uid: Some(disk.uid.clone()),
        handle: Some(disk.handle.clone()),
    }
}
