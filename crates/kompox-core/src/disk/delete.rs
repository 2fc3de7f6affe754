//! A disk that is being deleted.
//!
//! Deletion never depends on validation, and nothing is destroyed on a cached read: before any effect
//! the surroundings are read live. A `deletionTimestamp` that comes with the end of the namespace or of
//! the CRD is not consent: the cloud disk is then left, whatever the policy says.

use super::{Act, Observed, Read, Step, Verdict, create, observed::Surroundings};
use crate::{
    cloud::{
        CloudObject as _, Life, Problem, Retry, Sighting,
        creation::{self, POLL},
        identity, removal,
    },
    driver::{DiskInfo, TagChange, Target},
    step::Note,
};
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::SignedDuration};
use kompox_crds::{
    reasons::Reason,
    v1alpha1::{Creation, DeletionPolicy, disk::lifecycle},
};
use std::time::Duration;

/// Longest pause between two looks at a trashed disk.
const TRASH_POLL: Duration = Duration::from_hours(1);

pub(super) fn decide(observed: &Observed) -> Step {
    if !observed.has_finalizer() {
        return Step::rest(Verdict::Deleting, Retry::AwaitChange);
    }
    if observed.spec().paused {
        return Step::rest(Verdict::Paused, Retry::AwaitChange);
    }
    if observed.is_protected() {
        let message =
            format!("deletion waits: remove the annotation `{}`", kompox_crds::names::annotations::PROTECT);
        return Step::blocked(Problem::stalled(Reason::Protected, message));
    }
    let Some(around) = &observed.surroundings else { return Step::Read(Read::Surroundings) };
    if let Some(problem) = in_use(observed, around) {
        return Step::blocked(problem);
    }
    let delete =
        observed.spec().deletion_policy == DeletionPolicy::Delete && !around.deletion_is_collateral();
    match (observed.handle(), observed.status().creation) {
        (Some(handle), _) if delete => destroy(observed, handle),
        (Some(handle), _) => leave(observed, handle),
        (None, Some(creation)) => settle(observed, &creation, delete),
        (None, None) => Step::act(Act::RemoveFinalizer(Note::new(Reason::Deleted, "no disk had been made"))),
    }
}

/// Whoever uses the volume comes first.
fn in_use(observed: &Observed, around: &Surroundings) -> Option<Problem> {
    let holder = observed.status().used_by.map(|holder| format!("{} `{}`", holder.kind, holder.name));
    let claim = around.claimed_by.as_ref().map(|claim| format!("PersistentVolumeClaim `{claim}`"));
    let node = around.attached_to.first().map(|node| format!("node `{node}` (attached)"));
    let user = holder.or(claim).or(node)?;
    let message = format!("deletion waits: the disk is used by {user}; delete that first");
    Some(Problem::passing(Reason::DiskInUse, message, Retry::BUSY))
}

/// A creation whose outcome is not known yet: learn it before anything else.
fn settle(observed: &Observed, recorded: &Creation, delete: bool) -> Step {
    let provider = match &observed.provider {
        Ok(provider) => provider,
        Err(problem) if delete => return Step::blocked(problem.clone()),
        Err(_) => {
            let message = format!(
                "left whatever creation `{}` may have made, its outcome cannot be learnt",
                recorded.name
            );
            return Step::act(Act::RemoveFinalizer(Note::new(Reason::Orphaned, message)));
        }
    };
    let (owner, asked, looks) = (observed.owner(), &observed.asked, &observed.looks);
    match creation::next(&owner, &recorded.name, asked, looks, observed.now, provider.consistency) {
        creation::Next::LookByName => Step::Read(Read::ByName(recorded.name.clone())),
        creation::Next::LookByTags => Step::Read(Read::ByTags),
        creation::Next::Confirmed(info) => {
            let mut status = observed.status();
            create::adopt_facts(observed, &mut status, &info);
            Step::act(Act::WriteStatus(status, None))
        }
        creation::Next::RemoveRemains(info) => remains(observed, &info),
        creation::Next::Spent(_) => match broken(observed) {
            Some(info) => remains(observed, info),
            None => nothing_left(),
        },
        // Both looks proved absence and the window has passed: there is nothing, and nothing will come.
        creation::Next::Create { .. } if observed.looks.by_tags == Some(Sighting::Absent) => nothing_left(),
        creation::Next::Refused(_) => nothing_left(),
        creation::Next::Create { .. } => Step::wait(Verdict::Deleting, POLL),
        creation::Next::Wait(pause) => Step::wait(Verdict::Deleting, pause),
        creation::Next::Blocked(problem) => Step::blocked(problem),
    }
}

fn nothing_left() -> Step {
    Step::act(Act::RemoveFinalizer(Note::new(Reason::Deleted, "nothing is left in the cloud")))
}

/// The object of the present attempt that failed for good.
fn broken(observed: &Observed) -> Option<&DiskInfo> {
    [&observed.looks.by_name, &observed.looks.by_tags].into_iter().find_map(|look| match look {
        Some(Sighting::One(info)) if info.life() == Life::Broken => Some(info),
        _ => None,
    })
}

/// A disk that never became usable holds no data: it goes whatever the policy says.
fn remains(observed: &Observed, info: &DiskInfo) -> Step {
    let target =
        Target { handle: info.handle.clone(), name: info.name.clone(), tags: observed.owner().tags() };
    Step::act(Act::DeleteDisk(target))
}

/// Policy `Orphan`: the volume goes, the disk stays and says since when it is alone.
fn leave(observed: &Observed, handle: &str) -> Step {
    if let Some(step) = drop_volume(observed) {
        return step;
    }
    let left = || Note::new(Reason::Orphaned, format!("the disk `{handle}` is left in the cloud"));
    let tags = observed.provider.as_ref().is_ok_and(|provider| provider.tags);
    if !tags || observed.tags_refused.is_some() {
        return Step::act(Act::RemoveFinalizer(left()));
    }
    let Some(sighting) = &observed.by_handle else { return Step::Read(Read::ByHandle(handle.to_owned())) };
    match sighting {
        Sighting::One(info) if !info.tags.contains_key(identity::TAG_ORPHANED) => {
            let set = [(identity::TAG_ORPHANED.to_owned(), observed.now.as_second().to_string())].into();
            let remove = vec![identity::TAG_MANAGED.to_owned(), identity::TAG_TRASH.to_owned()];
            let target = Target { handle: handle.to_owned(), name: None, tags: observed.owner().tags() };
            Step::act(Act::SetTags(target, TagChange { set, remove }))
        }
        _ => Step::act(Act::RemoveFinalizer(left())),
    }
}

/// The PersistentVolume goes before the disk; `None` when it is gone.
fn drop_volume(observed: &Observed) -> Option<Step> {
    match &observed.persistent_volume {
        None => Some(Step::Read(Read::PersistentVolume(super::volume_name(observed.uid())))),
        Some(None) => None,
        Some(Some(pv)) => {
            let name = pv.metadata.name.clone().unwrap_or_default();
            let uid = pv.metadata.uid.clone().unwrap_or_default();
            Some(Step::act(Act::DeleteVolume { name, uid }))
        }
    }
}

/// Policy `Delete`: tombstone, volume, trash, disk, proof.
fn destroy(observed: &Observed, handle: &str) -> Step {
    let mut status = observed.status();
    if !matches!(status.lifecycle.as_deref(), Some(lifecycle::DELETING | lifecycle::TRASHED)) {
        status.lifecycle = Some(lifecycle::DELETING.to_owned());
        return Step::act(Act::WriteStatus(status, Some(Note::new(Reason::Deleting, "deleting the disk"))));
    }
    if let Some(step) = drop_volume(observed) {
        return step;
    }
    let provider = match &observed.provider {
        Ok(provider) => provider,
        Err(problem) => return Step::blocked(problem.clone()),
    };
    let recorded = status.provider.clone().unwrap_or_default();
    let recorded = removal::Recorded {
        handle,
        account_id: recorded.account_id.as_deref(),
        fingerprint: recorded.credential_fingerprint.as_deref(),
        fingerprint_now: &provider.fingerprint,
    };
    match removal::next(&observed.owner(), &recorded, &observed.evidence, |info| info.attachments.clone()) {
        removal::Next::AskAccount => Step::Read(Read::EvidenceAccount),
        removal::Next::Look => Step::Read(Read::Evidence(handle.to_owned())),
        removal::Next::Delete(target) => trash_or_delete(observed, target),
        removal::Next::Gone => {
            let note = Note::new(Reason::Deleted, format!("the disk `{handle}` is deleted"));
            Step::act(Act::RemoveFinalizer(note))
        }
        removal::Next::Wait(pause) => Step::wait(Verdict::Deleting, pause),
        removal::Next::Blocked(problem) => Step::blocked(problem),
    }
}

/// The disk may go: first into the trash, for as long as the spec says.
fn trash_or_delete(observed: &Observed, target: Target) -> Step {
    let since = observed.disk.metadata.deletion_timestamp.as_ref().map_or(observed.now, |time| time.0);
    let retention = SignedDuration::from_secs(observed.spec().trash_retention_seconds.max(0));
    let until = since.checked_add(retention).unwrap_or(k8s_openapi::jiff::Timestamp::MAX);
    let Some(rest) =
        Duration::try_from(until.duration_since(observed.now)).ok().filter(|rest| !rest.is_zero())
    else {
        return Step::act(Act::DeleteDisk(target));
    };
    let mut status = observed.status();
    if status.lifecycle.as_deref() != Some(lifecycle::TRASHED) || status.trashed_until != Some(Time(until)) {
        status.lifecycle = Some(lifecycle::TRASHED.to_owned());
        status.trashed_until = Some(Time(until));
        let note = Note::new(
            Reason::Trashed,
            format!("the disk `{}` waits in the trash until {until}", target.handle),
        );
        return Step::act(Act::WriteStatus(status, Some(note)));
    }
    let tag = until.as_second().to_string();
    let tagged =
        observed.evidence.looks.iter().any(
            |look| matches!(look, Sighting::One(info) if info.tags.get(identity::TAG_TRASH) == Some(&tag)),
        );
    match &observed.tags_refused {
        Some(problem) => Step::blocked(problem.clone()),
        None if tagged => Step::wait(Verdict::Trashed(until), rest.min(TRASH_POLL)),
        None => {
            let change = TagChange { set: [(identity::TAG_TRASH.to_owned(), tag)].into(), remove: vec![] };
            Step::act(Act::SetTags(target, change))
        }
    }
}
