//! The order of things for a snapshot.

use super::{Act, Observed, Read, Step, Verdict, create, delete};
use crate::{
    cloud::{Problem, Retry, Sighting, creation::POLL},
    driver::{SnapshotInfo, SnapshotState},
};
use kompox_crds::{reasons::Reason, v1alpha1::snapshot::SnapshotMethod};

/// The one next step for what was observed.
#[must_use]
pub fn decide(observed: &Observed) -> Step {
    if observed.is_deleting() {
        return delete::decide(observed);
    }
    if observed.spec().paused {
        return Step::rest(Verdict::Paused, Retry::AwaitChange);
    }
    if !observed.has_finalizer() {
        return Step::act(Act::AddFinalizer);
    }
    if observed.handle().is_some() && observed.was_ready() {
        return Step::rest(Verdict::Ready, Retry::AwaitChange);
    }
    if observed.spec().method == SnapshotMethod::VolumeSnapshot {
        let message = "`spec.method: VolumeSnapshot` is not supported by this version of the operator; use Auto or Provider";
        return Step::blocked(Problem::stalled(Reason::NotSupported, message));
    }
    let provider = match &observed.provider {
        Ok(provider) if provider.supported => provider,
        Ok(provider) => {
            let message = format!("driver `{}` cannot take snapshots", provider.common.driver);
            return Step::blocked(Problem::stalled(Reason::NotSupported, message));
        }
        Err(problem) => return Step::blocked(problem.clone()),
    };
    match observed.handle() {
        Some(handle) => follow(observed, handle),
        None => create::decide(observed, provider),
    }
}

/// The snapshot exists: wait until it can be restored from.
fn follow(observed: &Observed, handle: &str) -> Step {
    let Some(sighting) = &observed.by_handle else { return Step::Read(Read::ByHandle(handle.to_owned())) };
    let info = match sighting {
        Sighting::One(info) => info,
        Sighting::Absent => {
            let message = format!("the snapshot `{handle}` no longer exists in the cloud; take a new one");
            let problem = Problem { retry: Retry::PERSON, ..Problem::stalled(Reason::DiskLost, message) };
            return Step::blocked(problem);
        }
        Sighting::Many(_) | Sighting::Unclear(_) => {
            let message = format!("could not read the snapshot `{handle}`");
            return Step::blocked(Problem::passing(Reason::ProviderUnavailable, message, Retry::TRANSIENT));
        }
    };
    progress(observed, info)
}

fn progress(observed: &Observed, info: &SnapshotInfo) -> Step {
    let why = || info.message.clone().unwrap_or_else(|| "the provider does not say why".to_owned());
    match info.state {
        SnapshotState::Ready => {
            let (known, told) = (observed.status(), create::facts(observed, observed.status(), info));
            if known == told {
                return Step::rest(Verdict::Ready, Retry::AwaitChange);
            }
            Step::act(Act::WriteStatus(told, None))
        }
        SnapshotState::Creating => Step::wait(Verdict::Creating, POLL),
        SnapshotState::Uploading => Step::wait(Verdict::Uploading, POLL),
        SnapshotState::Failed => {
            let message =
                format!("the provider failed to make the snapshot: {}; delete it and take a new one", why());
            Step::blocked(Problem::stalled(Reason::CreateFailed, message))
        }
        SnapshotState::Deleting | SnapshotState::Unavailable | SnapshotState::Unknown => {
            let message = format!("the snapshot cannot be used now: {}", why());
            Step::blocked(Problem::passing(Reason::ProviderUnavailable, message, Retry::BUSY))
        }
    }
}
