//! The hand-over of a disk to an app and back: what was seen → at most one step.
//!
//! The order is the safety. To take: the lock, then the claim, then the volume's `claimRef`, then wait
//! for the binding. To give back: no pod, no attachment, then the claim, then the lock. A crash between
//! two steps is resumed from what is seen.
//!
//! `claimRef.uid` is never empty: a volume whose `claimRef` names a claim without uid is bound by
//! whoever makes a claim of that name. A parked volume carries the uid of its disk, which no claim can
//! have; a released one keeps the uid of a claim that is gone.

mod claim;
mod give_back;
mod take;
mod zones;

pub use claim::{LOCK_HOLDER_KIND, OWNER_UID};
pub use give_back::{GiveBack, give_back};
pub use take::{Take, take};
pub use zones::refuse_mismatches;

use crate::app::problem::Problem;
use crate::app::validated::AppIdentity;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kompox_crds::KompoxDisk;
use kompox_crds::Reason;
use kompox_crds::v1alpha1::disk::UsedBy;

/// What was seen of one disk, all of it by live reads.
#[derive(Clone, Debug, Default)]
pub struct ObservedVolume {
    /// The disk; absent: it does not exist.
    pub disk: Option<KompoxDisk>,
    /// The volume that the disk's status names.
    pub volume: Option<PersistentVolume>,
    /// The claim with the name that the app uses for this disk.
    pub claim: Option<PersistentVolumeClaim>,
    /// Who may write; absent: nobody looked.
    pub users: Option<Users>,
}

/// What stands in the way of taking a volume away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// Names of the pods of the namespace that mount the claim and have a node, in whatever phase. A pod
    /// without a node has never written, and gets none while the claim is being deleted.
    pub pods: Vec<String>,
    /// Names of the nodes to which the volume is attached.
    pub nodes: Vec<String>,
}

impl ObservedVolume {
    /// Whether somebody looked and found that nothing can write: no pod object mounts the claim and no
    /// node holds the volume.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.users.as_ref().is_some_and(|users| users.pods.is_empty() && users.nodes.is_empty())
    }

    /// The holder of the disk's lock.
    #[must_use]
    pub fn holder(&self) -> Option<&UsedBy> {
        self.disk.as_ref()?.status.as_ref()?.used_by.as_ref()
    }

    /// The fencing number under which `app` holds the disk.
    #[must_use]
    pub fn epoch_of(&self, app: &AppIdentity) -> Option<i64> {
        self.holder().filter(|holder| holder.uid == app.uid).map(|holder| holder.epoch)
    }
}

/// Why a step cannot be taken now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The word for programs.
    pub reason: Reason,
    /// What is in the way, object and name.
    pub message: String,
}

impl Obstacle {
    fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// The obstacle as a problem with `object`.
    #[must_use]
    pub fn about(self, object: impl Into<String>) -> Problem {
        Problem::with_object(self.reason, object, self.message, "end what is named; nothing is forced")
    }
}

/// One write to the objects that were seen, in the version in which they were seen; a refused one is
/// decided anew.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Sets `status.usedBy` and `status.epoch` of the disk.
    TakeLock(UsedBy),
    /// Creates the claim.
    CreateClaim(Box<PersistentVolumeClaim>),
    /// Replaces the volume: its `claimRef` and access modes are those of the claim.
    HandOver(Box<PersistentVolume>),
    /// Sets the epoch annotation of the claim: a change of the volume does not wake the claim.
    Nudge {
        /// The annotation's key.
        key: String,
        /// The epoch.
        epoch: i64,
    },
    /// Deletes the claim.
    DeleteClaim,
    /// Removes the operator's finalizer from the claim.
    FreeClaim,
    /// Removes `status.usedBy` of the disk; `status.epoch` stays.
    ReleaseLock,
}

impl Step {
    /// A word for logs, events and metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::TakeLock(_) => "TakeLock",
            Self::CreateClaim(_) => "CreateClaim",
            Self::HandOver(_) => "HandOver",
            Self::Nudge { .. } => "Nudge",
            Self::DeleteClaim => "DeleteClaim",
            Self::FreeClaim => "FreeClaim",
            Self::ReleaseLock => "ReleaseLock",
        }
    }
}

/// A name for messages.
fn name_of(metadata: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta) -> &str {
    metadata.name.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests;
