//! What a snapshot's controller has read so far in this turn.

use crate::{
    cloud::{
        Problem, Sighting,
        creation::{Asked, Looks},
        identity::{Kind, Owner},
        removal::Evidence,
    },
    driver::{Account, ClusterIdentity, SnapshotInfo},
};
use k8s_openapi::jiff::Timestamp;
use kompox_crds::{
    names,
    v1alpha1::{KompoxSnapshot, KompoxSnapshotSpec, KompoxSnapshotStatus},
};

/// Everything [`super::decide`] may look at. `None` in a field means: not read in this turn.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The snapshot, as last read or written.
    pub snapshot: KompoxSnapshot,
    /// The time of this turn.
    pub now: Timestamp,
    /// The cluster.
    pub cluster: ClusterIdentity,
    /// The driver that serves it, or why there is none.
    pub provider: Result<Provider, Problem>,
    /// The disk it is taken from, or why that cannot be used. Unused for imports.
    pub disk: Result<SourceDisk, Problem>,
    /// What this process knows of the create call.
    pub asked: Asked,
    /// The `metadata.generation` for which it was called.
    pub asked_generation: Option<i64>,
    /// Searches of the creation protocol.
    pub looks: Looks<SnapshotInfo>,
    /// Search by handle.
    pub by_handle: Option<Sighting<SnapshotInfo>>,
    /// Who the credentials are.
    pub account: Option<Account>,
    /// Why the last change of tags failed.
    pub tags_refused: Option<Problem>,
    /// Evidence for a removal.
    pub evidence: Evidence<SnapshotInfo>,
    /// Whether the namespace or the CRD is going away, read live.
    pub deletion_is_collateral: Option<bool>,
}

/// The driver in use, as far as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// What disks need to know as well.
    pub common: crate::disk::Provider,
    /// Whether the driver exports the snapshot interface at all.
    pub supported: bool,
}

/// The disk a snapshot is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceDisk {
    /// Name of the KompoxDisk.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its handle.
    pub handle: String,
    /// Its account.
    pub account_id: Option<String>,
    /// Its file system.
    pub fs_type: Option<String>,
    /// Its zone.
    pub zone: Option<String>,
}

impl Observed {
    pub(crate) fn spec(&self) -> &KompoxSnapshotSpec {
        &self.snapshot.spec
    }

    pub(crate) fn status(&self) -> KompoxSnapshotStatus {
        self.snapshot.status.clone().unwrap_or_default()
    }

    pub(crate) fn handle(&self) -> Option<&str> {
        self.snapshot.status.as_ref()?.snapshot_handle.as_deref().filter(|handle| !handle.is_empty())
    }

    /// The identity under which the snapshot is made and found.
    #[must_use]
    pub fn owner(&self) -> Owner {
        let meta = &self.snapshot.metadata;
        Owner {
            kind: Kind::Snapshot,
            cluster: self.cluster.uid.clone(),
            uid: meta.uid.clone().unwrap_or_default(),
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
        }
    }

    pub(crate) fn has_finalizer(&self) -> bool {
        let mut finalizers = self.snapshot.metadata.finalizers.iter().flatten();
        finalizers.any(|finalizer| finalizer == names::finalizers::SNAPSHOT)
    }

    pub(crate) fn is_deleting(&self) -> bool {
        self.snapshot.metadata.deletion_timestamp.is_some()
    }

    pub(crate) fn is_protected(&self) -> bool {
        let annotations = self.snapshot.metadata.annotations.as_ref();
        annotations.is_some_and(|a| a.get(names::annotations::PROTECT).is_some_and(|v| v != "false"))
    }

    /// Whether the conditions already say that this snapshot is ready.
    pub(crate) fn was_ready(&self) -> bool {
        let conditions = self.snapshot.status.iter().flat_map(|status| &status.conditions);
        conditions.into_iter().any(|c| c.type_ == kompox_crds::conditions::READY && c.status == "True")
    }
}
