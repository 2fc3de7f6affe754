//! Version `v1alpha1`: one file per kind; here the fragments that more than one kind uses.
//!
//! The doc comments are the descriptions that `kubectl explain` shows, so they speak to the user.
//! Unions are structs of `Option`s with a rule: an enum would become `oneOf`, whose refusals hide
//! every rule's message. What is resolved later goes to status, never back to spec.

#![expect(
    clippy::duplicated_attributes,
    reason = "the lint takes members of two `printcolumn`s for one attribute given twice"
)]
#![expect(
    unreachable_pub,
    reason = "the KubeSchema derive repeats each struct, `pub` and all, inside a function"
)]

pub mod app;
pub mod disk;
pub mod driver;
mod rules;
pub mod snapshot;

pub use app::{KompoxApp, KompoxAppSpec, KompoxAppStatus};
pub use disk::{KompoxDisk, KompoxDiskSpec, KompoxDiskStatus};
pub use driver::{KompoxDriver, KompoxDriverSpec, KompoxDriverStatus};
pub use snapshot::{KompoxSnapshot, KompoxSnapshotSpec, KompoxSnapshotStatus};

use crate::schema;
use k8s_openapi::apimachinery::pkg::{apis::meta::v1::Time, util::intstr::IntOrString};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The provider type that asks every driver which one serves this cluster.
pub const PROVIDER_AUTO: &str = "auto";

/// Driver options as users write them. Compare and pass on [`options_to_strings`] only: `3000` and
/// `"3000"` mean the same.
pub type Options = BTreeMap<String, IntOrString>;

/// The options with every value as a string, as drivers see them.
pub fn options_to_strings(options: &Options) -> BTreeMap<String, String> {
    let text = |value: &IntOrString| match value {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(text) => text.clone(),
    };
    options.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

/// `serde(skip_serializing_if)` for a plain `bool`: absent and `false` mean the same.
pub(crate) fn is_false(value: &bool) -> bool {
    !value
}

/// Names another object in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct LocalRef {
    /// Name of the object, in the same namespace.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_SUBDOMAIN))]
    pub name: String,
}

impl LocalRef {
    /// A reference to the object `name`.
    pub fn to(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

/// Names one key of a ConfigMap or Secret in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct KeyRef {
    /// Name of the object, in the same namespace.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_SUBDOMAIN))]
    pub name: String,

    /// Key in its data.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::CONFIG_KEY))]
    pub key: String,
}

/// Which driver serves this object, and how it signs in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderSpec {
    /// Provider type of a driver, such as `aks`, `eks` or `k3s`. `auto` (the default) asks every driver
    /// which one serves this cluster; what was found is in `status.provider.type`.
    #[serde(rename = "type", default = "auto")]
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::DNS_LABEL))]
    pub type_: String,

    /// Secret with the credentials, in the same namespace. Absent: the driver's own credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<LocalRef>,

    /// Non-secret driver settings such as `subscriptionId`, `resourceGroup` or `region`, merged over
    /// `spec.config` of the KompoxDriver. With the driver's own credentials only the keys listed in
    /// `spec.grants.tenantConfigKeys` of the KompoxDriver are allowed; with `credentialsSecretRef`, all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::strings::<32, 1024>")]
    pub config: BTreeMap<String, String>,
}

impl ProviderSpec {
    /// Whether the driver is to be found from the cluster's facts.
    pub fn is_auto(&self) -> bool {
        self.type_ == PROVIDER_AUTO
    }
}

fn auto() -> String {
    PROVIDER_AUTO.to_owned()
}

/// By hand: a derived `Default` would say `""` where the schema says `auto`.
impl Default for ProviderSpec {
    fn default() -> Self {
        Self { type_: auto(), credentials_secret_ref: None, config: BTreeMap::new() }
    }
}

/// What `spec.provider` came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderStatus {
    /// Provider type in use, such as `eks`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub type_: Option<String>,

    /// Name of the driver that serves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub driver: Option<String>,

    /// Version of the driver component.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,

    /// Digest of the driver component, `sha256:` and 64 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub digest: Option<String>,

    /// Cloud account (subscription, project, tenancy) the credentials belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub account_id: Option<String>,

    /// Salted hash of the credentials, for providers without account ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub credential_fingerprint: Option<String>,

    /// Region of the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub region: Option<String>,
}

/// A step that takes a while.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// What is being done, such as `Create`, `Resize` or `Delete`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 64))]
    pub type_: String,

    /// One sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,

    /// Progress from 0 to 100, where the provider tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub percent: Option<i32>,

    /// When it began, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
}

/// Write-ahead intent of a creation: stored before the request is sent, so that a crash cannot make a
/// second cloud resource. Removed after a definitive failure, so that a typo can be mended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Creation {
    /// Number of this attempt, from 1.
    #[schemars(range(min = 1))]
    pub attempt: i32,

    /// Name the cloud resource gets.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// Idempotency token: 32 hex digits.
    #[schemars(length(min = 1, max = 128))]
    pub token: String,

    /// The planned request as JSON, without secrets: a retry sends exactly this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65_536))]
    pub request: Option<String>,
}

/// What becomes of the cloud resource when its object is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum DeletionPolicy {
    /// Leave it; it is marked as orphaned.
    #[default]
    Orphan,
    /// Delete it.
    Delete,
}

#[cfg(test)]
mod tests;
