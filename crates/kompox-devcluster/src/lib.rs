//! The development control plane: real etcd, kube-apiserver, kube-controller-manager and
//! kube-scheduler on loopback, and simulated nodes whose pods run no containers.
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
pub mod process;
pub mod progress;
pub mod state;

pub use cluster::{DevCluster, Error, Options};
pub use control_plane::PartName;
pub use ingress::{DevIngress, INGRESS_BANNER, IngressOptions};
pub use progress::{Progress, Reporter};
pub use state::{PartState, State, stop_by_state};

/// To be shown wherever the cluster is shown: nothing here proves that a container would start.
pub const BANNER: &str = "simulated pods: no containers run";
