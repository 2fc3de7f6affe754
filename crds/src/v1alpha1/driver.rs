//! KompoxDriver: the one way to add or configure a driver, and the place where its state is seen.
//!
//! The types and their schema; the rules are in `driver/rules.rs`.

mod rules;
mod source;
mod status;

pub use source::{DriverSource, KeylessVerification, OciSource, OciVerification, WasmKeyRef};
pub use status::{EgressStatus, KompoxDriverStatus};

use super::LocalRef;
use crate::schema;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the administrator asks for.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Deserialize, Serialize, KubeSchema)]
#[kube(
    group = "k8s.kompox.dev",
    version = "v1alpha1",
    kind = "KompoxDriver",
    doc = "A provider driver: where its component comes from, what it may do, and what became of it.",
    status = "KompoxDriverStatus",
    derive = "PartialEq",
    derive = "Default",
    shortname = "kxdrv",
    category = "kompox",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.version"),
    printcolumn(name = "Types", type_ = "string", json_path = ".status.types"),
    printcolumn(name = "Source", type_ = "string", json_path = ".status.source"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::privileges_need_a_pin())]
pub struct KompoxDriverSpec {
    /// Where the component comes from. Absent: the built-in driver with the name of this object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<DriverSource>,

    /// Non-secret settings for every object this driver serves, such as `subscriptionId` or `region`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::strings::<32, 1024>")]
    pub config: BTreeMap<String, String>,

    /// Secret with the credentials shared by every object, in the operator's namespace. Absent: each
    /// object brings its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_secret_ref: Option<LocalRef>,

    /// Which hosts the driver may talk to. Absent: `Declared` for a built-in driver, `None` for a
    /// third-party one; what holds is in `status.egress`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub egress: Option<Egress>,

    /// What the driver, and tenants through it, may do beyond the ordinary.
    #[serde(default, skip_serializing_if = "Grants::is_empty")]
    pub grants: Grants,

    /// Bounds of one call. Absent members: the operator's defaults.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    pub limits: Limits,
}

/// Which hosts the driver may talk to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = rules::only_custom("hosts"),
    validation = rules::only_custom("cidrs"),
    validation = rules::are_cidrs()
)]
pub struct Egress {
    /// `None`, `Declared` (the endpoints the driver declares) or `Custom` (`hosts` and `cidrs`).
    pub mode: EgressMode,

    /// Hosts, with mode `Custom` only; the first label may be `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::hosts::<64>")]
    pub hosts: Vec<String>,

    /// Blocks of private addresses such as `10.0.0.0/8` that names may resolve to, with mode `Custom`
    /// only. Private, link-local and metadata addresses are refused unless listed here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::string_set::<32, 64>")]
    pub cidrs: Vec<String>,

    /// Certificates in PEM form that the driver believes besides those of public authorities, as in
    /// `spec.trustBundle` of a ClusterTrustBundle: for endpoints with a private authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65_536))]
    pub trust_bundle: Option<String>,
}

/// Which hosts a driver may talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum EgressMode {
    /// None.
    None,
    /// The endpoints the driver declares.
    Declared,
    /// Those listed.
    Custom,
}

/// What the driver, and tenants through it, may do beyond the ordinary. `revealSecretKeys` and
/// `replaceBuiltInTypes` need `source.digest` or `source.oci.verify`: a moved tag must not inherit
/// secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grants {
    /// Keys of the credentials Secret whose value the component may see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::config_key_set::<32>")]
    pub reveal_secret_keys: Vec<String>,

    /// Provider types of built-in drivers that this one serves instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::label_set::<16>")]
    pub replace_built_in_types: Vec<String>,

    /// Which cloud disks may be adopted by handle: `Denied`, `Tagged` (those tagged
    /// `kompox-adopt=<namespace>/<name>`) or `Any`. Absent: `Tagged`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adoption: Option<Adoption>,

    /// Keys of `spec.provider.config` that an object without its own credentials may set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::string_set::<32, 253>")]
    pub tenant_config_keys: Vec<String>,

    /// Whether the driver may make volumes of directories on nodes, as `k3s` does.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub node_volume: bool,
}

impl Grants {
    /// Whether nothing is granted or denied.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Which cloud disks may be adopted by handle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Adoption {
    /// None.
    Denied,
    /// Those whose tag names the object that adopts them.
    #[default]
    Tagged,
    /// All the credentials reach.
    Any,
}

/// Bounds of one call.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::memory_in_bounds())]
pub struct Limits {
    /// Memory of one instance: a Quantity from `1Mi` to `1Gi`. Absent: the operator's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::quantity")]
    pub memory: Option<Quantity>,

    /// Seconds a call may take, 1 to 600. Absent: the operator's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 600))]
    pub call_timeout_seconds: Option<i32>,

    /// HTTP requests a call may make, 1 to 10000. Absent: the operator's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000))]
    pub max_requests_per_call: Option<i32>,
}

impl Limits {
    /// Whether every bound is the operator's default.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
