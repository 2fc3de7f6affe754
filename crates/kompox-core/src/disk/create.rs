//! A disk that has no handle yet: write the intent, make the disk exactly once, record the handle.

use super::{
    Act, Observed, Read, Step, Verdict,
    observed::{Provider, Source},
    request,
};
use crate::{
    cloud::{
        Problem, Retry,
        creation::{self, Asked},
    },
    driver::{DiskInfo, DiskSource, Effect, Intent},
    quantity,
    step::Note,
};
use kompox_crds::{
    reasons::Reason,
    v1alpha1::{Creation, KompoxDiskStatus, Operation, disk::lifecycle},
};

pub(super) fn decide(observed: &Observed, provider: &Provider) -> Step {
    match observed.status().creation {
        None => begin(observed, provider),
        Some(recorded) => go_on(observed, provider, &recorded),
    }
}

/// Nothing was asked for yet: check, plan, and write the intent.
fn begin(observed: &Observed, provider: &Provider) -> Step {
    if let Some(problem) = refused_already(observed) {
        return Step::blocked(problem);
    }
    let wanted = match request::wanted(observed) {
        Ok(wanted) => wanted,
        Err(problem) => return Step::blocked(problem),
    };
    if matches!(wanted.source, DiskSource::Disk(_)) && !provider.clones {
        let message = format!(
            "`spec.source.diskRef`: driver `{}` cannot clone disks; restore a snapshot instead",
            provider.driver
        );
        return Step::blocked(Problem::stalled(Reason::NotSupported, message));
    }
    let Some(plan) = &observed.plan else { return Step::Read(Read::Plan(wanted)) };
    let planned = match request::planned(&wanted, plan) {
        Ok(planned) => planned,
        Err(problem) => return Step::blocked(problem),
    };
    let Some(account) = &observed.account else { return Step::Read(Read::Account) };
    let mut status = observed.status();
    let attempt = status.attempts.unwrap_or(0).saturating_add(1);
    let note = Note::new(
        Reason::Provisioning,
        format!("making a disk of {} with driver {}", quantity::text(planned.size_bytes), provider.driver),
    );
    status.provider = Some(provider.recorded(account.id.clone()));
    status.lifecycle = Some(lifecycle::CREATING.to_owned());
    record_intent(observed, &mut status, attempt, request::record(&planned));
    Step::act(Act::WriteStatus(status, Some(note)))
}

/// The provider has refused this very generation for good: asking again would change nothing.
fn refused_already(observed: &Observed) -> Option<Problem> {
    let Asked::Yes { answer: Err(error), .. } = &observed.asked else { return None };
    let problem = Problem::of_driver(error, "create the disk");
    let same = observed.asked_generation == observed.disk.metadata.generation;
    (same && error.effect == Effect::None && problem.retry == Retry::AwaitChange).then_some(problem)
}

/// The intent of `attempt`, written before the call that it describes.
fn record_intent(observed: &Observed, status: &mut KompoxDiskStatus, attempt: i32, request: String) {
    let intent = intent(observed, attempt);
    status.attempts = Some(attempt);
    status.creation =
        Some(Creation { attempt, name: intent.name, token: intent.token, request: Some(request) });
    let message = Some(format!("attempt {attempt}"));
    status.operation = Some(Operation {
        type_: "Create".to_owned(),
        message,
        percent: None,
        started_at: Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(observed.now)),
    });
}

/// The identity of `attempt`. The recorded name and token are functions of it.
pub(super) fn intent(observed: &Observed, attempt: i32) -> Intent {
    observed.owner().intent(attempt, &observed.spec().tags)
}

/// The intent stands: follow the creation protocol.
fn go_on(observed: &Observed, provider: &Provider, recorded: &Creation) -> Step {
    let request = match request::recall(recorded.request.as_deref()) {
        Ok(request) => request,
        Err(problem) => return Step::blocked(problem),
    };
    let owner = observed.owner();
    let next = creation::next(
        &owner,
        &recorded.name,
        &observed.asked,
        &observed.looks,
        observed.now,
        provider.consistency,
    );
    match next {
        creation::Next::LookByName => Step::Read(Read::ByName(recorded.name.clone())),
        creation::Next::LookByTags => Step::Read(Read::ByTags),
        creation::Next::Create { resume } => {
            let intent = Intent {
                name: recorded.name.clone(),
                token: recorded.token.clone(),
                ..intent(observed, recorded.attempt)
            };
            Step::act(Act::CreateDisk { intent, request, resume })
        }
        creation::Next::Confirmed(info) => confirm(observed, &info),
        creation::Next::RemoveRemains(info) => Step::act(Act::DeleteDisk(crate::driver::Target {
            handle: info.handle,
            name: info.name,
            tags: owner.tags(),
        })),
        creation::Next::Spent(problem) => next_attempt(observed, recorded, &problem),
        creation::Next::Refused(problem) => give_up(observed, &problem),
        creation::Next::Wait(pause) => Step::wait(Verdict::Creating, pause),
        creation::Next::Blocked(problem) => Step::blocked(problem),
    }
}

/// The disk is there and ours: record its handle, for good. That it is ours is the driver's word: a disk
/// that the cluster knows as somebody else's is never taken on it.
fn confirm(observed: &Observed, info: &DiskInfo) -> Step {
    match &observed.rival {
        None => return Step::Read(Read::Rival(info.handle.clone())),
        Some(Some(rival)) => {
            let message = format!(
                "the driver says that `{}` was made for this object, but KompoxDisk {rival} has that disk; it is left alone. Check the driver, then delete this object and make a new one",
                info.handle
            );
            return Step::blocked(Problem::stalled(Reason::AlreadyClaimed, message));
        }
        Some(None) => {}
    }
    let mut status = observed.status();
    adopt_facts(observed, &mut status, info);
    let note = Note::new(Reason::Creating, format!("the disk `{}` is made", info.handle));
    Step::act(Act::WriteStatus(status, Some(note)))
}

/// What a confirmed disk tells about itself.
pub(super) fn adopt_facts(observed: &Observed, status: &mut KompoxDiskStatus, info: &DiskInfo) {
    status.handle = Some(info.handle.clone());
    status.capacity = Some(quantity::quantity(info.size_bytes));
    status.zone.clone_from(&info.zone);
    status.options = observed.spec().options.clone();
    status.fs_type = Some(fs_type(observed));
    status.creation = None;
    status.operation = None;
}

/// `spec.fsType`, else that of the source, else ext4.
fn fs_type(observed: &Observed) -> String {
    let inherited = match &observed.source {
        Ok(Source::Snapshot { fs_type, .. } | Source::Disk { fs_type, .. }) => fs_type.clone(),
        _ => None,
    };
    observed.spec().fs_type.clone().or(inherited).unwrap_or_else(|| "ext4".to_owned())
}

/// The attempt is spent: the next one gets a new name and token, the same request.
fn next_attempt(observed: &Observed, recorded: &Creation, problem: &Problem) -> Step {
    let mut status = observed.status();
    let request = recorded.request.clone().unwrap_or_default();
    record_intent(observed, &mut status, recorded.attempt.saturating_add(1), request);
    let note = Note::of(problem);
    Step::act(Act::WriteStatus(status, Some(note)))
}

/// Nothing was made and only a change can help: clear the intent, so that a typo can be mended.
fn give_up(observed: &Observed, problem: &Problem) -> Step {
    let mut status = observed.status();
    status.creation = None;
    status.operation = None;
    status.lifecycle = None;
    Step::act(Act::WriteStatus(status, Some(Note::of(problem))))
}
