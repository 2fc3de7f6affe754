//! Example of a driver by a third party: disks and snapshots of devcloud (`docs/devcloud.md`) for provider type
//! `devcloud`, written with the public SDK and nothing else of Kompox. **For development only**, as the service.
//!
//! Start reading at `component.rs`: it holds what the operator calls. The logic below it takes a
//! [`kompox_driver_sdk::http::Transport`] and is tested natively. No credential is seen here: the host adds the
//! token, as the descriptor's auth profile says.

pub mod account;
pub mod api;
pub mod client;
#[cfg(target_family = "wasm")]
mod component;
pub mod config;
pub mod detect;
pub mod disk;
pub mod modify;
pub mod ownership;
pub mod plan;
pub mod snapshot;
#[cfg(test)]
mod tests;

/// The driver's descriptor, as `identity.describe` returns it.
pub const DESCRIPTOR: &str = include_str!("../descriptor.json");
/// The CSI driver that mounts the volumes.
pub const CSI_DRIVER: &str = "devcloud.csi.kompox.dev";
/// The node label by which volumes are where nodes are.
pub const ZONE_LABEL: &str = "topology.kubernetes.io/zone";
