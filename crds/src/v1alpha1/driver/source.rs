//! Where a driver's component comes from, and how it is verified.

use crate::{
    schema,
    v1alpha1::{KeyRef, LocalRef, rules::exactly_one_of},
};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the component comes from: exactly one of `configMapRef` and `oci`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = exactly_one_of(&["configMapRef", "oci"]))]
pub struct DriverSource {
    /// A ConfigMap in the operator's namespace with the component in `binaryData`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<WasmKeyRef>,

    /// An artifact in an OCI registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oci: Option<OciSource>,

    /// Pins the component: `sha256:` and 64 hex digits. Another component is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 71, max = 71), regex(pattern = schema::SHA256))]
    pub digest: Option<String>,
}

/// A key of a ConfigMap in the operator's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct WasmKeyRef {
    /// Name of the ConfigMap.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_SUBDOMAIN))]
    pub name: String,

    /// Key in its `binaryData`.
    #[serde(default = "driver_wasm")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::CONFIG_KEY))]
    pub key: String,
}

fn driver_wasm() -> String {
    "driver.wasm".to_owned()
}

/// An artifact in an OCI registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OciSource {
    /// Reference such as `ghcr.io/acme/kompox-driver-acme:1.2.0`.
    #[schemars(length(min = 1, max = 512))]
    pub reference: String,

    /// Secret of type `kubernetes.io/dockerconfigjson` in the operator's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_secret_ref: Option<LocalRef>,

    /// Whose signature the artifact must carry. Absent: none is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<OciVerification>,
}

/// Whose signature the artifact must carry: exactly one member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = exactly_one_of(&["keySecretRef", "keyless"]))]
pub struct OciVerification {
    /// Public key, in a Secret of the operator's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_secret_ref: Option<KeyRef>,

    /// Identity of a keyless signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyless: Option<KeylessVerification>,
}

/// Identity of a keyless signature; both must match exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct KeylessVerification {
    /// Issuer of the identity token, such as `https://token.actions.githubusercontent.com`.
    #[schemars(length(min = 1, max = 512))]
    pub issuer: String,

    /// Subject of the certificate: an e-mail address or the URI of a workflow.
    #[schemars(length(min = 1, max = 512))]
    pub subject: String,
}
