//! Where a KompoxApp's volumes live, and how to go from one disk to another.

use super::rules::sub_path_stays_inside;
use crate::{
    schema,
    v1alpha1::{LocalRef, rules::exactly_one_of},
};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The entry of `spec.volumes` that also takes every Compose volume and relative bind no other names.
pub const DEFAULT_VOLUME: &str = "default";

/// One Compose volume: exactly one of `diskRef` and `claimRef`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = exactly_one_of(&["diskRef", "claimRef"]), validation = sub_path_stays_inside())]
pub struct AppVolume {
    /// Name of the volume in the Compose file. The entry `default` also takes every Compose volume and
    /// relative bind that no other entry names, each in a directory of its own.
    #[schemars(length(min = 1, max = 253), regex(pattern = "^[a-zA-Z0-9._-]+$"))]
    pub name: String,

    /// The KompoxDisk that holds it. One disk may hold many volumes: one snapshot then captures them at
    /// one point in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_ref: Option<LocalRef>,

    /// Any PersistentVolumeClaim that exists, such as a shared (ReadWriteMany) one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_ref: Option<LocalRef>,

    /// Directory on the disk: a relative path without `..`. Absent: the name of the Compose volume, never
    /// the disk's root; with `claimRef`, the root of the claim. What the entry `default` takes lies in a
    /// directory of its own below it, named after the volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub sub_path: Option<String>,
}

/// A host path and the place on a volume that takes its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = sub_path_stays_inside())]
pub struct BindMap {
    /// Absolute path on the Compose host; binds of it and of what lies below are mapped. The longest
    /// prefix wins.
    #[schemars(length(min = 1, max = 1024), regex(pattern = "^/"))]
    pub prefix: String,

    /// Name of an entry of `volumes`.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::COMPOSE_NAME))]
    pub volume: String,

    /// Directory on the volume: a relative path without `..`. Absent: the volume's root.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub sub_path: Option<String>,
}

/// How to go from one disk to another.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiskSwitch {
    /// Seconds the old pods get to end, 30 to 86400.
    #[serde(default = "ten_minutes")]
    #[schemars(range(min = 30, max = 86_400))]
    pub drain_timeout_seconds: i32,

    /// What happens when they do not end in time: `Wait` (the default) goes on waiting and says so,
    /// `Abort` goes back to the old disk. Nothing is ever forced.
    #[serde(default)]
    pub on_drain_timeout: OnDrainTimeout,

    /// What becomes of the old disk: `Keep` (the default) stays locked by the app for an instant way
    /// back, `Release` frees it.
    #[serde(default)]
    pub previous_disk: PreviousDisk,

    /// Whether a snapshot of the old disk is taken before the switch.
    #[serde(default)]
    pub snapshot_before: SnapshotBefore,
}

fn ten_minutes() -> i32 {
    600
}

/// By hand: a derived `Default` would say 0 seconds where the schema says 600.
impl Default for DiskSwitch {
    fn default() -> Self {
        Self {
            drain_timeout_seconds: ten_minutes(),
            on_drain_timeout: OnDrainTimeout::default(),
            previous_disk: PreviousDisk::default(),
            snapshot_before: SnapshotBefore::default(),
        }
    }
}

/// What happens when the old pods do not end in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum OnDrainTimeout {
    /// Go on waiting, and say who is in the way.
    #[default]
    Wait,
    /// Go back to the old disk.
    Abort,
}

/// What becomes of the disk the app came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum PreviousDisk {
    /// It stays locked by the app.
    #[default]
    Keep,
    /// Its lock is released.
    Release,
}

/// Whether a snapshot is taken before a switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum SnapshotBefore {
    /// No snapshot.
    #[default]
    Never,
    /// A snapshot of the old disk must be ready before the old pods are stopped.
    Always,
}
