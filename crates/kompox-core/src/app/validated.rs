//! What an app comes to once everything about it has been checked: plain values in Kubernetes' terms.
//!
//! A value of these types is convertible: `build` has no error. Nothing here reads a Compose file or a
//! spec (`validate` does) and nothing here is an object (`build` makes those).

use crate::app::secret_text::SecretText;
use k8s_openapi::api::core::v1::{LocalObjectReference, SecurityContext, Toleration};
use k8s_openapi::api::networking::v1::NetworkPolicyIngressRule;
use kompox_crds::KompoxApp;
use std::collections::{BTreeMap, BTreeSet};

/// Who the objects belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppIdentity {
    /// Namespace of the KompoxApp and of everything made for it.
    pub namespace: String,
    /// Name of the KompoxApp.
    pub name: String,
    /// UID of the KompoxApp: owner of the objects, holder of the locks.
    pub uid: String,
}

impl AppIdentity {
    /// The identity of an app object as it was read.
    #[must_use]
    pub fn of(app: &KompoxApp) -> Self {
        let metadata = &app.metadata;
        Self {
            namespace: metadata.namespace.clone().unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
            uid: metadata.uid.clone().unwrap_or_default(),
        }
    }
}

/// Whether the app runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// `spec.replicas: 1`.
    Running,
    /// `spec.replicas: 0`: objects stay, pods go.
    Hibernated,
}

/// An app that can be built.
#[derive(Clone)]
pub struct ValidatedApp {
    /// Who it is.
    pub identity: AppIdentity,
    /// Whether it runs.
    pub activity: Activity,
    /// Labels and annotations that every object made gets (`spec.inheritedMetadata`).
    pub inherited: Inherited,
    /// What every pod gets.
    pub scheduling: Scheduling,
    /// The services, sorted by name.
    pub services: Vec<ValidatedService>,
    /// The disks that services mount, by the name of the KompoxDisk.
    pub disks: BTreeMap<String, DiskUse>,
    /// Routes; empty: none.
    pub ingress: Option<ValidatedIngress>,
    /// Who may reach the pods; `None`: everybody.
    pub network_policy: Option<ValidatedNetworkPolicy>,
    /// SHA-256 of the text of the Compose files, 64 hexadecimal digits.
    pub compose_hash: String,
    /// Value of the annotation with which users ask for a restart.
    pub restarted_at: Option<String>,
}

/// Labels and annotations that children get, as the spec lists them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inherited {
    /// Labels. The operator's own win.
    pub labels: BTreeMap<String, String>,
    /// Annotations. The operator's own win.
    pub annotations: BTreeMap<String, String>,
}

/// Where pods may run and as whom.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scheduling {
    /// Allowed values of the label `topology.kubernetes.io/zone`; empty: any.
    pub zones: Vec<String>,
    /// Allowed values of the label `kompox.dev/node-pool`; empty: any.
    pub pools: Vec<String>,
    /// Labels a node must have.
    pub node_selector: BTreeMap<String, String>,
    /// Taints the pods tolerate.
    pub tolerations: Vec<Toleration>,
    /// PriorityClass of the pods.
    pub priority_class_name: Option<String>,
    /// Secrets for pulling images.
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// ServiceAccount of the pods; its token is not mounted.
    pub service_account_name: Option<String>,
}

/// How one disk is used by the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskUse {
    /// Name of the KompoxDisk.
    pub disk: String,
    /// Name of the claim.
    pub claim: String,
    /// The services whose pods mount it.
    pub services: BTreeSet<String>,
}

/// How many pods a claim admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessMode {
    /// One pod in the whole cluster.
    ReadWriteOncePod,
    /// Pods of one node.
    ReadWriteOnce,
}

impl AccessMode {
    /// The word of the Kubernetes API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadWriteOncePod => "ReadWriteOncePod",
            Self::ReadWriteOnce => "ReadWriteOnce",
        }
    }
}

impl DiskUse {
    /// The strictest mode that admits every pod that mounts the disk.
    #[must_use]
    pub fn access_mode(&self) -> AccessMode {
        if self.services.len() > 1 { AccessMode::ReadWriteOnce } else { AccessMode::ReadWriteOncePod }
    }
}

/// Which workload a service becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkloadKind {
    /// Mounts a disk: one pod, and a successor only after the predecessor's object is gone.
    StatefulSet,
    /// Mounts no disk.
    Deployment,
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
            Self::Job { .. } => "Job",
        }
    }

    /// Whether it runs to completion.
    #[must_use]
    pub fn is_job(self) -> bool {
        matches!(self, Self::Job { .. })
    }
}

/// One Compose service that can be built.
#[derive(Clone)]
pub struct ValidatedService {
    /// Name in the Compose file, a DNS label.
    pub name: String,
    /// What it becomes.
    pub workload: WorkloadKind,
    /// Pods while the app runs (`deploy.replicas`, `scale`).
    pub replicas: i32,
    /// Further names under which other services reach it: `container_name`, aliases, links.
    pub aliases: BTreeSet<String>,
    /// Ports offered under their published number.
    pub published: Vec<PublishedPort>,
    /// What must hold before its workload is made.
    pub depends_on: Vec<Dependency>,
    /// The container.
    pub container: ContainerPlan,
    /// What concerns the pod as a whole.
    pub pod: PodPlan,
    /// The environment: variable to value, merged from `env_file` and `environment`.
    pub environment: BTreeMap<String, SecretText>,
    /// Mounts, sorted by target.
    pub mounts: Vec<Mount>,
    /// SHA-256 over the environment; a change of it replaces the pod.
    pub environment_hash: String,
}

impl ValidatedService {
    /// The disks it mounts, by name.
    pub fn disks(&self) -> BTreeSet<&str> {
        self.mounts
            .iter()
            .filter_map(|mount| match &mount.source {
                MountSource::Disk { disk, .. } => Some(disk.as_str()),
                _ => None,
            })
            .collect()
    }
}

/// What concerns the container alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerPlan {
    /// Image reference, verbatim.
    pub image: String,
    /// `Always`, `IfNotPresent` or `Never`. Always set: Kubernetes' default differs for `latest`.
    pub image_pull_policy: String,
    /// Compose `entrypoint`, `$` not yet doubled; empty: the image's.
    pub entrypoint: Vec<String>,
    /// Compose `command`, `$` not yet doubled; empty: the image's.
    pub command: Vec<String>,
    /// Working directory; absent: the image's.
    pub working_dir: Option<String>,
    /// Ports the container listens on, for people and the publish Service: (number, protocol).
    pub ports: BTreeSet<(u16, Protocol)>,
    /// Readiness; absent: ready when started.
    pub healthcheck: Option<Healthcheck>,
    /// User, capabilities and the like.
    pub security: SecurityContext,
}

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
    /// Annotations from Compose `labels`.
    pub annotations: BTreeMap<String, String>,
}

/// What a node must be to run the image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Platform {
    /// `kubernetes.io/os` of the node.
    pub os: Option<String>,
    /// `kubernetes.io/arch` of the node.
    pub arch: Option<String>,
}

/// Transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// The word of the Kubernetes API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        }
    }

    /// A port's name: unique per number and protocol, at most 15 characters.
    #[must_use]
    pub fn port_name(self, port: u16) -> String {
        format!("{}-{port}", self.as_str().to_ascii_lowercase())
    }
}

/// A published port of a service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublishedPort {
    /// The published number: the Service's port.
    pub published: u16,
    /// The container's number.
    pub target: u16,
    /// Transport protocol.
    pub protocol: Protocol,
    /// `app_protocol` of the long form.
    pub app_protocol: Option<String>,
}

/// What a dependent waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Its containers run.
    Started,
    /// Its pod is Ready.
    Healthy,
    /// It ended with exit code 0.
    CompletedSuccessfully,
}

/// One `depends_on` entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Name of the other service.
    pub service: String,
    /// What is waited for.
    pub condition: Condition,
}

/// A health check, in whole seconds as Kubernetes counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healthcheck {
    /// The command, `$` not yet doubled.
    pub command: Vec<String>,
    /// Between two checks.
    pub interval_seconds: i32,
    /// For one check.
    pub timeout_seconds: i32,
    /// Failures in a row before the container counts as unready.
    pub retries: i32,
    /// Between two checks until the first success.
    pub start_interval_seconds: i32,
}

/// A file system at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Absolute path in the container.
    pub target: String,
    /// Whether it is read-only.
    pub read_only: bool,
    /// What is mounted.
    pub source: MountSource,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MountSource {
    /// A directory of a disk.
    Disk {
        /// Name of the KompoxDisk.
        disk: String,
        /// Directory; never the disk's root, where `lost+found` lies.
        sub_path: String,
    },
    /// A directory of an existing claim that the app does not own.
    Claim {
        /// Name of the claim.
        claim: String,
        /// Directory; absent: the root.
        sub_path: Option<String>,
    },
    /// Memory.
    Tmpfs {
        /// Bytes; absent: the node's or the container's limit.
        size: Option<u64>,
    },
}

/// Routes that can be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatedIngress {
    /// IngressClass; absent: the cluster's default.
    pub class_name: Option<String>,
    /// Annotations, those of the TLS mode included.
    pub annotations: BTreeMap<String, String>,
    /// Rules in the order of the spec.
    pub routes: Vec<Route>,
    /// Certificates.
    pub tls: Vec<TlsEntry>,
}

/// One host and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Host name, `*.` allowed in front.
    pub host: String,
    /// Path prefix.
    pub path: String,
    /// Name of the Service.
    pub service: String,
    /// Published port.
    pub port: u16,
}

/// Hosts and the Secret with their certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsEntry {
    /// The hosts.
    pub hosts: Vec<String>,
    /// The Secret.
    pub secret_name: String,
}

/// Who may reach the pods besides the app itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidatedNetworkPolicy {
    /// Namespaces with ingress controllers, which reach the routed ports.
    pub ingress_namespaces: Vec<String>,
    /// Rules of the spec.
    pub rules: Vec<NetworkPolicyIngressRule>,
}
