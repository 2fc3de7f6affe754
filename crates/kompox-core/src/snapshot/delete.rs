//! A snapshot that is being deleted; the rules are those of [`crate::disk`].

use super::{Act, Observed, Read, Step, Verdict, create};
use crate::{
    cloud::{
        CloudObject as _, Life, Ownership, Problem, Retry, Sighting,
        creation::{self, POLL},
        identity, owner_of, removal,
    },
    driver::{Attachments, SnapshotInfo, TagChange, Target},
    step::Note,
};
use kompox_crds::{
    names,
    reasons::Reason,
    v1alpha1::{Creation, DeletionPolicy},
};

pub(super) fn decide(observed: &Observed) -> Step {
    if !observed.has_finalizer() {
        return Step::rest(Verdict::Deleting, Retry::AwaitChange);
    }
    if observed.spec().paused {
        return Step::rest(Verdict::Paused, Retry::AwaitChange);
    }
    if observed.is_protected() {
        let message = format!("deletion waits: remove the annotation `{}`", names::annotations::PROTECT);
        return Step::blocked(Problem::stalled(Reason::Protected, message));
    }
    let Some(collateral) = observed.deletion_is_collateral else { return Step::Read(Read::Surroundings) };
    let delete = observed.spec().deletion_policy == DeletionPolicy::Delete && !collateral;
    match (observed.handle(), observed.status().creation) {
        (Some(handle), _) if delete => destroy(observed, handle),
        (Some(handle), _) => leave(observed, handle),
        (None, Some(creation)) => settle(observed, &creation, delete),
        (None, None) => {
            Step::act(Act::RemoveFinalizer(Note::new(Reason::Deleted, "no snapshot had been taken")))
        }
    }
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
    match creation::next(&owner, &recorded.name, asked, looks, observed.now, provider.common.consistency) {
        creation::Next::LookByName => Step::Read(Read::ByName(recorded.name.clone())),
        creation::Next::LookByTags => Step::Read(Read::ByTags),
        creation::Next::Confirmed(info) => {
            Step::act(Act::WriteStatus(create::facts(observed, observed.status(), &info), None))
        }
        creation::Next::RemoveRemains(info) => remains(observed, &info),
        creation::Next::Spent(_) => match broken(observed) {
            Some(info) => remains(observed, info),
            None => nothing_left(),
        },
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

fn broken(observed: &Observed) -> Option<&SnapshotInfo> {
    [&observed.looks.by_name, &observed.looks.by_tags].into_iter().find_map(|look| match look {
        Some(Sighting::One(info)) if info.life() == Life::Broken => Some(info),
        _ => None,
    })
}

fn remains(observed: &Observed, info: &SnapshotInfo) -> Step {
    let target =
        Target { handle: info.handle.clone(), name: info.name.clone(), tags: observed.owner().tags() };
    Step::act(Act::DeleteSnapshot(target))
}

/// Policy `Orphan`: the snapshot stays and says since when it is alone.
fn leave(observed: &Observed, handle: &str) -> Step {
    let left = || Note::new(Reason::Orphaned, format!("the snapshot `{handle}` is left in the cloud"));
    let tags = observed.provider.as_ref().is_ok_and(|provider| provider.common.tags);
    if !tags || observed.tags_refused.is_some() {
        return Step::act(Act::RemoveFinalizer(left()));
    }
    let Some(sighting) = &observed.by_handle else { return Step::Read(Read::ByHandle(handle.to_owned())) };
    let owner = observed.owner();
    match sighting {
        Sighting::One(info)
            if owner_of(&info.tags, &owner) == Ownership::Ours
                && !info.tags.contains_key(identity::TAG_ORPHANED) =>
        {
            let set = [(identity::TAG_ORPHANED.to_owned(), observed.now.as_second().to_string())].into();
            let target = Target { handle: handle.to_owned(), name: None, tags: owner.tags() };
            Step::act(Act::SetTags(target, TagChange { set, remove: vec![identity::TAG_MANAGED.to_owned()] }))
        }
        _ => Step::act(Act::RemoveFinalizer(left())),
    }
}

/// Policy `Delete`: account, two looks, the call, proof.
fn destroy(observed: &Observed, handle: &str) -> Step {
    let provider = match &observed.provider {
        Ok(provider) => provider,
        Err(problem) => return Step::blocked(problem.clone()),
    };
    let recorded = observed.status().provider.unwrap_or_default();
    let recorded = removal::Recorded {
        handle,
        account_id: recorded.account_id.as_deref(),
        fingerprint: recorded.credential_fingerprint.as_deref(),
        fingerprint_now: &provider.common.fingerprint,
    };
    // Snapshots are not attached to anything.
    match removal::next(&observed.owner(), &recorded, &observed.evidence, |_| Attachments::Detached) {
        removal::Next::AskAccount => Step::Read(Read::EvidenceAccount),
        removal::Next::Look => Step::Read(Read::Evidence(handle.to_owned())),
        removal::Next::Delete(target) => Step::act(Act::DeleteSnapshot(target)),
        removal::Next::Gone => {
            let note = Note::new(Reason::Deleted, format!("the snapshot `{handle}` is deleted"));
            Step::act(Act::RemoveFinalizer(note))
        }
        removal::Next::Wait(pause) => Step::wait(Verdict::Deleting, pause),
        removal::Next::Blocked(problem) => Step::blocked(problem),
    }
}
