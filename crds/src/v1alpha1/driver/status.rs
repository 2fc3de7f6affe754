//! Status of KompoxDriver: what the operator fetched, verified and found in it.
//!
//! No closed enums: an older CRD would refuse a newer value.

use crate::schema;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator fetched, verified and found.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KompoxDriverStatus {
    /// The `metadata.generation` last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,

    /// `Ready`, and in detail `Fetched`, `Verified` and `Compiled`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,

    /// Digest of the component in use, `sha256:` and 64 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub digest: Option<String>,

    /// Version the driver gives itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub version: Option<String>,

    /// Provider types it serves, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::string_set::<16, 63>")]
    pub provider_types: Vec<String>,

    /// `providerTypes` joined with commas, for the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub types: Option<String>,

    /// Where the component in use came from, for the column: `built-in`, `configmap/<name>` or the OCI
    /// reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub source: Option<String>,

    /// What it can do, such as `disk-modify` or `snapshot`, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::string_set::<64, 128>")]
    pub capabilities: Vec<String>,

    /// Interfaces the component imports, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::string_set::<128, 256>")]
    pub imports: Vec<String>,

    /// Hosts the driver declares, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::string_set::<64, 253>")]
    pub endpoints: Vec<String>,

    /// Which hosts it may talk to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub egress: Option<EgressStatus>,

    /// Key or identity whose signature was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub verified_by: Option<String>,

    /// Digest of the last component that worked: a bad update keeps it running.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub last_good_digest: Option<String>,

    /// Value of the annotation `kompox.dev/reconcile-requested-at` last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub last_handled_reconcile_at: Option<String>,
}

/// Which hosts the driver may talk to, with what was absent in spec filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct EgressStatus {
    /// `None`, `Declared` or `Custom`.
    #[schemars(length(min = 1, max = 32))]
    pub mode: String,

    /// Hosts, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::string_set::<128, 253>")]
    pub hosts: Vec<String>,

    /// Blocks of private addresses that names may resolve to, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::string_set::<32, 64>")]
    pub cidrs: Vec<String>,
}
