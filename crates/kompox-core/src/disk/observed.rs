//! What a disk's controller has read so far in this turn.

use crate::{
    cloud::{
        Problem, Sighting,
        creation::{Asked, Looks},
        identity::{Kind, Owner},
        removal::Evidence,
    },
    driver::{Account, ClusterIdentity, DiskInfo, DiskPlan, Volume},
};
use k8s_openapi::{api::core::v1::PersistentVolume, jiff::Timestamp};
use kompox_crds::v1alpha1::{KompoxDisk, KompoxDiskSpec, KompoxDiskStatus, ProviderStatus, driver::Adoption};
use std::{collections::BTreeSet, time::Duration};

/// Everything [`super::decide`] may look at. `None` in a field means: not read in this turn.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The disk, as last read or written.
    pub disk: KompoxDisk,
    /// The time of this turn.
    pub now: Timestamp,
    /// The cluster.
    pub cluster: ClusterIdentity,
    /// Where unused volumes are parked.
    pub operator_namespace: String,
    /// The driver that serves the disk, or why there is none.
    pub provider: Result<Provider, Problem>,
    /// What `spec.source` refers to, or why that cannot be used.
    pub source: Result<Source, Problem>,
    /// What this process knows of the create call.
    pub asked: Asked,
    /// The `metadata.generation` for which it was called.
    pub asked_generation: Option<i64>,
    /// Another KompoxDisk that has the better claim to a handle, `namespace/name`; inner `None`: nobody.
    pub rival: Option<Option<String>>,
    /// Why the last change of tags failed.
    pub tags_refused: Option<Problem>,
    /// Searches of the creation protocol.
    pub looks: Looks<DiskInfo>,
    /// Search by handle.
    pub by_handle: Option<Sighting<DiskInfo>>,
    /// Who the credentials are.
    pub account: Option<Account>,
    /// What the request comes to.
    pub plan: Option<DiskPlan>,
    /// What goes into the PersistentVolume.
    pub volume: Option<Volume>,
    /// Another PersistentVolume of ours that stands for the volume; inner `None`: nobody's.
    pub holder: Option<Option<String>>,
    /// The PersistentVolume; inner `None`: there is none.
    pub persistent_volume: Option<Option<PersistentVolume>>,
    /// Nodes to which the cluster has the volume attached.
    pub attached_to: BTreeSet<String>,
    /// Evidence for a removal.
    pub evidence: Evidence<DiskInfo>,
    /// The last look around before something is destroyed.
    pub surroundings: Option<Surroundings>,
}

/// The driver in use, as far as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Value of `spec.provider.type`, resolved.
    pub type_: String,
    /// Name of the driver.
    pub driver: String,
    /// Version of the driver.
    pub version: String,
    /// Digest of its component.
    pub digest: String,
    /// `config.region`, where there is one.
    pub region: Option<String>,
    /// How long a new object may be missing from lists.
    pub consistency: Duration,
    /// Whether it can clone disks.
    pub clones: bool,
    /// Whether its disks carry tags.
    pub tags: bool,
    /// Salted hash of the credentials in use.
    pub fingerprint: String,
    /// Which cloud disks the administrator lets be adopted.
    pub adoption: Adoption,
}

impl Provider {
    /// What is recorded in status when an object is made with this driver.
    pub(crate) fn recorded(&self, account_id: Option<String>) -> ProviderStatus {
        ProviderStatus {
            type_: Some(self.type_.clone()),
            driver: Some(self.driver.clone()),
            version: Some(self.version.clone()),
            digest: Some(self.digest.clone()),
            account_id,
            credential_fingerprint: Some(self.fingerprint.clone()),
            region: self.region.clone(),
        }
    }
}

/// What `spec.source` came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A new, empty disk.
    Empty,
    /// A snapshot that is ready.
    Snapshot {
        /// Its handle.
        handle: String,
        /// Smallest disk it fits on, bytes; 0: unknown.
        restore_size: u64,
        /// File system of the disk it was taken from.
        fs_type: Option<String>,
    },
    /// Another disk.
    Disk {
        /// Its handle.
        handle: String,
        /// Its size, bytes.
        size: u64,
        /// Its file system.
        fs_type: Option<String>,
    },
    /// A cloud disk to be adopted.
    Handle(String),
}

/// What a disk stands in, read live.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The namespace is being deleted.
    pub namespace_terminating: bool,
    /// The CustomResourceDefinition is being deleted.
    pub definition_terminating: bool,
    /// The claim that holds the volume, `namespace/name`, if it still exists.
    pub claimed_by: Option<String>,
    /// Nodes to which the cluster still has the volume attached.
    pub attached_to: Vec<String>,
}

impl Surroundings {
    /// A `deletionTimestamp` is not consent to destroy data when something larger is going away.
    #[must_use]
    pub fn deletion_is_collateral(&self) -> bool {
        self.namespace_terminating || self.definition_terminating
    }
}

impl Observed {
    pub(crate) fn spec(&self) -> &KompoxDiskSpec {
        &self.disk.spec
    }

    pub(crate) fn status(&self) -> KompoxDiskStatus {
        self.disk.status.clone().unwrap_or_default()
    }

    /// The recorded handle, if there is one.
    pub(crate) fn handle(&self) -> Option<&str> {
        self.disk.status.as_ref()?.handle.as_deref().filter(|handle| !handle.is_empty())
    }

    pub(crate) fn uid(&self) -> &str {
        self.disk.metadata.uid.as_deref().unwrap_or_default()
    }

    /// The identity under which the disk is made and found.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner {
            kind: Kind::Disk,
            cluster: self.cluster.uid.clone(),
            uid: self.uid().to_owned(),
            namespace: self.disk.metadata.namespace.clone().unwrap_or_default(),
            name: self.disk.metadata.name.clone().unwrap_or_default(),
        }
    }

    pub(crate) fn has_finalizer(&self) -> bool {
        let finalizers = self.disk.metadata.finalizers.iter().flatten();
        finalizers.into_iter().any(|finalizer| finalizer == kompox_crds::names::finalizers::DISK)
    }

    pub(crate) fn is_deleting(&self) -> bool {
        self.disk.metadata.deletion_timestamp.is_some()
    }

    /// `kompox.dev/protect` on the object.
    pub(crate) fn is_protected(&self) -> bool {
        let annotations = self.disk.metadata.annotations.as_ref();
        annotations
            .is_some_and(|a| a.get(kompox_crds::names::annotations::PROTECT).is_some_and(|v| v != "false"))
    }
}
