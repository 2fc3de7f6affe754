//! The fake kubelet: simulated Nodes whose pods run no containers, but go through every status that
//! controllers look at. One instance stands for all nodes and works against any API server.
//!
//! What it does not model: images, probes, logs and `exec`, resource use, volumes' contents, events,
//! init containers that fail, ephemeral containers, readiness gates. The attacher's finalizer is set
//! on VolumeAttachments but not on PersistentVolumes.

mod addresses;
mod attacher;
mod node;
mod pods;
mod stage;
mod status;
mod volumes;
mod work;

use k8s_openapi::{
    api::{core::v1::Node, storage::v1::CSINode},
    jiff::Timestamp,
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{Patch, PatchParams},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet};

pub use node::{Attacher, CsiDriverSpec, NodeSpec, SIMULATED};
pub use stage::{EXIT_CODE, NEVER_READY, WAITING_REASON};
pub(crate) use work::takes_pods;

/// Field manager of everything it writes.
const MANAGER: &str = "kompox-dev-kubelet";
/// How long a stop waits for writes in flight.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// How long the things take that take no time here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delays {
    /// Between two renewals of a node's Lease.
    pub heartbeat: Duration,
    /// From `ContainerCreating` (with all volumes attached) to running.
    pub start: Duration,
    /// From running to ready; zero reports both at once.
    pub ready: Duration,
    /// From running to the exit of containers that exit by themselves.
    pub complete: Duration,
    /// Of a `CrashLoopBackOff`; constant, not doubling.
    pub restart: Duration,
    /// From the deletion to terminated containers; the pod's grace period if that is shorter.
    pub terminate: Duration,
    /// From terminated containers to the removal of the object.
    pub delete: Duration,
    /// Of attaching a volume.
    pub attach: Duration,
    /// Of detaching a volume.
    pub detach: Duration,
}

impl Default for Delays {
    /// Fractions of a second, except the heartbeat: 10 s, as the real kubelet.
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(10),
            start: Duration::from_millis(200),
            ready: Duration::from_millis(200),
            complete: Duration::from_millis(500),
            restart: Duration::from_secs(1),
            terminate: Duration::from_millis(200),
            delete: Duration::from_millis(100),
            attach: Duration::from_millis(200),
            detach: Duration::from_millis(200),
        }
    }
}

/// What is simulated.
#[derive(Clone, Debug)]
pub struct KubeletOptions {
    /// The nodes, at most 254, with names that differ.
    pub nodes: Vec<NodeSpec>,
    /// The CSI drivers on every node.
    pub csi_drivers: Vec<CsiDriverSpec>,
    /// How long things take.
    pub delays: Delays,
    /// How long the nodes may take to become Ready.
    pub start_timeout: Duration,
}

impl Default for KubeletOptions {
    /// Three AWS zones with EBS.
    fn default() -> Self {
        Self {
            nodes: NodeSpec::three_aws_zones(),
            csi_drivers: vec![CsiDriverSpec::aws_ebs()],
            delays: Delays::default(),
            start_timeout: Duration::from_secs(60),
        }
    }
}

/// Why the fake kubelet does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More nodes than there are addresses for.
    #[error("failed to simulate {count} nodes: at most {}", addresses::MAX_NODES)]
    TooManyNodes {
        /// How many were asked for.
        count: usize,
    },
    /// Two nodes have one name.
    #[error("failed to simulate two nodes with the name {name}")]
    DuplicateNode {
        /// That name.
        name: String,
    },
    /// There is no such node.
    #[error("failed to find a simulated node with the name {name}")]
    UnknownNode {
        /// The name asked for.
        name: String,
    },
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
    /// The API server does not tell its version.
    #[error("failed to ask the API server for its version")]
    Version(#[source] Box<kube::Error>),
    /// The controller manager does not find the nodes Ready.
    #[error("failed to see the nodes Ready within {} s: {}", waited.as_secs(), nodes.join(", "))]
    NodesNotReady {
        /// How long it was waited.
        waited: Duration,
        /// Those that are not.
        nodes: Vec<String>,
    },
}

/// A running fake kubelet. Dropping it aborts it in mid-write; [`stop`](Self::stop) does not.
pub struct FakeKubelet {
    pods: Arc<pods::Pods>,
    wake_all: work::WakeAll,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl FakeKubelet {
    /// Makes the nodes (or takes them over, if they exist) and drives their pods from then on;
    /// returns when every node can take pods.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn start(client: Client, options: KubeletOptions) -> Result<Self, Error> {
        check(&options)?;
        let version = client.apiserver_version().await.map_err(|e| Error::Version(Box::new(e)))?;
        let writer = Writer { client: client.clone() };
        let simulated = |driver: &&CsiDriverSpec| driver.attacher == Attacher::Simulated;
        for driver in options.csi_drivers.iter().filter(simulated) {
            let object = node::csi_driver(driver);
            writer
                .apply::<k8s_openapi::api::storage::v1::CSIDriver>("CSIDriver", &driver.name, object)
                .await?;
        }
        let mut uids = Vec::with_capacity(options.nodes.len());
        for (index, spec) in options.nodes.iter().enumerate() {
            uids.push(writer.register(spec, index, &version.git_version, &options.csi_drivers).await?);
        }
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let work = work::start(&mut tasks, client, &options, uids, &stopped).await;
        let this = Self { pods: work.pods, wake_all: work.wake_all, stop, tasks };
        this.nodes_ready(&options).await?;
        Ok(this)
    }

    /// Lets a node vanish as if its power had been cut: no heartbeats, no pod changes. The controller
    /// manager finds it NotReady after its grace period (50 s unless set otherwise).
    ///
    /// # Errors
    /// [`Error::UnknownNode`].
    pub fn lose_node(&self, name: &str) -> Result<(), Error> {
        self.set_presence(name, pods::Presence::Lost)
    }

    /// Lets a lost node come back; its pods go on where they were.
    ///
    /// # Errors
    /// [`Error::UnknownNode`].
    pub fn recover_node(&self, name: &str) -> Result<(), Error> {
        self.set_presence(name, pods::Presence::Present)?;
        // All pods: the node's own are found among them without a second index.
        self.wake_all.wake();
        Ok(())
    }

    /// Ends all work; writes in flight are waited for. Nodes and pods stay as they are.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_LIMIT, drained).await.is_err() {
            tracing::debug!("the fake kubelet did not drain in time");
        }
    }

    fn set_presence(&self, name: &str, presence: pods::Presence) -> Result<(), Error> {
        if !self.pods.nodes.contains_key(name) {
            return Err(Error::UnknownNode { name: name.to_owned() });
        }
        self.pods.set_lost(name, presence);
        Ok(())
    }

    /// Every new node is tainted until the controller manager has seen its Ready condition.
    async fn nodes_ready(&self, options: &KubeletOptions) -> Result<(), Error> {
        let deadline = tokio::time::Instant::now() + options.start_timeout;
        loop {
            let nodes = &self.pods.caches.nodes;
            let usable = nodes.state_filter(work::takes_pods);
            let waiting: Vec<_> = options
                .nodes
                .iter()
                .map(|spec| spec.name.clone())
                .filter(|name| !usable.iter().any(|node| node.name_any() == *name))
                .collect();
            if waiting.is_empty() {
                return Ok(());
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(Error::NodesNotReady { waited: options.start_timeout, nodes: waiting });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl std::fmt::Debug for FakeKubelet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeKubelet").field("nodes", &self.pods.nodes).finish_non_exhaustive()
    }
}

fn check(options: &KubeletOptions) -> Result<(), Error> {
    if options.nodes.len() > addresses::MAX_NODES {
        return Err(Error::TooManyNodes { count: options.nodes.len() });
    }
    let mut names = std::collections::BTreeSet::new();
    match options.nodes.iter().find(|node| !names.insert(&node.name)) {
        Some(twice) => Err(Error::DuplicateNode { name: twice.name.clone() }),
        None => Ok(()),
    }
}

/// Server-side apply of the kubelet's own objects: creates or takes over, in one request.
struct Writer {
    client: Client,
}

impl Writer {
    /// Makes one node; returns the Node's uid.
    async fn register(
        &self,
        spec: &NodeSpec,
        index: usize,
        version: &str,
        drivers: &[CsiDriverSpec],
    ) -> Result<String, Error> {
        let name = &spec.name;
        let created = self.apply::<Node>("Node", name, node::node(spec, drivers)).await?;
        let uid = created.uid().unwrap_or_default();
        self.apply::<CSINode>("CSINode", name, node::csi_node(spec, &uid, drivers)).await?;
        let status = node::status(spec, index, version, Timestamp::now());
        let nodes: Api<Node> = Api::all(self.client.clone());
        let params = PatchParams::apply(MANAGER).force();
        nodes.patch_status(name, &params, &Patch::Apply(status)).await.map_err(|source| Error::Write {
            kind: "Node",
            name: name.clone(),
            source: Box::new(source),
        })?;
        Ok(uid)
    }

    async fn apply<K>(&self, kind: &'static str, name: &str, object: serde_json::Value) -> Result<K, Error>
    where
        K: kube::Resource<DynamicType = (), Scope = k8s_openapi::ClusterResourceScope>
            + Clone
            + std::fmt::Debug
            + serde::de::DeserializeOwned,
    {
        let api: Api<K> = Api::all(self.client.clone());
        let params = PatchParams::apply(MANAGER).force();
        api.patch(name, &params, &Patch::Apply(object)).await.map_err(|source| Error::Write {
            kind,
            name: name.to_owned(),
            source: Box::new(source),
        })
    }
}
