//! Status of KompoxApp: what the operator found and did.
//!
//! No closed enums: an older CRD would refuse a newer value. Unknown members are kept, so that an older
//! operator's write cannot erase what a newer one recorded.

use crate::schema;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the operator found and did.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct KompoxAppStatus {
    /// The `metadata.generation` last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,

    /// Services ready of those wanted, such as `2/3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 15))]
    pub services_ready: Option<String>,

    /// Always `Ready`, `Progressing`, `Degraded`; only while true `Reconciling`, `Stalled`, `Paused`;
    /// in detail `ComposeValid`, `DisksReady`, `WorkloadsAvailable` and `RoutesReady`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,

    /// The Compose services, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub services: Vec<ServiceStatus>,

    /// The volumes and the disks they are on, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub volumes: Vec<VolumeStatus>,

    /// IngressClass in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub ingress_class_name: Option<String>,

    /// Hosts of the routes, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::string_set::<2112, 253>")]
    pub ingress_hosts: Vec<String>,

    /// Addresses to open in a browser, the most useful one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::string_list::<64, 2048>")]
    pub urls: Vec<String>,

    /// Hash of the Compose input last applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub compose_hash: Option<String>,

    /// For `/scale`: 1 while the app runs, 0 when it hibernates.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub replicas: Option<i32>,

    /// For `/scale`: selector of the app's pods, in text form.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub selector: Option<String>,

    /// The first 20 findings in the Compose file. Never a value of a variable or secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub diagnostics: Vec<DiagnosticStatus>,

    /// Value of the annotation `kompox.dev/reconcile-requested-at` last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub last_handled_reconcile_at: Option<String>,

    /// Members of a newer version, kept as they are. The flattened map is also what makes the derive put
    /// `x-kubernetes-preserve-unknown-fields: true` on `status`.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, serde_json::Value>,
}

/// One Compose service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ServiceStatus {
    /// Name of the service.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// Kind of its workload: `Deployment`, `StatefulSet` or `Job`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub kind: Option<String>,

    /// Pods that are ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub ready: Option<i32>,

    /// Pods wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub desired: Option<i32>,

    /// Image of its main container.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub image: Option<String>,

    /// Why it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
}

/// One volume and the disk it is on.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolumeStatus {
    /// Name of the entry of `spec.volumes`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// Name of the KompoxDisk in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub disk: Option<String>,

    /// Name of the KompoxDisk it came from, while that stays locked by this app.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub previous_disk: Option<String>,

    /// Fencing number under which the disk is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub epoch: Option<i64>,

    /// The switch under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switch: Option<DiskSwitchStatus>,
}

/// A switch from one disk to another.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct DiskSwitchStatus {
    /// `Preparing`, `Draining`, `Switching`, `Releasing` or `Aborting`.
    #[schemars(length(min = 1, max = 32))]
    pub phase: String,

    /// Name of the disk left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub from: Option<String>,

    /// Name of the disk gone to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub to: Option<String>,

    /// When this phase began, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,

    /// CamelCase word why it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub reason: Option<String>,
}

/// A finding in the Compose file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct DiagnosticStatus {
    /// Code of the finding, listed in the reference.
    #[schemars(length(min = 1, max = 32))]
    pub code: String,

    /// `error`, `warning` or `info`.
    #[schemars(length(min = 1, max = 16))]
    pub severity: String,

    /// Where in the document, such as `services.web.healthcheck.test`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub path: Option<String>,

    /// Line in the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub line: Option<i32>,

    /// What is wrong and what to do.
    #[schemars(length(max = 1024))]
    pub message: String,
}
