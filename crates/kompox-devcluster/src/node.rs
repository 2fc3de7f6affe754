//! A real node without Docker: containerd, the kubelet, kube-proxy and CoreDNS as processes of this
//! machine, in namespaces of their own. Linux and root only; [`requirements`] tells what else it takes.
//!
//! The node is a machine within the machine. Its first process holds a network, a mount and a PID
//! namespace, and everything else of the node runs inside. So the kernel itself takes the node down
//! with that process, however the launcher ends: processes, mounts, addresses, routes and packet
//! filter rules go at once. Outside remain one end of a virtual cable, which the kernel removes with
//! the other end, and empty cgroups, which [`NodeState::clean_up`] removes.
//!
//! * Inside, `/var` and `/run` are the node's own: `node/var` and `node/run` in the cluster's directory.
//!   Everything lies at its usual place there: the kubelet's directory is [`KUBELET_ROOT`], CSI drivers
//!   register in [`PLUGINS_REGISTRY`], containerd listens at [`CONTAINERD_SOCKET`].
//!   [`NodeState::host_path`] tells where such a path is outside. Mounts are seen inside only.
//! * The network has the host's end of the cable as its only neighbour and no default route. The API
//!   server listens at the host's end, [`NodeState::host_address`].
//! * [`NodeState::enter`] starts a program inside: a CSI driver's node part, for example, whose mounts
//!   must be seen by the kubelet. Sidecars that only talk to the API server and to a socket run outside
//!   as well, with the cluster's kubeconfig and the socket's host path.
//! * A CSI driver's node id is its own choice; the kubelet learns it when the driver registers, and
//!   writes it to the CSINode object that has the name of the node.

mod addresses;
mod cgroups;
mod config;
mod dns;
mod filesystem;
mod image;
mod machine;
mod network;
mod pull;
mod requirements;
mod state;

use crate::{
    binary::Binaries,
    control_plane::NodeFiles,
    files, go, kubelet,
    part::{self, Check, PartName, Recipe},
    parts::Parts,
    progress::{Progress, Reporter},
};
use addresses::Addresses;
use filesystem::{CONTROL_PLANE, COREDNS};
use k8s_openapi::api::core::v1::Node as NodeObject;
use kube::{Api, Client};
use secrecy::ExposeSecret as _;
use std::{collections::BTreeMap, io, path::PathBuf, time::Duration};
use tokio::process::Command;

pub(crate) use dns::USER as DNS_USER;
pub use image::{ImageFile, docker_archive};
pub use requirements::{Missing, requirements};
pub use state::{CONTAINERD_SOCKET, KUBELET_ROOT, NodeState, PLUGINS_REGISTRY};

/// The kubelet's plain health endpoint, on the node's address.
const KUBELET_HEALTH: u16 = 10248;
/// kube-proxy's.
const PROXY_HEALTH: u16 = 10256;
const POLL: Duration = Duration::from_millis(50);

/// Why the real node does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something that it takes is not there.
    #[error(transparent)]
    Missing(Missing),
    /// A program of ours cannot be built.
    #[error("failed to get the node's programs")]
    Programs(#[source] go::Error),
    /// A file of the node cannot be written.
    #[error("failed to use {}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A command failed.
    #[error("failed to {what}: {output}")]
    Command {
        /// What it was to do.
        what: String,
        /// What it printed, or how it ended.
        output: String,
    },
    /// Every range of addresses is in use.
    #[error("failed to find free addresses: 10.243.N.0/30 and 10.244.N.0/24 are in use for every N")]
    NoAddresses,
    /// The machine has ended.
    #[error("failed to enter the node {name}: it does not run")]
    Gone {
        /// Its name.
        name: String,
    },
    /// A part does not run.
    #[error(transparent)]
    Part(part::Error),
    /// The API server refuses an object.
    #[error("failed to write {kind} {name}")]
    Write {
        /// Kind of the object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What the API server said.
        source: Box<kube::Error>,
    },
    /// The node does not become Ready.
    #[error("failed to see the node {name} Ready within {} s: {last}", waited.as_secs())]
    NotReady {
        /// Its name.
        name: String,
        /// How long it was waited for.
        waited: Duration,
        /// What it said last.
        last: String,
    },
}

/// A real node to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealNode {
    /// Name of the Node, also its hostname label.
    pub name: String,
    /// `topology.kubernetes.io/region`.
    pub region: String,
    /// `topology.kubernetes.io/zone`.
    pub zone: String,
    /// `spec.providerID`; none if empty.
    pub provider_id: String,
    /// Labels beyond the well-known ones. The kubelet may not set those of `kubernetes.io` itself.
    pub labels: BTreeMap<String, String>,
    /// Whether containerd may fetch images through this machine. Containers reach nothing outside
    /// either way.
    pub pull: bool,
}

impl RealNode {
    /// A node without provider that fetches no images.
    pub fn new(name: impl Into<String>, region: impl Into<String>, zone: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            region: region.into(),
            zone: zone.into(),
            provider_id: String::new(),
            labels: BTreeMap::new(),
            pull: false,
        }
    }
}

/// The node's programs that are not the system's.
#[derive(Clone, Debug)]
struct Programs {
    kubernetes: PathBuf,
    kubernetes_version: &'static str,
    coredns: PathBuf,
    pause: PathBuf,
    containerd_version: String,
}

/// What makes up the real node beside its processes, which are among the [`Parts`].
#[derive(Debug)]
pub(crate) struct Node {
    spec: RealNode,
    addresses: Addresses,
    programs: Programs,
    state: NodeState,
    proxy: pull::Proxy,
}

impl Node {
    /// Starts the machine and, in it, the container runtime. The control plane need not run yet.
    pub(crate) async fn boot(spec: RealNode, binaries: &Binaries, parts: &mut Parts) -> Result<Self, Error> {
        requirements().await.map_err(Error::Missing)?;
        let programs = Programs::find(binaries, &parts.reporter).await?;
        let directory = parts.directory().join("node");
        filesystem::prepare(&directory, &programs)?;
        let version = go::PAUSE.version().to_owned();
        let recipe =
            Recipe { command: machine::command(&programs.pause), wrapped: true, port: None, version };
        parts.launch(PartName::Machine, recipe).await.map_err(Error::Part)?;
        let machine =
            parts.process(PartName::Machine).ok_or_else(|| Error::Gone { name: spec.name.clone() })?;
        let addresses = network::connect(&machine, parts.directory()).await?;
        let state = NodeState {
            name: spec.name.clone(),
            machine,
            cable: addresses.cable(),
            host_address: addresses.host(),
            address: addresses.node(),
            pod_range: addresses.pod_range(),
            cgroup: cgroups::name(parts.directory()),
            directory,
        };
        parts.set_node(state.clone()).map_err(Error::Part)?;
        filesystem::mount(&state, &programs).await?;
        network::configure(&state, addresses).await?;
        let proxy = pull::Proxy::start(addresses, spec.pull).await?;
        let this = Self { spec, addresses, programs, state, proxy };
        this.configure_runtime().await?;
        this.launch(PartName::Containerd, parts).await?;
        Ok(this)
    }

    /// Its handle for others.
    pub(crate) fn state(&self) -> &NodeState {
        &self.state
    }

    /// Starts what needs the API server; returns when the node can take pods and answers names.
    pub(crate) async fn join(
        &self,
        files: &NodeFiles,
        client: &Client,
        parts: &mut Parts,
    ) -> Result<(), Error> {
        self.configure_parts(files)?;
        dns::install(client, self.addresses.node(), parts.start_timeout).await?;
        for part in [PartName::KubeProxy, PartName::Dns] {
            self.launch(part, parts).await?;
        }
        self.wait_ready(PartName::Containerd, parts).await?;
        self.import_pause().await?;
        self.launch(PartName::Kubelet, parts).await?;
        for part in [PartName::Kubelet, PartName::KubeProxy, PartName::Dns] {
            self.wait_ready(part, parts).await?;
        }
        self.takes_pods(client, parts.start_timeout).await?;
        parts.reporter.report(Progress::RealNodeReady { node: self.spec.name.clone() });
        Ok(())
    }

    /// Starts one part that is down, until it is ready.
    pub(crate) async fn restart(&self, part: PartName, parts: &mut Parts) -> Result<(), Error> {
        self.launch(part, parts).await?;
        self.wait_ready(part, parts).await
    }

    async fn launch(&self, part: PartName, parts: &mut Parts) -> Result<(), Error> {
        let (command, port, version) = (self.command(part)?, self.port(part), self.version(part));
        let recipe = Recipe { command, wrapped: true, port, version };
        parts.launch(part, recipe).await.map_err(Error::Part)
    }

    fn command(&self, part: PartName) -> Result<Command, Error> {
        let (program, arguments) = match part {
            PartName::Containerd => ("containerd", config::containerd_arguments()),
            PartName::Kubelet => (CONTROL_PLANE, config::kubelet_arguments(&self.spec, self.addresses)),
            PartName::KubeProxy => (CONTROL_PLANE, config::proxy_arguments()),
            PartName::Dns => (COREDNS, dns::arguments()),
            // Nothing of the node outlives its machine; only a new start brings it back.
            _ => return Err(Error::Gone { name: self.spec.name.clone() }),
        };
        let mut command = self.state.enter(program)?;
        command.args(arguments);
        if part == PartName::Containerd {
            command.envs(self.proxy.environment());
        }
        Ok(command)
    }

    fn version(&self, part: PartName) -> String {
        match part {
            PartName::Containerd => self.programs.containerd_version.clone(),
            PartName::Dns => go::DNS.version().to_owned(),
            _ => self.programs.kubernetes_version.to_owned(),
        }
    }

    fn port(&self, part: PartName) -> Option<u16> {
        match part {
            PartName::Kubelet => Some(config::KUBELET_PORT),
            PartName::Dns => Some(53),
            _ => None,
        }
    }

    async fn wait_ready(&self, part: PartName, parts: &mut Parts) -> Result<(), Error> {
        let check = match part {
            PartName::Containerd => Check::Socket(self.state.inside(CONTAINERD_SOCKET)),
            PartName::Kubelet => self.health(part, KUBELET_HEALTH, "/healthz")?,
            PartName::KubeProxy => self.health(part, PROXY_HEALTH, "/healthz")?,
            _ => self.health(part, dns::READY_PORT, "/ready")?,
        };
        parts.wait_ready(part, &check).await.map_err(Error::Part)
    }

    fn health(&self, part: PartName, port: u16, path: &'static str) -> Result<Check, Error> {
        let failed = |source| Error::Part(part::Error::Client { part, source: Box::new(source) });
        let authority = format!("{}:{port}", self.addresses.node());
        let server = http::Uri::builder().scheme("http").authority(authority).path_and_query("/").build();
        let mut config = kube::Config::new(server.map_err(|error| failed(kube::Error::HttpError(error)))?);
        config.proxy_url = None;
        Ok(Check::Http(Client::try_from(config).map_err(failed)?, path))
    }

    async fn configure_runtime(&self) -> Result<(), Error> {
        let snapshotter = filesystem::snapshotter(&self.state).await;
        let plugins = requirements::plugin_directory().unwrap_or_default();
        self.write(config::CONTAINERD_FILE, &config::containerd(snapshotter, plugins))?;
        self.write(config::NETWORK_FILE, &config::pod_network(self.addresses))
    }

    fn configure_parts(&self, files: &NodeFiles) -> Result<(), Error> {
        for (path, content) in [
            (config::CA_FILE, files.ca.as_str()),
            (config::CERTIFICATE_FILE, files.certificate.as_str()),
            (config::KEY_FILE, files.key.expose_secret()),
            (config::KUBELET_KUBECONFIG, files.kubelet.expose_secret()),
            (config::PROXY_KUBECONFIG, files.proxy.expose_secret()),
            (dns::KUBECONFIG, files.dns.expose_secret()),
            (dns::CONFIG_FILE, &dns::config(self.addresses.node())),
            (config::RESOLVER_FILE, &format!("nameserver {}\n", self.addresses.node())),
            (config::KUBELET_FILE, &config::kubelet(&self.spec, self.addresses, &self.state.cgroup)),
            (config::PROXY_FILE, &config::proxy(&self.spec, self.addresses)),
        ] {
            self.write(path, content)?;
        }
        Ok(())
    }

    fn write(&self, inside: &str, content: &str) -> Result<(), Error> {
        let path = self.state.inside(inside);
        files::write_private(&path, content).map_err(|source| Error::File { path, source })
    }

    /// The first process of every pod.
    async fn import_pause(&self) -> Result<(), Error> {
        let failed = |source| Error::File { path: self.programs.pause.clone(), source };
        let content = std::fs::read(&self.programs.pause).map_err(failed)?;
        let file = ImageFile { path: "pause".into(), mode: 0o755, content };
        let archive = docker_archive(config::PAUSE_IMAGE, &[file], &["/pause"]).map_err(failed)?;
        self.state.import(&archive).await.map(drop)
    }

    /// A new node is tainted until the controller manager has seen its Ready condition.
    async fn takes_pods(&self, client: &Client, limit: Duration) -> Result<(), Error> {
        let nodes: Api<NodeObject> = Api::all(client.clone());
        let deadline = tokio::time::Instant::now() + limit;
        loop {
            let node = nodes.get_opt(&self.spec.name).await;
            if matches!(&node, Ok(Some(node)) if kubelet::takes_pods(node)) {
                return Ok(());
            }
            if tokio::time::Instant::now() >= deadline {
                let last = match node {
                    Ok(node) => describe(node.as_ref()),
                    Err(error) => error.to_string(),
                };
                return Err(Error::NotReady { name: self.spec.name.clone(), waited: limit, last });
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// Ends the machine and everything on it, as a power cut would, and removes its traces.
pub(crate) async fn end(parts: &mut Parts) {
    parts.stop(&[PartName::Machine]).await;
    // These have ended with the machine; this waits for their wrappers.
    parts.stop(&PartName::NODE).await;
    if let Some(node) = &parts.state.real_node {
        node.clean_up().await;
    }
}

impl Programs {
    async fn find(binaries: &Binaries, reporter: &Reporter) -> Result<Self, Error> {
        let pause = go::PAUSE.programs(reporter).await.map_err(Error::Programs)?;
        let dns = go::DNS.programs(reporter).await.map_err(Error::Programs)?;
        let (kubernetes, _) = binaries.command_line(PartName::Kubelet);
        let version = machine::run("ask containerd", machine::system("containerd").arg("--version")).await?;
        Ok(Self {
            kubernetes,
            kubernetes_version: binaries.version(PartName::Kubelet),
            coredns: dns.directory.join("coredns"),
            pause: pause.directory.join("pause"),
            // Name, package, version, revision; Debian's adds a tilde and its own.
            containerd_version: version.split_whitespace().nth(2).unwrap_or_default().to_owned(),
        })
    }
}

/// What keeps pods from a node.
fn describe(node: Option<&NodeObject>) -> String {
    let Some(node) = node else { return "it has not registered".into() };
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let ready = conditions.filter(|condition| condition.type_ == "Ready");
    let ready = ready.map(|condition| condition.message.clone().unwrap_or_default());
    let taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    ready.chain(taints.map(|taint| format!("taint {}", taint.key))).collect::<Vec<_>>().join("; ")
}
