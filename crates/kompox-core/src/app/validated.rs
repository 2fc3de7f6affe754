//! What an app comes to once everything about it has been checked: plain values in Kubernetes' terms.
//!
//! A value of these types is convertible: `build` has no error. Nothing here reads a Compose file or a
//! spec (`validate` does) and nothing here is an object (`build` makes those).

mod container;
mod mount;
mod pod;
mod workload;

pub use container::{ContainerPlan, ContainerPort, Healthcheck, HostPort, InitContainer, NamedVariable};
pub use mount::{FileSource, GeneratedFile, Mount, MountSource};
pub use pod::{HostNamespaces, Platform, PodPlan, Rollout};
pub use workload::{Role, ValidatedWorkload, WorkloadKind};

use crate::app::secret_text::SecretText;
use k8s_openapi::api::core::v1::{LocalObjectReference, Toleration};
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
    /// The pods and their services, sorted by name.
    pub workloads: Vec<ValidatedWorkload>,
    /// The disks that services mount, by the name of the KompoxDisk.
    pub disks: BTreeMap<String, DiskUse>,
    /// Content of configs and secrets that the Compose file gives, by name.
    pub files: Vec<GeneratedFile>,
    /// Routes; empty: none.
    pub ingress: Option<ValidatedIngress>,
    /// Who may reach the pods; `None`: everybody.
    pub network_policy: Option<ValidatedNetworkPolicy>,
    /// SHA-256 of the text of the Compose files, 64 hexadecimal digits.
    pub compose_hash: String,
    /// Value of the annotation with which users ask for a restart.
    pub restarted_at: Option<String>,
}

impl ValidatedApp {
    /// Every service, with the workload in whose pod it runs.
    pub fn services(&self) -> impl Iterator<Item = (&ValidatedWorkload, &ValidatedService)> {
        self.workloads.iter().flat_map(|workload| workload.services.iter().map(move |own| (workload, own)))
    }
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
    /// The workloads whose pods mount it.
    pub workloads: BTreeSet<String>,
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
        if self.workloads.len() > 1 { AccessMode::ReadWriteOnce } else { AccessMode::ReadWriteOncePod }
    }
}

/// One Compose service that can be built.
#[derive(Clone)]
pub struct ValidatedService {
    /// Name in the Compose file, a DNS label.
    pub name: String,
    /// What its container is to the others of its pod.
    pub role: Role,
    /// Further names under which other services reach it: `container_name`, aliases, links.
    pub aliases: BTreeSet<String>,
    /// Ports offered under their published number.
    pub published: Vec<PublishedPort>,
    /// What must hold before its workload is made.
    pub depends_on: Vec<Dependency>,
    /// The container.
    pub container: ContainerPlan,
    /// The environment: variable to value, merged from `env_file` and `environment`.
    pub environment: BTreeMap<String, SecretText>,
    /// Variables whose names no key of a Secret can have, by name.
    pub named_environment: BTreeMap<String, NamedVariable>,
    /// Mounts, sorted by target.
    pub mounts: Vec<Mount>,
    /// SHA-256 over the environment; a change of it replaces the pod.
    pub environment_hash: String,
    /// SHA-256 over the mounted files that may change under their name; absent: there are none.
    pub files_hash: Option<String>,
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
    /// Name, unique in the Service.
    pub name: String,
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
    /// The networks that separate the services; absent: all services reach each other.
    pub networks: Option<Vec<ValidatedNetwork>>,
}

/// A network of the Compose file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatedNetwork {
    /// Its key in the file.
    pub name: String,
    /// Whether it has no way out.
    pub internal: bool,
    /// The services that join it.
    pub services: BTreeSet<String>,
}

impl ValidatedNetworkPolicy {
    /// The networks that a workload's pod is on. Services that share a pod are on those of all of them.
    pub fn networks_of<'a>(
        &'a self,
        workload: &'a ValidatedWorkload,
    ) -> impl Iterator<Item = &'a ValidatedNetwork> {
        let joined =
            |network: &&ValidatedNetwork| network.services.iter().any(|service| workload.has(service));
        self.networks.iter().flatten().filter(joined)
    }
}
