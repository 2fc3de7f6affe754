//! KompoxDisk: a disk of a cloud or of a node, the volume made from it, and the lock on it.
//!
//! The types and their schema; the rules are in `disk/rules.rs`.

mod rules;
mod status;

pub use status::{KompoxDiskStatus, UsedBy, lifecycle};

use super::{
    DeletionPolicy, LocalRef, Options, ProviderSpec, is_false,
    rules::{exactly_one_of, frozen, write_once},
};
use crate::schema;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the user asks for.
#[derive(CustomResource, Clone, Debug, PartialEq, Deserialize, Serialize, KubeSchema)]
#[kube(
    group = "k8s.kompox.dev",
    version = "v1alpha1",
    kind = "KompoxDisk",
    namespaced,
    doc = "A disk of a cloud or of a node, the PersistentVolume made from it, and the lock on it.",
    status = "KompoxDiskStatus",
    derive = "PartialEq",
    derive = "Default",
    shortname = "kxd",
    category = "kompox",
    selectable = ".status.handle",
    selectable = ".status.pvName",
    selectable = ".status.usedBy.name",
    selectable = ".spec.provider.type",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "Provider", type_ = "string", json_path = ".status.provider.type"),
    printcolumn(name = "Size", type_ = "string", json_path = ".status.capacity"),
    printcolumn(name = "Zone", type_ = "string", json_path = ".status.zone"),
    printcolumn(name = "Used-By", type_ = "string", json_path = ".status.usedBy.name"),
    printcolumn(name = "PV", type_ = "string", json_path = ".status.pvName"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Handle", type_ = "string", json_path = ".status.handle", priority = 1),
    printcolumn(name = "Operation", type_ = "string", json_path = ".status.operation.type", priority = 1),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#,
        priority = 1
    ),
    validation = frozen("source", rules::HANDLE),
    validation = frozen("storageClassName", rules::HANDLE),
    validation = rules::frozen_but_resolved("zone"),
    validation = rules::frozen_but_resolved("fsType"),
    validation = rules::provider_type_frozen(),
    validation = rules::deletion_policy_frozen(),
    validation = write_once(rules::HANDLE),
    validation = rules::epoch_never_decreases(),
    validation = rules::owner_released_first(),
    validation = rules::taking_raises_epoch(),
    validation = rules::lock_carries_epoch(),
    validation = rules::no_lock_while_going()
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::size_or_source(),
    validation = rules::size_positive(),
    validation = rules::size_never_shrinks(),
    validation = rules::storage_class_alone()
)]
pub struct KompoxDiskSpec {
    /// Which driver serves this disk. Once provisioning has started, `type` may change only to the
    /// value in `status.provider.type` or back to `auto`.
    #[serde(default)]
    pub provider: ProviderSpec,

    /// Size wanted: a Quantity such as `10Gi`, or a number of bytes. Required unless `source` gives
    /// one. May grow, never shrink; the provider may round it up: the real size is `status.capacity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantity")]
    pub size: Option<Quantity>,

    /// Zone as the provider's users write it, such as `"1"` or `us-west-2a`. Absent: the driver
    /// chooses; see `status.zone`. Once provisioning has started, it may change only to that value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub zone: Option<String>,

    /// Options of the driver such as `sku`, `iops`, `throughput` or `kmsKey`. Values are strings or
    /// integers; write booleans and fractions in quotes. The driver checks them against its schema, and
    /// applies changes of those that the provider can change to the running disk.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::options")]
    pub options: Options,

    /// Tags for the cloud's cost reports, at most 20. The operator's own tags are added beside them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::strings::<20, 256>")]
    pub tags: BTreeMap<String, String>,

    /// File system such as `ext4` or `xfs`. Absent: that of the source, else `ext4`; see
    /// `status.fsType`. Once provisioning has started, it may change only to that value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), regex(pattern = "^[a-z0-9]+$"))]
    pub fs_type: Option<String>,

    /// Where the content comes from. Absent: a new, empty disk. Frozen once provisioning has started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<DiskSource>,

    /// Provision through a claim of this StorageClass, which needs no cloud credential, then own the
    /// volume. Only with no source or `source.snapshotRef`. Frozen once provisioning has started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_SUBDOMAIN))]
    pub storage_class_name: Option<String>,

    /// What becomes of the cloud disk when this object is deleted: `Orphan` (the default) leaves it,
    /// `Delete` deletes it after `trashRetentionSeconds`. Frozen once deletion has started.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,

    /// With `deletionPolicy: Delete`: seconds the disk waits in the trash, tagged, before the cloud
    /// deletes it; 0 = at once. At most 7776000 (90 days).
    #[serde(default = "a_week")]
    #[schemars(range(min = 0, max = 7_776_000))]
    pub trash_retention_seconds: i64,

    /// Stop at the next step boundary and do nothing destructive, finalizer work included.
    #[serde(default, skip_serializing_if = "is_false")]
    pub paused: bool,
}

fn a_week() -> i64 {
    604_800
}

/// By hand: a derived `Default` would say 0 seconds of trash where the schema says a week.
impl Default for KompoxDiskSpec {
    fn default() -> Self {
        Self {
            provider: ProviderSpec::default(),
            size: None,
            zone: None,
            options: Options::new(),
            tags: BTreeMap::new(),
            fs_type: None,
            source: None,
            storage_class_name: None,
            deletion_policy: DeletionPolicy::default(),
            trash_retention_seconds: a_week(),
            paused: false,
        }
    }
}

/// Where the content of a disk comes from: exactly one member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = exactly_one_of(&["snapshotRef", "diskRef", "handle", "claimRef"]))]
pub struct DiskSource {
    /// Restore this KompoxSnapshot. One of another namespace or cluster is imported as a
    /// KompoxSnapshot first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_ref: Option<LocalRef>,

    /// Clone this KompoxDisk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_ref: Option<LocalRef>,

    /// Adopt the cloud disk with this provider id. Needs the verb `adopt` on the KompoxDriver.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub handle: Option<String>,

    /// Adopt this PersistentVolumeClaim and its volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_ref: Option<LocalRef>,
}
