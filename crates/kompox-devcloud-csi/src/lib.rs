//! `devcloud.csi.kompox.dev`: the CSI driver of devcloud, **for development**. It serves the Container Storage
//! Interface (Identity, Controller, Node) on a unix socket, and the kubelet's registration on another.
//!
//! The controller talks to the service and touches no device. The node mounts and talks to no service: what it
//! needs comes with the request. It keeps no state of its own; what is mounted it reads from the kernel, so it
//! may be killed at any time. It makes a file system only in an image in which nothing is written. Linux only, and
//! on the machine of the service: a volume is a file or a directory there.

pub mod args;
mod capability;
mod controller;
mod identity;
mod node;
mod node_id;
mod plugin;
pub mod proto;
mod registration;
mod socket;
mod status;

pub use node_id::NodeId;
pub use plugin::{Error, Options, Plugin};

/// The driver's name in `CSIDriver`, `StorageClass` and `PersistentVolume` objects.
pub const DRIVER: &str = "devcloud.csi.kompox.dev";
/// The one topology key: the well-known label, so that volumes made by hand and by claim carry the same affinity.
pub const ZONE_KEY: &str = "topology.kubernetes.io/zone";
/// To be shown wherever the driver is shown.
pub const BANNER: &str = "devcloud.csi.kompox.dev: CSI driver for DEVELOPMENT only, for volumes of devcloud";
