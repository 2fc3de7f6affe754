//! KompoxSnapshot: from what was observed to the one next step, through the driver's snapshot interface.
//!
//! The same shape as [`crate::disk`], and the same protocols of [`crate::cloud`].

mod create;
mod decide;
mod delete;
mod observed;
mod status;

pub use decide::decide;
pub use observed::{Observed, Provider, SourceDisk};
pub use status::{Verdict, status};

use crate::{
    driver::{Intent, SnapshotRequest, TagChange, Target},
    step::Note,
};
use kompox_crds::v1alpha1::KompoxSnapshotStatus;

/// The next step for a snapshot.
pub type Step = crate::step::Step<Read, Act, Verdict>;

/// A fact to be read, live.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// Who the credentials are.
    Account,
    /// Search by the intent's name.
    ByName(String),
    /// Search by the owner's tags.
    ByTags,
    /// Search by handle.
    ByHandle(String),
    /// Search by handle as evidence for a removal.
    Evidence(String),
    /// Account as evidence for a removal.
    EvidenceAccount,
    /// The snapshot itself, its namespace and its CRD, before anything is destroyed.
    Surroundings,
}

/// An effect; see [`crate::disk::Act`].
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "always behind the box of `Step::Act`")]
pub enum Act {
    /// Add the finalizer.
    AddFinalizer,
    /// Remove the finalizer: the object goes.
    RemoveFinalizer(Note),
    /// Replace the status.
    WriteStatus(KompoxSnapshotStatus, Option<Note>),
    /// Make the create call.
    CreateSnapshot {
        /// The recorded identity.
        intent: Intent,
        /// The recorded request.
        request: SnapshotRequest,
        /// Token of an operation that goes on.
        resume: Option<String>,
    },
    /// Make the delete call.
    DeleteSnapshot(Target),
    /// Change tags in the cloud.
    SetTags(Target, TagChange),
}

#[cfg(test)]
mod tests;
