//! Giving a disk back: nothing may write, then the claim goes, then the lock. Used when the app is
//! deleted and when it no longer mounts the disk. Depends on no validation.

use super::claim::{self, OWNER_UID};
use super::{ObservedVolume, Obstacle, Step};
use crate::app::validated::AppIdentity;
use kompox_crds::Reason;

/// What to do next about a disk that the app gives back.
#[derive(Clone, Debug, PartialEq)]
pub enum GiveBack {
    /// The app neither holds the lock nor has a claim.
    Done,
    /// Do this and look again.
    Do(Step),
    /// Something must happen first; look again when one of the objects changes.
    Wait(Obstacle),
}

/// Decides. The caller has deleted the workloads, or changed them so that they no longer mount the
/// disk.
#[must_use]
pub fn give_back(app: &AppIdentity, seen: &ObservedVolume) -> GiveBack {
    let own_claim =
        seen.claim.as_ref().filter(|claim| claim::label(claim, OWNER_UID) == Some(app.uid.as_str()));
    if let Some(claim) = own_claim {
        if !seen.is_drained() {
            return GiveBack::Wait(in_use(seen));
        }
        return match claim::remove(claim) {
            Ok(step) => GiveBack::Do(step),
            Err(obstacle) => GiveBack::Wait(obstacle),
        };
    }
    if seen.epoch_of(app).is_none() {
        return GiveBack::Done;
    }
    // A claim removed by hand proves nothing about writers.
    if !seen.is_drained() {
        return GiveBack::Wait(in_use(seen));
    }
    GiveBack::Do(Step::ReleaseLock)
}

/// Names what still uses the volume.
pub(super) fn in_use(seen: &ObservedVolume) -> Obstacle {
    let message = match &seen.users {
        None => "it is not known yet who uses the volume".to_owned(),
        Some(users) if users.pods.is_empty() => {
            format!("the volume is still attached to node {}", users.nodes.join(", "))
        }
        Some(users) => format!("the volume is still mounted by pod {}", users.pods.join(", ")),
    };
    Obstacle::new(Reason::WaitingForRelease, message)
}
