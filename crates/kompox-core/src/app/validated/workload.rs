//! Workloads: which services run in one pod, as what, and in which order they start.

use super::{PodPlan, ValidatedService};
use std::collections::BTreeSet;

/// Which workload object carries a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkloadKind {
    /// Mounts a disk: one pod, and a successor only after the predecessor's object is gone.
    StatefulSet,
    /// Mounts no disk.
    Deployment,
    /// Mounts no disk and runs once on every node.
    DaemonSet,
    /// Runs to completion.
    Job {
        /// Failed pods before the Job counts as failed.
        backoff_limit: i32,
    },
}

impl WorkloadKind {
    /// The kind in the Kubernetes API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StatefulSet => "StatefulSet",
            Self::Deployment => "Deployment",
            Self::DaemonSet => "DaemonSet",
            Self::Job { .. } => "Job",
        }
    }

    /// Whether it runs to completion.
    #[must_use]
    pub fn is_job(self) -> bool {
        matches!(self, Self::Job { .. })
    }
}

/// Which containers of a pod hold others back until they run or have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Starts when all sidecars have started and all init containers have ended.
    #[default]
    Main,
    /// Runs on, and what comes after it starts when it has: an init container with
    /// `restartPolicy: Always` (<https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/>).
    Sidecar {
        /// What comes after it starts only when it is healthy.
        until_healthy: bool,
    },
    /// Ends, and what comes after it starts when it has ended well: an init container.
    Init,
}

/// A pod of one or more services, and the object that keeps it.
#[derive(Clone)]
pub struct ValidatedWorkload {
    /// Name among the app's workloads, a DNS label: that of the service, of the service whose network the
    /// others share, or [`ValidatedWorkload::SINGLE_POD`].
    pub name: String,
    /// What it becomes.
    pub kind: WorkloadKind,
    /// Pods while the app runs (`deploy.replicas`, `scale`).
    pub replicas: i32,
    /// The headless Service that names the pods of a StatefulSet; absent: none does. Immutable.
    pub governing_service: Option<String>,
    /// What concerns the pod as a whole.
    pub pod: PodPlan,
    /// The services in the order in which they start; never empty.
    pub services: Vec<ValidatedService>,
}

impl ValidatedWorkload {
    /// Name of the workload of an app whose services all share one pod.
    pub const SINGLE_POD: &str = "pod";

    /// The disks its pod mounts, by name.
    pub fn disks(&self) -> BTreeSet<&str> {
        self.services.iter().flat_map(ValidatedService::disks).collect()
    }

    /// Whether a service of this name runs in its pod.
    #[must_use]
    pub fn has(&self, service: &str) -> bool {
        self.services.iter().any(|own| own.name == service)
    }

    /// Whether its pod has containers of several services.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.services.len() > 1
    }
}
