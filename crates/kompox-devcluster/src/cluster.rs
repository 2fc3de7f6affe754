//! A development cluster as one value: the control plane's processes and the fake kubelet.

use crate::{
    binary::{self, Binaries, BinarySource, Source},
    control_plane::{self, ControlPlane, PartName, Settings},
    kubelet::{self, CsiDriverSpec, Delays, FakeKubelet, KubeletOptions, NodeSpec},
    progress::{Progress, Reporter},
    state::PartState,
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
    /// A part does not run.
    #[error("failed to run the control plane")]
    ControlPlane(#[source] control_plane::Error),
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
    /// The simulated nodes.
    pub nodes: Vec<NodeSpec>,
    /// The CSI drivers that are simulated on them.
    pub csi_drivers: Vec<CsiDriverSpec>,
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
            nodes,
            csi_drivers,
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
/// process is killed, those of our own binary end by themselves, and a later start in the same
/// directory ends any others.
pub struct DevCluster {
    source: Source,
    config: Config,
    client: Client,
    directory: PathBuf,
    kubeconfig: SecretString,
    kubelet: FakeKubelet,
    control_plane: Mutex<ControlPlane>,
}

impl DevCluster {
    /// Finds or builds the programs, starts them, makes the nodes, and returns when pods can run.
    ///
    /// # Errors
    /// [`Error`]; what has been started by then is ended.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let Options { directory, binary, nodes, csi_drivers, delays, start_timeout, extra_flags, reporter } =
            options;
        let binaries = Binaries::find(&binary, &reporter).await.map_err(Error::Binary)?;
        let source = binaries.source();
        let directory = std::path::absolute(&directory).unwrap_or(directory);
        let settings = Settings { directory: directory.clone(), start_timeout, extra_flags };
        let mut control_plane =
            ControlPlane::start(settings, binaries, reporter.clone()).await.map_err(Error::ControlPlane)?;
        let config = control_plane.admin_config().map_err(Error::ControlPlane)?;
        let client = client(config.clone())?;
        let kubeconfig = control_plane.kubeconfig_text();

        let kubelet_client = self::client(control_plane.kubelet_config().map_err(Error::ControlPlane)?)?;
        let names = nodes.iter().map(|node| node.name.clone()).collect();
        let kubelet = KubeletOptions { nodes, csi_drivers, delays, start_timeout };
        let kubelet = FakeKubelet::start(kubelet_client, kubelet).await.map_err(Error::Kubelet)?;
        reporter.report(Progress::NodesReady { nodes: names });
        control_plane.set_ready().map_err(Error::ControlPlane)?;
        let control_plane = Mutex::new(control_plane);
        Ok(Self { source, config, client, directory, kubeconfig, kubelet, control_plane })
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
        self.source
    }

    /// The processes as they run now, in the order of their start.
    pub async fn parts(&self) -> Vec<PartState> {
        self.control_plane.lock().await.parts()
    }

    /// The simulated nodes, to lose one and get it back.
    #[must_use]
    pub fn kubelet(&self) -> &FakeKubelet {
        &self.kubelet
    }

    /// Kills one part with SIGKILL and leaves it down. The API server keeps its port, etcd its data.
    ///
    /// # Errors
    /// [`Error::ControlPlane`] if the state file cannot be written.
    pub async fn kill_part(&self, part: PartName) -> Result<(), Error> {
        self.control_plane.lock().await.kill(part).await.map_err(Error::ControlPlane)
    }

    /// Kills one part if it runs, starts it again on the same port and data, and waits until it is ready.
    ///
    /// # Errors
    /// [`Error::ControlPlane`] if it does not come up.
    pub async fn restart_part(&self, part: PartName) -> Result<(), Error> {
        self.control_plane.lock().await.restart(part).await.map_err(Error::ControlPlane)
    }

    /// Resolves when a part has ended that nobody killed on purpose; what a supervisor waits for.
    pub async fn part_ended(&self) -> PartName {
        loop {
            if let Some(name) = self.control_plane.lock().await.ended() {
                return name;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Stops the fake kubelet, then the processes, etcd last; the directory and its data stay.
    ///
    /// # Errors
    /// [`Error::ControlPlane`] if the state file cannot be removed; the processes have ended then too.
    pub async fn stop(self) -> Result<(), Error> {
        self.kubelet.stop().await;
        self.control_plane.into_inner().stop().await.map_err(Error::ControlPlane)
    }
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
