//! Where and in what shape a KompoxApp's pods run, and what its children carry.

use super::rules;
use crate::{schema, v1alpha1::rules::at_most_one_of};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where and in what shape the pods run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = at_most_one_of(&["zone", "zones"]), validation = at_most_one_of(&["pool", "pools"]))]
pub struct Deployment {
    /// The zone to run in. Absent: that of the disks, else any. Not together with `zones`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub zone: Option<String>,

    /// The zones to run in. Not together with `zone`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::string_set::<16, 63>")]
    pub zones: Vec<String>,

    /// The node pool to run in (node label `kompox.dev/node-pool`). Not together with `pools`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub pool: Option<String>,

    /// The node pools to run in. Not together with `pool`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::string_set::<16, 63>")]
    pub pools: Vec<String>,

    /// Labels a node must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::strings::<32, 63>")]
    pub node_selector: BTreeMap<String, String>,

    /// Taints of nodes the pods tolerate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub tolerations: Vec<Toleration>,

    /// PriorityClass of the pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_SUBDOMAIN))]
    pub priority_class_name: Option<String>,

    /// `PerService` (the default): one pod for each Compose service. `SinglePod`: all services are
    /// containers of one pod.
    #[serde(default)]
    pub pod_layout: PodLayout,
}

/// How services become pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum PodLayout {
    /// One pod for each service.
    #[default]
    PerService,
    /// One pod for all.
    SinglePod,
}

/// A taint the pods tolerate, as in `Pod.spec.tolerations`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Toleration {
    /// Key of the taint. Absent: every key, with operator `Exists`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 316))]
    pub key: Option<String>,

    /// `Equal` or `Exists`. Absent: `Equal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<TolerationOperator>,

    /// Value of the taint, with operator `Equal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub value: Option<String>,

    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`. Absent: every effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<TolerationEffect>,

    /// Seconds a `NoExecute` taint is tolerated. Absent: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub toleration_seconds: Option<i64>,
}

/// How a toleration's value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum TolerationOperator {
    /// The values are equal.
    Equal,
    /// Any value.
    Exists,
}

/// Effect of a taint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum TolerationEffect {
    /// New pods stay away.
    NoSchedule,
    /// New pods stay away where possible.
    PreferNoSchedule,
    /// Running pods are evicted too.
    NoExecute,
}

/// Labels and annotations of the generated objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[x_kube(validation = rules::keys_are_not_ours("labels"), validation = rules::keys_are_not_ours("annotations"))]
pub struct InheritedMetadata {
    /// Labels; keys of `kompox.dev` are the operator's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::strings::<32, 63>")]
    pub labels: BTreeMap<String, String>,

    /// Annotations; keys of `kompox.dev` are the operator's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::strings::<32, 4096>")]
    pub annotations: BTreeMap<String, String>,
}

impl InheritedMetadata {
    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.annotations.is_empty()
    }
}
