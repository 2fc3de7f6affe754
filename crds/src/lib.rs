//! API types of group `k8s.kompox.dev` as Rust structs, and every name that is part of that API.
//!
//! The structs in [`v1alpha1`] are the source: `crdgen` writes `manifests/*.yaml` from them. Pure: no
//! client, no clock, no environment; only `bin/crdgen` touches files. Nothing here knows a provider.

pub mod conditions;
#[cfg(test)]
mod lint;
pub mod manifests;
pub mod names;
pub mod publish;
pub mod reasons;
pub mod schema;
pub mod v1alpha1;

pub use reasons::Reason;
pub use v1alpha1::{KompoxApp, KompoxDisk, KompoxDriver, KompoxSnapshot};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

/// Every CRD of the group in its published form, sorted by name. Use this, never `T::crd()`: the
/// derive alone leaves `nullable` in the schema.
pub fn all() -> Vec<CustomResourceDefinition> {
    [KompoxApp::crd(), KompoxDisk::crd(), KompoxDriver::crd(), KompoxSnapshot::crd()]
        .map(publish::finish)
        .into()
}
