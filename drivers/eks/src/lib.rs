//! Amazon EBS volumes and snapshots for provider type `eks`, over the EC2 Query API.
//!
//! The logic is native Rust over the SDK's transport; `guest.rs` alone belongs to the component. No
//! credentials here: the host signs what the descriptor's auth profiles name.

mod account;
mod client;
mod config;
mod describe;
mod detect;
mod disk;
mod fault;
#[cfg(test)]
mod fixtures;
mod guest;
mod modify;
mod options;
mod plan;
mod resume;
mod snapshot;
mod tagging;
mod tags;
mod volume;
mod xml;

/// The driver's descriptor, as `identity.describe` returns it.
pub const DESCRIPTOR: &str = include_str!("../descriptor.json");

pub use detect::detect;
pub use guest::Eks;
