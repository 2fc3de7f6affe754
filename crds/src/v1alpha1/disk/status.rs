//! Status of KompoxDisk: what the operator found and did, and the lock.
//!
//! No closed enums: an older CRD would refuse a newer value. Unknown members are kept, so that an older
//! operator's write cannot erase what a newer one recorded.

use crate::{
    schema,
    v1alpha1::{Creation, Operation, Options, ProviderStatus},
};
use k8s_openapi::apimachinery::pkg::{
    api::resource::Quantity,
    apis::meta::v1::{Condition, Time},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Values of `status.lifecycle`, of disks and snapshots. More may come: treat an unknown one as "hands off".
pub mod lifecycle {
    /// A cloud request for its creation may have been sent.
    pub const CREATING: &str = "Creating";
    /// It exists and can be used.
    pub const READY: &str = "Ready";
    /// Tombstone: nobody may take the lock any more.
    pub const DELETING: &str = "Deleting";
    /// It waits in the trash until `status.trashedUntil`.
    pub const TRASHED: &str = "Trashed";
    /// The provider proved that it is gone, though nobody deleted it here.
    pub const LOST: &str = "Lost";
}

/// What the operator found and did.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KompoxDiskStatus {
    /// The `metadata.generation` last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,

    /// Always `Ready`, `Progressing`, `Degraded`; only while true `Reconciling`, `Stalled`, `Paused`;
    /// in detail `Bound`, `Attached`, `Restored` and `UpToDate` (size and options are as asked).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,

    /// What `spec.provider` came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderStatus>,

    /// Provider id of the disk. Write-once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub handle: Option<String>,

    /// Name of the PersistentVolume.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub pv_name: Option<String>,

    /// Name of the PersistentVolumeClaim that uses it, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub claim_name: Option<String>,

    /// Real size: a Quantity such as `32Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantity")]
    pub capacity: Option<Quantity>,

    /// Real zone, as the provider's users write it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub zone: Option<String>,

    /// Real file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub fs_type: Option<String>,

    /// Options last applied.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::options")]
    pub options: Options,

    /// Nodes to which the cluster has it attached, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::string_set::<16, 1024>")]
    pub attached_to: Vec<String>,

    /// `Creating`, `Ready`, `Deleting`, `Trashed` or `Lost`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub lifecycle: Option<String>,

    /// Written before the create request is sent, so that a crash cannot make a second disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation: Option<Creation>,

    /// Creations tried so far; survives the removal of `creation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub attempts: Option<i32>,

    /// Fencing number: rises each time the lock is taken, survives its release, never decreases.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub epoch: Option<i64>,

    /// The lock: who uses the disk now. Absent: nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_by: Option<UsedBy>,

    /// The step being done, where it takes a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,

    /// When the trashed disk will be deleted, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trashed_until: Option<Time>,

    /// Value of the annotation `kompox.dev/reconcile-requested-at` last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub last_handled_reconcile_at: Option<String>,

    /// Members of a newer version, kept as they are. The flattened map is also what makes the derive put
    /// `x-kubernetes-preserve-unknown-fields: true` on `status`.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}

/// The holder of the lock; all members are required.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct UsedBy {
    /// Kind of the holder, such as `KompoxApp`.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,

    /// Name of the holder, in the same namespace.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// UID of the holder: a successor with the same name is another owner.
    #[schemars(length(min = 1, max = 36))]
    pub uid: String,

    /// `status.epoch` at the time of taking.
    #[schemars(range(min = 0))]
    pub epoch: i64,
}
