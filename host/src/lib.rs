//! The operator: controllers for disks, snapshots and apps.
//!
//! Here is everything that talks to Kubernetes: watches, reads, writes, events, and the course of a
//! reconciliation. What should be, is decided in `kompox-core`; providers are called through its driver
//! port, and nothing here knows one by name.

pub mod args;
pub mod backoff;
pub mod cluster;
pub mod context;
pub mod controllers;
pub mod drivers;
pub mod events;
pub mod freshness;
pub mod health;
pub mod memory;
pub mod metrics;
pub mod providers;
pub mod readiness;
pub mod reads;
pub mod refusal;
mod requests;
pub mod run;
pub mod search;
pub mod shutdown;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod turn;
pub mod watches;
pub mod writes;

/// Version of the operator.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
