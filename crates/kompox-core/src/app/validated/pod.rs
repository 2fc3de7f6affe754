//! What concerns a pod as a whole and how its workload replaces pods, in Kubernetes' terms.

use k8s_openapi::api::core::v1::{HostAlias, NodeSelectorRequirement, PodDNSConfig};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::collections::BTreeMap;

/// What concerns the pod as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodPlan {
    /// Host name, a DNS label. StatefulSets set their own.
    pub hostname: Option<String>,
    /// Seconds between SIGTERM and SIGKILL; absent: Kubernetes' 30.
    pub termination_grace_period_seconds: Option<i64>,
    /// Whether the runtime's pause process is PID 1 and reaps zombies (`init: true`).
    pub share_process_namespace: bool,
    /// Operating system and architecture of the image, where the file says them.
    pub platform: Platform,
    /// Annotations from Compose `labels` and `annotations`.
    pub annotations: BTreeMap<String, String>,
    /// What it shares with its node.
    pub host: HostNamespaces,
    /// Whether a NetworkPolicy denies all its traffic (`network_mode: none`).
    pub no_network: bool,
    /// Further groups of every process.
    pub supplemental_groups: Vec<i64>,
    /// Kernel parameters beside those that every pod gets.
    pub sysctls: BTreeMap<String, String>,
    /// Further lines of `/etc/hosts`.
    pub host_aliases: Vec<HostAlias>,
    /// Name servers, search domains and options beside the cluster's.
    pub dns: Option<PodDNSConfig>,
    /// RuntimeClass.
    pub runtime_class: Option<String>,
    /// What a node must be, beside the platform.
    pub node_requirements: Vec<NodeSelectorRequirement>,
    /// Node labels over whose values the pods are spread, as far as that goes.
    pub spread_over: Vec<String>,
    /// Whether no two pods of the workload may be on one node.
    pub one_per_node: bool,
    /// Annotations of the workload, from `deploy.labels`.
    pub workload_annotations: BTreeMap<String, String>,
    /// How pods are replaced by newer ones.
    pub rollout: Rollout,
}

/// What a pod shares with its node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostNamespaces {
    /// Addresses and ports.
    pub network: bool,
    /// Processes.
    pub pid: bool,
    /// Shared memory and message queues.
    pub ipc: bool,
}

/// What a node must be to run the image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Platform {
    /// `kubernetes.io/os` of the node.
    pub os: Option<String>,
    /// `kubernetes.io/arch` of the node.
    pub arch: Option<String>,
}

/// How a Deployment or DaemonSet replaces its pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollout {
    /// Pods beyond the number wanted; absent: Kubernetes' default.
    pub max_surge: Option<IntOrString>,
    /// Pods that may be missing meanwhile; absent: Kubernetes' default.
    pub max_unavailable: Option<IntOrString>,
    /// Seconds a pod must be ready to count; absent: none.
    pub min_ready_seconds: Option<i32>,
}
