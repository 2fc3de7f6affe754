//! KompoxDisk: from what was observed to the one next step.
//!
//! The controller calls [`decide`] in a loop: a [`Step::Read`] asks for one more fact, a
//! [`Step::Act`] is the one effect of this turn, a [`Step::Rest`] ends it. A crash between any two
//! steps leaves a state from which the same function goes on. Nothing here performs anything.

mod adopt;
mod create;
mod decide;
mod delete;
mod keep;
mod observed;
mod request;
mod status;
mod volume;

pub use decide::decide;
pub use observed::{Observed, Provider, Source, Surroundings};
pub use status::{Verdict, status};
pub use volume::{PARKED_CLAIM, parked_on, storage_class, volume_name, volume_source};

use crate::{
    driver::{DiskRequest, Intent, TagChange, Target, VolumeRequest},
    step::Note,
};
use k8s_openapi::api::core::v1::PersistentVolume;
use kompox_crds::v1alpha1::KompoxDiskStatus;

/// The next step for a disk.
pub type Step = crate::step::Step<Read, Act, Verdict>;

/// A fact to be read, live unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// Who the credentials are.
    Account,
    /// What a request would come to (pure, in the driver).
    Plan(DiskRequest),
    /// Search by the intent's name.
    ByName(String),
    /// Search by the owner's tags.
    ByTags,
    /// Search by handle.
    ByHandle(String),
    /// Who else in the cluster has the disk of this handle, from the cache.
    Rival(String),
    /// Search by handle as evidence for a removal.
    Evidence(String),
    /// Account as evidence for a removal.
    EvidenceAccount,
    /// What goes into the PersistentVolume (pure, in the driver).
    Volume(VolumeRequest),
    /// Which other PersistentVolume of ours stands for this CSI volume, from the cache.
    Holder {
        /// Name of the CSI driver.
        driver: String,
        /// The volume's handle.
        handle: String,
    },
    /// The PersistentVolume of this name.
    PersistentVolume(String),
    /// The disk itself, its namespace, its CRD, and who uses its volume, before anything is destroyed.
    Surroundings,
}

/// An effect. Each is idempotent and guarded by uid and resourceVersion where it writes to the cluster.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "always behind the box of `Step::Act`")]
pub enum Act {
    /// Add the finalizer.
    AddFinalizer,
    /// Remove the finalizer: the object goes.
    RemoveFinalizer(Note),
    /// Replace the status.
    WriteStatus(KompoxDiskStatus, Option<Note>),
    /// Create the PersistentVolume, parked.
    CreateVolume(PersistentVolume),
    /// Delete the PersistentVolume of this name and uid and let it go.
    DeleteVolume {
        /// Name.
        name: String,
        /// uid, as precondition.
        uid: String,
    },
    /// Make the create call.
    CreateDisk {
        /// The recorded identity.
        intent: Intent,
        /// The recorded request.
        request: DiskRequest,
        /// Token of an operation that goes on.
        resume: Option<String>,
    },
    /// Make the delete call.
    DeleteDisk(Target),
    /// Change tags in the cloud.
    SetTags(Target, TagChange),
}

#[cfg(test)]
mod tests;
