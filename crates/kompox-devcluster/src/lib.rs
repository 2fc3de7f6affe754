//! A development cluster: real etcd, kube-apiserver, kube-controller-manager and kube-scheduler; a
//! [real node](node) that runs containers, if it is asked for; and [simulated nodes](kubelet) whose pods
//! run no containers.
//!
//! It serves `kompoxops dev` and the tests. Everything lives in one private directory; processes are
//! ended by identity, never by name. Linux only (process identity comes from /proc).
//!
//! ```no_run
//! # async fn run() -> Result<(), kompox_devcluster::Error> {
//! use kompox_devcluster::{DevCluster, Options};
//!
//! let cluster = DevCluster::start(Options::new("/tmp/kompox-dev")).await?;
//! println!("{}: {}", kompox_devcluster::BANNER, cluster.kubeconfig_path().display());
//! cluster.stop().await
//! # }
//! ```

pub mod binary;
mod cluster;
pub mod control_plane;
mod files;
pub mod go;
pub mod ingress;
pub mod kubelet;
pub mod node;
pub mod part;
mod parts;
pub mod process;
pub mod progress;
mod restarts;
pub mod state;
pub mod storage;

pub use cluster::{DevCluster, Error, Options};
pub use ingress::{DevIngress, INGRESS_BANNER, IngressOptions};
pub use node::{NodeState, RealNode};
pub use part::PartName;
pub use progress::{Progress, Reporter};
pub use state::{PartState, State, stop_by_state};
pub use storage::{Storage, StorageState};

/// Of a cluster without a real node, to be shown wherever it is shown: nothing there proves that a
/// container would start. [`State::banner`] knows which kind a cluster is.
pub const BANNER: &str = "simulated pods: no containers run";
