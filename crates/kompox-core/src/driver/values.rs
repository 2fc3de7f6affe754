//! The values of the driver port, one for one those of `kompox:driver@0.1.0`.
//!
//! Sizes are bytes, times RFC 3339 in UTC, durations are [`Duration`]s. Tags and attributes are
//! sorted maps, so that the same value always has the same form.

use std::{collections::BTreeMap, time::Duration};

/// Key/value data; keys unique.
pub type Attributes = BTreeMap<String, String>;

/// The cluster the operator runs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterIdentity {
    /// uid of the namespace `kube-system`.
    pub uid: String,
    /// Name, where one is known.
    pub name: Option<String>,
    /// Region, where one is known.
    pub region: Option<String>,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Do not try.
    Error,
    /// It will do something the user may not expect.
    Warning,
    /// For information.
    Info,
}

/// Something a driver noticed about a request or a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// CamelCase, stable.
    pub reason: String,
    /// For people.
    pub message: String,
    /// What it is about: `size`, `zone`, `options.iops`; empty for the whole.
    pub path: String,
}

/// An operation that goes on at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Opaque; kept in memory only and handed to the next call. Losing it is harmless.
    pub resume: String,
    /// For people.
    pub message: String,
    /// 0 to 100.
    pub percent: Option<u8>,
    /// When to ask again.
    pub poll_after: Duration,
}

/// Answer of a call that changes something: a report, not a proof.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// As soon as it is known.
    pub handle: Option<String>,
    /// None: finished.
    pub pending: Option<Pending>,
}

/// The identity of an object to be made, written to the custom resource before the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Cloud name, at most 32 characters, unique for (cluster, resource, attempt).
    pub name: String,
    /// 32 lower-case hex digits, unique for (cluster, resource, attempt).
    pub token: String,
    /// Tags to be written with it; at most 8 of the operator's own, and the user's.
    pub tags: Attributes,
}

/// An object to be changed, and what it must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Provider handle.
    pub handle: String,
    /// Name it must bear.
    pub name: Option<String>,
    /// Tags it must bear.
    pub tags: Attributes,
}

/// A change of tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagChange {
    /// Added or replaced.
    pub set: Attributes,
    /// Removed.
    pub remove: Vec<String>,
}

/// What to look for. With handles: exactly these; else all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// At most 100.
    pub handles: Vec<String>,
    /// Name given at creation.
    pub name: Option<String>,
    /// Tags that must all be there.
    pub tags: Attributes,
    /// Snapshots only: taken from this disk.
    pub disk_handle: Option<String>,
    /// Wanted page length; 0: the driver's choice.
    pub limit: u32,
}

/// A node label key and its allowed values. Terms are ANDed, values ORed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopologyTerm {
    /// Label key.
    pub key: String,
    /// Allowed values.
    pub values: Vec<String>,
}

/// What a disk is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DiskSource {
    /// A blank disk.
    #[default]
    Empty,
    /// Handle of a snapshot.
    Snapshot(String),
    /// Handle of another disk.
    Disk(String),
}

/// A disk that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskRequest {
    /// Bytes; 0: as large as the source.
    pub size_bytes: u64,
    /// As the user wrote it.
    pub zone: Option<String>,
    /// What it is made from.
    pub source: DiskSource,
    /// Provider options.
    pub options: Attributes,
}

/// What a request would come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskPlan {
    /// Bytes after rounding and minimum.
    pub size_bytes: u64,
    /// The provider's zone.
    pub zone: Option<String>,
    /// With the driver's defaults filled in.
    pub options: Attributes,
    /// Where the disk will be usable.
    pub topology: Vec<TopologyTerm>,
    /// One of severity error means: do not try.
    pub findings: Vec<Finding>,
    /// Registered keys: `monthlyCost`, `currency`.
    pub attributes: Attributes,
}

/// A disk's state at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskState {
    /// Being made.
    Creating,
    /// Usable, still being filled from its source: the source must stay.
    Hydrating,
    /// Usable.
    Ready,
    /// Being changed.
    Updating,
    /// Going away.
    Deleting,
    /// Failed for good.
    Failed,
    /// It exists but cannot be used now.
    Unavailable,
    /// The driver cannot tell.
    Unknown,
}

/// The provider's word on who has the disk attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attachments {
    /// The driver cannot tell; not the same as detached.
    Unknown,
    /// Nobody.
    Detached,
    /// Provider ids as in `Node.spec.providerID`.
    Attached(Vec<String>),
}

/// A disk as the provider shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskInfo {
    /// Stable and canonical, at most 1 KiB.
    pub handle: String,
    /// The intent's name.
    pub name: Option<String>,
    /// Its state.
    pub state: DiskState,
    /// Bytes the provider gives.
    pub size_bytes: u64,
    /// The provider's zone.
    pub zone: Option<String>,
    /// What it was made from; `None`: the provider does not keep it.
    pub source: Option<DiskSource>,
    /// Who has it attached.
    pub attachments: Attachments,
    /// Decoded tags.
    pub tags: Attributes,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// Empty: as in the descriptor.
    pub features: Vec<String>,
    /// Why the state is not a good one.
    pub message: Option<String>,
    /// Registered keys: `providerState`, `sku`, `iops`, `throughput`, `kmsKey`, `encrypted`.
    pub attributes: Attributes,
}

/// One page of disks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskPage {
    /// What was found.
    pub items: Vec<DiskInfo>,
    /// Hand it back for the next page.
    pub next: Option<String>,
    /// What could not be read. Empty is a proof that what is not in the items does not exist.
    pub unread: Vec<String>,
}

/// How the cluster wants to use a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeRequest {
    /// As `find` returned it.
    pub handle: String,
    /// As `find` returned it.
    pub zone: Option<String>,
    /// As `find` returned them.
    pub attributes: Attributes,
    /// File system.
    pub fs_type: Option<String>,
    /// Raw block device.
    pub block: bool,
    /// Read only.
    pub read_only: bool,
}

/// A CSI volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsiSource {
    /// CSI driver name.
    pub driver: String,
    /// `spec.csi.volumeHandle`.
    pub volume_handle: String,
    /// `spec.csi.volumeAttributes`.
    pub attributes: Attributes,
}

/// What goes into a PersistentVolume as its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeSource {
    /// A CSI volume.
    Csi(CsiSource),
    /// A kind that this host does not allow, by name.
    Other(String),
}

/// A volume for the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its source.
    pub source: VolumeSource,
    /// Node affinity; empty: usable everywhere.
    pub topology: Vec<TopologyTerm>,
    /// Mount options.
    pub mount_options: Vec<String>,
    /// Kubernetes names of access modes.
    pub access_modes: Vec<String>,
}

/// A wanted change of a live disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskChange {
    /// Grows only; none: leave it.
    pub size_bytes: Option<u64>,
    /// The full wanted set of options.
    pub options: Attributes,
}

/// A snapshot that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotRequest {
    /// The disk.
    pub disk_handle: String,
    /// Provider options.
    pub options: Attributes,
}

/// A snapshot's state at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotState {
    /// The point in time is not fixed yet.
    Creating,
    /// It is fixed, writing may go on, but it cannot be restored from yet.
    Uploading,
    /// Usable.
    Ready,
    /// Going away.
    Deleting,
    /// Failed for good.
    Failed,
    /// It exists but cannot be used now.
    Unavailable,
    /// The driver cannot tell.
    Unknown,
}

/// How a CSI driver would import a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsiSnapshot {
    /// CSI driver name.
    pub driver: String,
    /// Snapshot handle for a pre-provisioned VolumeSnapshotContent.
    pub handle: String,
}

/// A snapshot as the provider shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// Stable and canonical, at most 1 KiB.
    pub handle: String,
    /// The intent's name.
    pub name: Option<String>,
    /// Its state.
    pub state: SnapshotState,
    /// The disk it was taken from.
    pub disk_handle: Option<String>,
    /// Smallest disk it can be restored to, bytes; 0: not known yet.
    pub restore_size_bytes: u64,
    /// Region or storage location; none: the configured region.
    pub location: Option<String>,
    /// Zones it can be restored to; empty: all of the region.
    pub zones: Vec<String>,
    /// RFC 3339.
    pub taken_at: Option<String>,
    /// RFC 3339; the provider deletes it then.
    pub expires_at: Option<String>,
    /// None if the CSI driver cannot import it.
    pub csi: Option<CsiSnapshot>,
    /// Decoded tags.
    pub tags: Attributes,
    /// Why the state is not a good one.
    pub message: Option<String>,
    /// Registered keys: `providerState`, `usedBytes`, `incremental`, `kmsKey`.
    pub attributes: Attributes,
}

/// One page of snapshots; see [`DiskPage`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotPage {
    /// What was found.
    pub items: Vec<SnapshotInfo>,
    /// Hand it back for the next page.
    pub next: Option<String>,
    /// What could not be read.
    pub unread: Vec<String>,
}

/// Nodes that look alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSample {
    /// `Node.spec.providerID` of one of them.
    pub provider_id: Option<String>,
    /// Labels of one of them.
    pub labels: Attributes,
    /// Annotations of one of them.
    pub annotations: Attributes,
    /// How many.
    pub count: u32,
}

/// What is known of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// As `/version` says.
    pub kubernetes_version: String,
    /// Names of CSIDriver objects.
    pub csi_drivers: Vec<String>,
    /// Provisioners of StorageClasses.
    pub provisioners: Vec<String>,
    /// Samples of the nodes.
    pub nodes: Vec<NodeSample>,
    /// Further facts.
    pub attributes: Attributes,
}

/// A provider type that the facts speak for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detection {
    /// The provider type.
    pub provider_type: String,
    /// 1 to 100.
    pub score: u8,
    /// What could be derived: region, project, subscription.
    pub config: Attributes,
    /// For people.
    pub reason: String,
}

/// What the credentials act on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Stable id; none only if the provider tells none.
    pub id: Option<String>,
    /// For people.
    pub name: Option<String>,
    /// Further facts.
    pub attributes: Attributes,
}
