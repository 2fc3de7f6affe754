//! A development cluster as one value: the control plane's processes and the fake kubelet.

mod upkeep;

use crate::{
    binary::{self, Binaries, BinarySource, Source},
    control_plane::{self, ControlPlane, NodeIdentity, Settings},
    kubelet::{self, CsiDriverSpec, Delays, FakeKubelet, KubeletOptions, NodeSpec},
    node::{self, Node, NodeState, RealNode},
    part::{self, PartName},
    parts::Parts,
    progress::{Progress, Reporter},
    state::PartState,
    storage::{self, Storage, StorageState},
};
use kube::{Client, Config};
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::sync::Mutex;

/// Why a development cluster does not start, answer or stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There are no programs to run.
    #[error("failed to get the control plane's programs")]
    Binary(#[source] binary::Error),
    /// The directory cannot be used, or a process cannot be watched.
    #[error("failed to run the cluster's parts")]
    Parts(#[source] part::Error),
    /// A part of the control plane does not run.
    #[error("failed to run the control plane")]
    ControlPlane(#[source] control_plane::Error),
    /// The real node does not come up.
    #[error("failed to run the real node")]
    Node(#[source] node::Error),
    /// The storage does not come up.
    #[error("failed to run the storage for development")]
    Storage(#[source] storage::Error),
    /// There is no such part in this cluster.
    #[error("failed to start {part}: this cluster has no such part")]
    NoSuchPart {
        /// Which part.
        part: PartName,
    },
    /// The nodes do not come up.
    #[error("failed to simulate the nodes")]
    Kubelet(#[source] kubelet::Error),
    /// The client cannot be built.
    #[error("failed to build a client")]
    Client(#[source] Box<kube::Error>),
}

/// What a cluster is started with. `Options::new(directory)` is enough for most.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where everything of the cluster lives: made if missing, closed to other users. A second start
    /// in the same directory goes on with the data of the first.
    pub directory: PathBuf,
    /// Where the programs come from.
    pub binary: BinarySource,
    /// The node that runs containers; none by default. What it takes: [`node::requirements`].
    pub real_node: Option<RealNode>,
    /// The simulated nodes. Beside a real node they are tainted: only pods that tolerate
    /// [`kubelet::SIMULATED`] come to them.
    pub nodes: Vec<NodeSpec>,
    /// The CSI drivers that are simulated on them.
    pub csi_drivers: Vec<CsiDriverSpec>,
    /// devcloud with its CSI driver, of which all nodes have a part then; none by default.
    pub storage: Option<Storage>,
    /// How long simulated things take.
    pub delays: Delays,
    /// How long each part, and the nodes, may take to become ready. A build does not count.
    pub start_timeout: Duration,
    /// Flags added after ours, by part; the last of two equal flags counts.
    pub extra_flags: BTreeMap<PartName, Vec<String>>,
    /// Receives each step.
    pub reporter: Reporter,
}

impl Options {
    /// Three AWS zones with EBS in `directory`, programs from wherever they are, two minutes a part.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let KubeletOptions { nodes, csi_drivers, delays, .. } = KubeletOptions::default();
        Self {
            directory: directory.into(),
            binary: BinarySource::default(),
            real_node: None,
            nodes,
            csi_drivers,
            storage: None,
            delays,
            // Generous: a loaded machine that builds something else needs 30 s.
            start_timeout: Duration::from_secs(120),
            extra_flags: BTreeMap::new(),
            reporter: Reporter::default(),
        }
    }
}

/// A running development cluster.
///
/// [`stop`](Self::stop) ends it in order. If it is only dropped, its processes are killed; if this
/// process is killed, those of our own binaries end by themselves, and with them a whole real node; a
/// later start in the same directory ends any others.
pub struct DevCluster {
    binaries: Binaries,
    config: Config,
    client: Client,
    kubeconfig: SecretString,
    kubelet: FakeKubelet,
    control_plane: ControlPlane,
    node: Option<Node>,
    storage: Option<storage::Running>,
    directory: PathBuf,
    parts: Mutex<Parts>,
}

impl DevCluster {
    /// Finds or builds the programs, starts them, makes the nodes, and returns when pods can run.
    ///
    /// # Errors
    /// [`Error`]; what has been started by then is ended.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let binaries = Binaries::find(&options.binary, &options.reporter).await.map_err(Error::Binary)?;
        let directory = std::path::absolute(&options.directory).unwrap_or(options.directory.clone());
        let mut parts = Parts::take(directory.clone(), options.start_timeout, options.reporter.clone())
            .await
            .map_err(Error::Parts)?;
        let started = match start(options, binaries.clone(), &mut parts).await {
            Ok(started) => started,
            Err(error) => {
                end(&mut parts).await;
                return Err(error);
            }
        };
        let Started { config, client, kubelet, control_plane, node, storage } = started;
        let kubeconfig = control_plane.kubeconfig_text();
        let parts = Mutex::new(parts);
        Ok(Self {
            binaries,
            config,
            client,
            kubeconfig,
            kubelet,
            control_plane,
            node,
            storage,
            directory,
            parts,
        })
    }

    /// A client with every right.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// What [`client`](Self::client) is built from, for clients with other headers or identities.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The cluster's directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The administrator's kubeconfig (mode 0600), its context is `kompox-dev`.
    #[must_use]
    pub fn kubeconfig_path(&self) -> PathBuf {
        control_plane::kubeconfig_path(&self.directory)
    }

    /// What is in that file. It holds a token, hence the type.
    #[must_use]
    pub fn kubeconfig_text(&self) -> &SecretString {
        &self.kubeconfig
    }

    /// Where the programs came from.
    #[must_use]
    pub fn source(&self) -> Source {
        self.binaries.source()
    }

    /// `kubectl`, built from the same source, with the administrator's rights in this cluster.
    #[must_use]
    pub fn kubectl(&self) -> tokio::process::Command {
        self.binaries.kubectl(&self.kubeconfig_path())
    }

    /// The real node, if there is one: its addresses, its directory, and the way into it.
    #[must_use]
    pub fn real_node(&self) -> Option<&NodeState> {
        self.node.as_ref().map(Node::state)
    }

    /// Where devcloud is, if it runs.
    pub async fn storage(&self) -> Option<StorageState> {
        self.parts.lock().await.state.storage.clone()
    }

    /// The processes as they run now, in the order of their start.
    pub async fn parts(&self) -> Vec<PartState> {
        self.parts.lock().await.states()
    }

    /// What is real and what is simulated, in one line.
    pub async fn banner(&self) -> String {
        self.parts.lock().await.state.banner()
    }

    /// The simulated nodes, to lose one and get it back.
    #[must_use]
    pub fn kubelet(&self) -> &FakeKubelet {
        &self.kubelet
    }

    /// Kills one part with SIGKILL and leaves it down. The API server keeps its port, etcd its data; the
    /// machine takes the whole real node with it.
    ///
    /// # Errors
    /// [`Error::Parts`] if the state file cannot be written.
    pub async fn kill_part(&self, part: PartName) -> Result<(), Error> {
        self.parts.lock().await.kill(part).await.map_err(Error::Parts)
    }

    /// Kills one part if it runs, starts it again on the same port and data, and waits until it is ready.
    ///
    /// # Errors
    /// If it does not come up, or this cluster has no such part.
    pub async fn restart_part(&self, part: PartName) -> Result<(), Error> {
        let mut parts = self.parts.lock().await;
        parts.kill(part).await.map_err(Error::Parts)?;
        if PartName::CONTROL_PLANE.contains(&part) {
            return self.control_plane.restart(part, &mut parts).await.map_err(Error::ControlPlane);
        }
        if PartName::STORAGE.contains(&part) {
            let storage = self.storage.as_ref().ok_or(Error::NoSuchPart { part })?;
            return storage.restart(part, &mut parts).await.map_err(Error::Storage);
        }
        let node = self.node.as_ref().ok_or(Error::NoSuchPart { part })?;
        node.restart(part, &mut parts).await.map_err(Error::Node)
    }

    /// Stops the fake kubelet, then the processes, etcd last; the directory and its data stay. For the
    /// containers on a real node it is a power cut.
    ///
    /// # Errors
    /// [`Error::Parts`] if the state file cannot be removed; the processes have ended then too.
    pub async fn stop(self) -> Result<(), Error> {
        self.kubelet.stop().await;
        let mut parts = self.parts.into_inner();
        end(&mut parts).await;
        parts.forget().map_err(Error::Parts)
    }
}

/// What a start leads to.
struct Started {
    config: Config,
    client: Client,
    kubelet: FakeKubelet,
    control_plane: ControlPlane,
    node: Option<Node>,
    storage: Option<storage::Running>,
}

async fn start(options: Options, binaries: Binaries, parts: &mut Parts) -> Result<Started, Error> {
    let Options { real_node, mut nodes, mut csi_drivers, delays, start_timeout, reporter, .. } = options;
    let (storage, extra_flags) = (options.storage, options.extra_flags);
    let names: Vec<_> = nodes.iter().map(|node| node.name.clone()).collect();
    parts.state.simulated_nodes = names.clone();
    let real_zone = real_node.as_ref().map(|node| node.zone.clone());
    let zones =
        storage::zones(real_zone.iter().chain(nodes.iter().map(|node| &node.zone)).map(String::as_str));
    csi_drivers.extend(storage.as_ref().map(|_| CsiDriverSpec::devcloud()));
    // The API server listens on the node's network, so that has to be there first.
    let node = match real_node {
        Some(spec) => Some(Node::boot(spec, &binaries, parts).await.map_err(Error::Node)?),
        None => None,
    };
    let identity = node.as_ref().map(|node| NodeIdentity::of(node.state()));
    let settings = Settings { extra_flags, node: identity };
    let control_plane = ControlPlane::start(settings, binaries, parts).await.map_err(Error::ControlPlane)?;
    let config = control_plane.admin_config().map_err(Error::ControlPlane)?;
    let client = client(config.clone())?;

    for spec in &mut nodes {
        spec.tainted |= node.is_some();
    }
    let kubelet_client = self::client(control_plane.kubelet_config().map_err(Error::ControlPlane)?)?;
    let options = KubeletOptions { nodes, csi_drivers, delays, start_timeout };
    let simulated = async { FakeKubelet::start(kubelet_client, options).await.map_err(Error::Kubelet) };
    let real = async {
        match (&node, control_plane.node_files()) {
            (Some(node), Some(files)) => node.join(&files, &client, parts).await.map_err(Error::Node),
            _ => Ok(()),
        }
    };
    let (kubelet, ()) = tokio::try_join!(simulated, real)?;
    if !names.is_empty() {
        reporter.report(Progress::NodesReady { nodes: names });
    }
    let storage = match &storage {
        Some(spec) => {
            let place = node.as_ref().map(Node::state).cloned().zip(real_zone);
            let kubeconfig = control_plane.kubeconfig_text();
            let started = storage::Running::start(spec, zones, place, &client, &kubeconfig, parts).await;
            Some(started.map_err(Error::Storage)?)
        }
        None => None,
    };
    parts.set_ready().map_err(Error::Parts)?;
    Ok(Started { config, client, kubelet, control_plane, node, storage })
}

/// Ends all processes. The node goes first: it is a client of the control plane.
async fn end(parts: &mut Parts) {
    parts.stop(&PartName::STORAGE).await;
    node::end(parts).await;
    ControlPlane::stop(parts).await;
}

impl fmt::Debug for DevCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevCluster")
            .field("directory", &self.directory)
            .field("server", &self.config.cluster_url)
            .finish_non_exhaustive()
    }
}

fn client(config: Config) -> Result<Client, Error> {
    Client::try_from(config).map_err(|error| Error::Client(Box::new(error)))
}
