//! Where a KompoxApp's Compose file, its environment and its files come from.

use crate::{
    schema,
    v1alpha1::{LocalRef, rules::exactly_one_of},
};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The Compose file and what it is read with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Compose {
    /// ConfigMap and key of the Compose file.
    pub config_map_ref: ComposeFile,

    /// Further keys of the same ConfigMap, merged in this order as by `docker compose -f a -f b`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::config_keys::<16>")]
    pub override_keys: Vec<String>,

    /// Compose profiles that are active.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::string_set::<32, 128>")]
    pub profiles: Vec<String>,

    /// Variables for interpolation; of a name given twice the last one counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub env_from: Vec<EnvSource>,

    /// What to do with service names that Kubernetes cannot carry: `Reject` (the default) refuses the
    /// file, `Rename` changes the name and every reference to it.
    #[serde(default)]
    pub service_names: ServiceNames,
}

/// A Compose file in a ConfigMap of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ComposeFile {
    /// Name of the ConfigMap.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_SUBDOMAIN))]
    pub name: String,

    /// Key in its data.
    #[serde(default = "compose_yml")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::CONFIG_KEY))]
    pub key: String,
}

fn compose_yml() -> String {
    "compose.yml".to_owned()
}

/// All keys of one object as variables: exactly one member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = exactly_one_of(&["secretRef", "configMapRef"]))]
pub struct EnvSource {
    /// A Secret in the same namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalRef>,

    /// A ConfigMap in the same namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<LocalRef>,
}

/// What to do with service names that Kubernetes cannot carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ServiceNames {
    /// Refuse the file.
    #[default]
    Reject,
    /// Change the name and every reference to it.
    Rename,
}

/// Content for the files the Compose file names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
pub struct Files {
    /// One entry for each path that the Compose file names in `env_file`, `configs.file`,
    /// `secrets.file` or a bind of a file or directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["path".into()]))]
    pub mounts: Vec<FileMount>,
}

impl Files {
    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        self.mounts.is_empty()
    }
}

/// One path and its content: exactly one of `secretRef` and `configMapRef`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = exactly_one_of(&["secretRef", "configMapRef"]))]
pub struct FileMount {
    /// The path as the Compose file writes it, such as `./app.env`.
    #[schemars(length(min = 1, max = 1024))]
    pub path: String,

    /// A Secret in the same namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<KeysRef>,

    /// A ConfigMap in the same namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<KeysRef>,
}

/// A key, or all keys, of a ConfigMap or Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct KeysRef {
    /// Name of the object, in the same namespace.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_SUBDOMAIN))]
    pub name: String,

    /// Key in its data. Absent: all keys, as a directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::CONFIG_KEY))]
    pub key: Option<String>,
}
