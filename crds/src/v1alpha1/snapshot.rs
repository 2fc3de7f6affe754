//! KompoxSnapshot: a snapshot of a disk, taken here or imported.
//!
//! The types and their schema; the rules are in `snapshot/rules.rs`.

mod rules;

use super::{
    Creation, DeletionPolicy, LocalRef, Operation, Options, ProviderSpec, ProviderStatus, is_false,
    rules::{exactly_one_of, frozen, write_once},
};
use crate::schema;
use k8s_openapi::apimachinery::pkg::{
    api::resource::Quantity,
    apis::meta::v1::{Condition, Time},
};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the user asks for.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Deserialize, Serialize, KubeSchema)]
#[kube(
    group = "k8s.kompox.dev",
    version = "v1alpha1",
    kind = "KompoxSnapshot",
    namespaced,
    doc = "A snapshot of a KompoxDisk, or an imported one. Restore it with a new KompoxDisk whose `source.snapshotRef` names it.",
    status = "KompoxSnapshotStatus",
    derive = "PartialEq",
    derive = "Default",
    shortname = "kxs",
    category = "kompox",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "Disk", type_ = "string", json_path = ".spec.diskRef.name"),
    printcolumn(name = "Method", type_ = "string", json_path = ".status.method"),
    printcolumn(name = "Size", type_ = "string", json_path = ".status.restoreSize"),
    printcolumn(name = "Taken", type_ = "date", json_path = ".status.takenAt"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Handle", type_ = "string", json_path = ".status.snapshotHandle", priority = 1),
    validation = frozen("diskRef", rules::HANDLE),
    validation = frozen("source", rules::HANDLE),
    validation = write_once(rules::HANDLE)
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = exactly_one_of(&["diskRef", "source"]), validation = rules::provider_only_for_import())]
pub struct KompoxSnapshotSpec {
    /// Take a snapshot of this KompoxDisk. Exactly one of `diskRef` and `source`; frozen once
    /// provisioning has started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_ref: Option<LocalRef>,

    /// Import an existing snapshot instead of taking one. Frozen once provisioning has started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SnapshotSource>,

    /// Which driver knows the imported snapshot; only with `source`. A snapshot of a disk uses the
    /// driver of that disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderSpec>,

    /// How the snapshot is taken: `VolumeSnapshot` through the CSI snapshot controller, `Provider`
    /// through the driver. `Auto` (the default): VolumeSnapshot when a class for the disk's CSI driver
    /// exists, else Provider.
    #[serde(default)]
    pub method: SnapshotMethod,

    /// VolumeSnapshotClass to use. Absent: the default one of the disk's CSI driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_SUBDOMAIN))]
    pub volume_snapshot_class_name: Option<String>,

    /// Options of the driver: strings or integers; write booleans and fractions in quotes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::options")]
    pub options: Options,

    /// Tags for the cloud's cost reports, at most 20. The operator's own tags are added beside them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::strings::<20, 256>")]
    pub tags: BTreeMap<String, String>,

    /// `CrashConsistent` (the default) cuts while the app runs; `Quiesced` scales the app that uses the
    /// disk down for the moment of the cut.
    #[serde(default)]
    pub consistency: Consistency,

    /// What becomes of the cloud snapshot when this object is deleted: `Orphan` (the default) leaves
    /// it, `Delete` deletes it.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,

    /// Stop at the next step boundary and do nothing destructive, finalizer work included.
    #[serde(default, skip_serializing_if = "is_false")]
    pub paused: bool,
}

/// An existing snapshot: exactly one member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = exactly_one_of(&["handle", "volumeSnapshotRef"]))]
pub struct SnapshotSource {
    /// Provider id of the snapshot. Needs the verb `adopt` on the KompoxDriver.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub handle: Option<String>,

    /// A VolumeSnapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_snapshot_ref: Option<LocalRef>,
}

/// How a snapshot is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum SnapshotMethod {
    /// VolumeSnapshot where the cluster has a class for it, else the driver.
    #[default]
    Auto,
    /// Through a VolumeSnapshot object.
    VolumeSnapshot,
    /// Through the driver's snapshot interface.
    Provider,
}

/// What the cut promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Consistency {
    /// As after a power failure.
    #[default]
    CrashConsistent,
    /// No writer at the moment of the cut.
    Quiesced,
}

/// What the operator found and did.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KompoxSnapshotStatus {
    /// The `metadata.generation` last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,

    /// Always `Ready` (ready to use), `Progressing`, `Degraded`; only while true `Reconciling`,
    /// `Stalled`, `Paused`; in detail `Taken` (the cut is done, the app may start again).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,

    /// Which driver serves it, with which account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderStatus>,

    /// How it was taken: `VolumeSnapshot` or `Provider`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub method: Option<String>,

    /// Provider id of the snapshot. Write-once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub snapshot_handle: Option<String>,

    /// Name of the VolumeSnapshot, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub volume_snapshot_name: Option<String>,

    /// Smallest size of a disk restored from it: a Quantity such as `32Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantity")]
    pub restore_size: Option<Quantity>,

    /// The point in time it holds, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<Time>,

    /// File system of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub fs_type: Option<String>,

    /// Zone of the source, where the snapshot is bound to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub zone: Option<String>,

    /// The disk it was taken of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_disk: Option<SourceDisk>,

    /// `Creating`, `Ready`, `Deleting` or `Lost`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub lifecycle: Option<String>,

    /// Written before the create request is sent, so that a crash cannot make a second snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation: Option<Creation>,

    /// Creations tried so far; survives the removal of `creation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub attempts: Option<i32>,

    /// The step being done, where it takes a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,

    /// Value of the annotation `kompox.dev/reconcile-requested-at` last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub last_handled_reconcile_at: Option<String>,
}

/// The disk a snapshot was taken of, as it was then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceDisk {
    /// Name of the KompoxDisk.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub name: Option<String>,

    /// UID of the KompoxDisk.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 36))]
    pub uid: Option<String>,

    /// Provider id of the disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub handle: Option<String>,
}
