//! Who may reach a KompoxApp's pods.

use super::{ingress::Protocol, rules};
use crate::schema;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who may reach the app's pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::no_network_rules_without_policy())]
pub struct NetworkPolicy {
    /// `Isolated` (the default): from inside the app, from the ingress controller, and what
    /// `ingressRules` add. `FromCompose`: as the networks of the Compose file separate the services.
    /// `None`: no NetworkPolicy.
    #[serde(default)]
    pub mode: NetworkPolicyMode,

    /// Traffic to allow beside that; not with mode `None`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub ingress_rules: Vec<NetworkRule>,
}

/// Which NetworkPolicy is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum NetworkPolicyMode {
    /// Closed to other apps.
    #[default]
    Isolated,
    /// As the Compose networks say.
    FromCompose,
    /// None at all.
    None,
}

/// Traffic to allow: from any of `from` to any of `ports`. An empty rule would allow everything and is
/// refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[x_kube(validation = rules::network_rule_not_empty())]
pub struct NetworkRule {
    /// Who may come. Absent: everybody, to the `ports`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub from: Vec<NetworkPeer>,

    /// Ports of the containers. Absent: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub ports: Vec<NetworkPort>,
}

/// Pods or addresses: `ipBlock`, or one or both of the selectors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::peer_is_selectors_or_block())]
pub struct NetworkPeer {
    /// Namespaces. `{}`: all. Absent: that of the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,

    /// Pods in those namespaces. Absent or `{}`: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_selector: Option<LabelSelector>,

    /// Addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_block: Option<IpBlock>,
}

/// Addresses in CIDR form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[x_kube(validation = rules::is_cidr("cidr"), validation = rules::are_cidrs("except"))]
pub struct IpBlock {
    /// Block such as `10.0.0.0/8` or `2001:db8::/32`.
    #[schemars(length(min = 1, max = 64))]
    pub cidr: String,

    /// Blocks inside it that are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::string_set::<16, 64>")]
    pub except: Vec<String>,
}

/// A port of the containers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct NetworkPort {
    /// Number of the port.
    #[schemars(range(min = 1, max = 65_535))]
    pub port: i32,

    /// `TCP` or `UDP`. Absent: `TCP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
}

/// A selector by labels; all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct LabelSelector {
    /// Labels with these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::strings::<16, 63>")]
    pub match_labels: BTreeMap<String, String>,

    /// Requirements on labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub match_expressions: Vec<LabelRequirement>,
}

/// A requirement on one label.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[x_kube(validation = rules::values_fit_operator())]
pub struct LabelRequirement {
    /// Key of the label.
    #[schemars(length(min = 1, max = 316))]
    pub key: String,

    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: LabelOperator,

    /// Values, with `In` and `NotIn` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::label_values::<16>")]
    pub values: Vec<String>,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum LabelOperator {
    /// Its value is one of `values`.
    In,
    /// Its value is none of `values`, or it is absent.
    NotIn,
    /// It is there.
    Exists,
    /// It is absent.
    DoesNotExist,
}
