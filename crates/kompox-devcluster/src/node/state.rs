//! A running real node as others see it, also other processes: it is part of the state file.

use super::{
    Error, cgroups,
    machine::{self, run_with},
    network,
};
use crate::process::ProcessId;
use serde::{Deserialize, Serialize};
use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
};
use tokio::process::Command;

/// The kubelet's directory, inside the node: its usual place.
pub const KUBELET_ROOT: &str = "/var/lib/kubelet";
/// Where a CSI driver makes its registration socket, inside the node.
pub const PLUGINS_REGISTRY: &str = "/var/lib/kubelet/plugins_registry";
/// Where containerd listens, inside the node: its usual place.
pub const CONTAINERD_SOCKET: &str = "/run/containerd/containerd.sock";
/// The namespace of containerd in which the kubelet's images are.
const IMAGE_NAMESPACE: &str = "k8s.io";

/// The real node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeState {
    /// Name of the Node.
    pub name: String,
    /// The first process of its namespaces.
    pub machine: ProcessId,
    /// The host's end of its virtual cable: a network interface.
    pub cable: String,
    /// The host's address on the cable. The API server listens here.
    pub host_address: Ipv4Addr,
    /// The node's address.
    pub address: Ipv4Addr,
    /// The pods' addresses, such as `10.244.7.0/24`; the host reaches them.
    pub pod_range: String,
    /// The parent of its containers' cgroups, in each hierarchy.
    pub cgroup: String,
    /// Where its `/var` and `/run` are, outside.
    pub directory: PathBuf,
}

impl NodeState {
    /// A command that runs `program` inside: in the node's network, mounts and processes.
    ///
    /// # Errors
    /// [`Error::Gone`] if the machine has ended.
    pub fn enter(&self, program: &str) -> Result<Command, Error> {
        // Its number may belong to another process by now.
        if !self.machine.alive() {
            return Err(Error::Gone { name: self.name.clone() });
        }
        Ok(machine::enter(self.machine.pid, program))
    }

    /// Where a path inside is outside; none if it is not below `/var` or `/run`, which are the node's
    /// own: all else is the same on both sides. What is mounted there inside is not seen outside.
    #[must_use]
    pub fn host_path(&self, inside: &Path) -> Option<PathBuf> {
        let own = inside.starts_with("/var") || inside.starts_with("/run");
        inside.strip_prefix("/").ok().filter(|_| own).map(|path| self.directory.join(path))
    }

    /// Loads the images of an archive (docker-archive or oci-archive) from a file of the host; returns
    /// what containerd says.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be read, [`Error::Command`] if it is no archive of images.
    pub async fn import_file(&self, archive: &Path) -> Result<String, Error> {
        let failed = |source| Error::File { path: archive.to_owned(), source };
        let file = std::fs::File::open(archive).map_err(failed)?;
        // The file is handed over open: inside, its path may lead elsewhere.
        let mut command = self.import_command()?;
        machine::run_from(&format!("import {}", archive.display()), &mut command, file).await
    }

    /// As [`import_file`](Self::import_file), with the archive in memory.
    ///
    /// # Errors
    /// As there.
    pub async fn import(&self, archive: &[u8]) -> Result<String, Error> {
        run_with("import an image", &mut self.import_command()?, archive).await
    }

    /// Removes what outlives the node: the cable, which the kernel removes a moment later anyway, and
    /// its empty cgroups. The machine must have ended.
    pub(crate) async fn clean_up(&self) {
        network::delete(&self.cable).await;
        cgroups::remove(&self.cgroup).await;
    }

    /// Where a path of the node's own is outside.
    pub(super) fn inside(&self, path: &str) -> PathBuf {
        self.directory.join(path.trim_start_matches('/'))
    }

    fn import_command(&self) -> Result<Command, Error> {
        let mut command = self.enter("ctr")?;
        command.args([
            "--address",
            CONTAINERD_SOCKET,
            "--namespace",
            IMAGE_NAMESPACE,
            "images",
            "import",
            "-",
        ]);
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::NodeState;
    use crate::process::ProcessId;
    use std::{net::Ipv4Addr, path::Path};

    fn gone() -> NodeState {
        let machine = ProcessId { start_ticks: 1, ..ProcessId::current().unwrap() };
        NodeState {
            name: "real-1".into(),
            machine,
            cable: "kompox0".into(),
            host_address: Ipv4Addr::LOCALHOST,
            address: Ipv4Addr::LOCALHOST,
            pod_range: "10.244.0.0/24".into(),
            cgroup: "/kompox-dev-0".into(),
            directory: "/c/node".into(),
        }
    }

    #[test]
    fn only_var_and_run_are_the_nodes_own() {
        let node = gone();
        for (inside, outside) in [
            ("/var/lib/kubelet/plugins", Some("/c/node/var/lib/kubelet/plugins")),
            ("/run/x.sock", Some("/c/node/run/x.sock")),
            ("/etc/hosts", None),
            ("/variable", None),
            ("var/lib", None),
        ] {
            assert_eq!(node.host_path(Path::new(inside)).as_deref(), outside.map(Path::new), "{inside}");
        }
    }

    #[test]
    fn another_process_with_the_machines_number_is_not_entered() {
        let error = gone().enter("true").unwrap_err();
        assert!(error.to_string().contains("real-1"), "{error}");
    }
}
