//! devcloud in the development cluster: the block-storage service, its CSI driver, and beside it the genuine
//! csi-attacher, csi-provisioner, csi-resizer, csi-snapshotter and snapshot-controller. **For development**: see devcloud.
//!
//! With a real node all of them run on it: what the driver mounts is seen by the kubelet, what the service
//! freezes for a snapshot is seen by the service, and the kernel ends them with the node. Without one they run on
//! the host; volumes are then made, attached and snapshotted for real, but nothing mounts them.
//!
//! The sidecars have the administrator's rights. There is no csi-resizer: a class that lets claims grow would
//! promise what nobody does.

mod objects;
mod place;
mod programs;

use crate::{
    go,
    node::{self, NodeState},
    part::{self, Check, PartName, Recipe},
    parts::Parts,
    progress::Progress,
};
use kube::Client;
use place::Place;
use programs::Programs;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, io, net::SocketAddr, path::PathBuf};
use tokio::process::Command;

/// The name of the driver in `CSIDriver`, `StorageClass` and `PersistentVolume` objects.
pub const DRIVER: &str = "devcloud.csi.kompox.dev";
/// Name of the StorageClass and of the VolumeSnapshotClass.
pub const CLASS: &str = "devcloud";
/// What tells the driver what to do.
const SIDECARS: [PartName; 4] =
    [PartName::CsiAttacher, PartName::CsiProvisioner, PartName::CsiResizer, PartName::CsiSnapshotter];
/// As patient as the service's copies of large volumes.
const CALL_TIMEOUT: &str = "--timeout=60s";
/// A developer who has mended something does not wait five minutes for the next try.
const RETRY: &str = "--retry-interval-max=10s";
/// There are no definitions of group snapshots.
const NO_GROUPS: &str = "--feature-gates=CSIVolumeGroupSnapshot=false";

/// Why there is no storage.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program of this project is not there.
    #[error("failed to find {}: build it with `cargo build -p {package}`", path.display())]
    NoProgram {
        /// Where it was looked for.
        path: PathBuf,
        /// The package that makes it.
        package: &'static str,
    },
    /// The sidecars cannot be built.
    #[error("failed to get the sidecars of the CSI driver")]
    Programs(#[source] go::Error),
    /// The real node cannot be entered.
    #[error(transparent)]
    Node(node::Error),
    /// A file cannot be used.
    #[error("failed to use {}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What devcloud wrote is no address.
    #[error("failed to read the address of devcloud from {}: it says {text:?}", path.display())]
    Endpoint {
        /// The file.
        path: PathBuf,
        /// Its content.
        text: String,
    },
    /// A part does not run.
    #[error(transparent)]
    Part(part::Error),
    /// A definition of others cannot be read.
    #[error("failed to read the definition {name}: {reason}")]
    Definition {
        /// Its file.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
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
    /// Something does not come about in time.
    #[error("failed to see {what} within {seconds} s")]
    NotInTime {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
    },
}

/// What to start. The zones are those of the cluster's nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// The folder of the programs `devcloud` and `devcloud-csi`; none: that of the current program.
    pub programs: Option<PathBuf>,
}

/// The storage of a running cluster as others see it, also other processes: it is part of the state file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageState {
    /// URL of devcloud; the host reaches it. It stays the same while the cluster runs.
    pub url: String,
    /// Its token file with one line `ACCOUNT TOKEN`, mode 0600.
    pub token_file: PathBuf,
    /// Zones in which volumes can be made, the default one first.
    pub zones: Vec<String>,
}

/// What makes up the storage beside its processes, which are among the [`Parts`].
#[derive(Debug)]
pub(crate) struct Running {
    place: Place,
    programs: Programs,
    zones: Vec<String>,
    /// Once devcloud has one.
    address: Option<SocketAddr>,
}

impl Running {
    /// Starts everything; returns when volumes can be made, and mounted on a real node.
    pub(crate) async fn start(
        spec: &Storage,
        zones: Vec<String>,
        node: Option<(NodeState, String)>,
        client: &Client,
        kubeconfig: &SecretString,
        parts: &mut Parts,
    ) -> Result<Self, Error> {
        let programs = Programs::find(spec, &parts.reporter).await?;
        objects::install(client, parts.start_timeout).await?;
        let place = Place::prepare(parts.directory(), node, kubeconfig, &programs)?;
        let mut this = Self { place, programs, zones, address: None };
        this.bring_up_service(parts).await?;
        this.restart(PartName::DevcloudCsi, parts).await?;
        this.launch(PartName::SnapshotController, parts).await?;
        if let Some(node) = this.place.node() {
            objects::registered(client, &node.name, parts.start_timeout).await?;
        }
        Ok(this)
    }

    /// Starts a part that is down, until it is ready. With the driver come its sidecars: they end when they lose it.
    pub(crate) async fn restart(&self, part: PartName, parts: &mut Parts) -> Result<(), Error> {
        self.launch(part, parts).await?;
        if part == PartName::DevcloudCsi {
            for sidecar in SIDECARS {
                parts.kill(sidecar).await.map_err(Error::Part)?;
                self.launch(sidecar, parts).await?;
            }
        }
        Ok(())
    }

    async fn launch(&self, part: PartName, parts: &mut Parts) -> Result<(), Error> {
        let ready = match part {
            PartName::Devcloud => Some(self.place.endpoint()),
            PartName::DevcloudCsi => Some(self.place.outside(&self.place.socket)),
            _ => None,
        };
        // Their appearance is the readiness probe: they must not be leftovers.
        if let Some(path) = &ready {
            match std::fs::remove_file(path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::File { path: path.clone(), source });
                }
                _ => {}
            }
        }
        let (command, port, version) = (self.command(part)?, self.port(part), self.programs.version(part));
        let recipe = Recipe { command, wrapped: self.place.node().is_some(), port, version };
        parts.launch(part, recipe).await.map_err(Error::Part)?;
        match ready {
            Some(path) => parts.wait_ready(part, &Check::Socket(path)).await.map_err(Error::Part),
            None => Ok(()),
        }
    }

    /// Its address is known only now; it keeps it over restarts.
    async fn bring_up_service(&mut self, parts: &mut Parts) -> Result<(), Error> {
        self.launch(PartName::Devcloud, parts).await?;
        let path = self.place.endpoint();
        let text =
            std::fs::read_to_string(&path).map_err(|source| Error::File { path: path.clone(), source })?;
        let address = text.trim().strip_prefix("http://").and_then(|address| address.parse().ok());
        self.address = Some(address.ok_or(Error::Endpoint { path, text })?);
        let token_file = self.place.outside(&self.place.token_file());
        let state = StorageState { url: self.url(), token_file, zones: self.zones.clone() };
        parts.set_storage(state).map_err(Error::Part)?;
        parts.reporter.report(Progress::StorageReady { url: self.url() });
        Ok(())
    }

    fn url(&self) -> String {
        self.address.map_or_else(String::new, |address| format!("http://{address}"))
    }

    fn port(&self, part: PartName) -> Option<u16> {
        self.address.filter(|_| part == PartName::Devcloud).map(|address| address.port())
    }

    fn command(&self, part: PartName) -> Result<Command, Error> {
        let mut command = self.place.command(part)?;
        match part {
            PartName::Devcloud => self.service(&mut command),
            PartName::DevcloudCsi => self.driver(&mut command),
            _ => self.sidecar(part, &mut command),
        }
        Ok(command)
    }

    fn service(&self, command: &mut Command) {
        let listen = self.address.unwrap_or_else(|| self.place.listen());
        command.arg("--directory").arg(&self.place.directory).args([
            "--listen",
            &listen.to_string(),
            "--zones",
            &self.zones.join(","),
        ]);
        if !listen.ip().is_loopback() {
            command.arg("--allow-private");
        }
    }

    fn driver(&self, command: &mut Command) {
        command
            .args(["--service", &self.url()])
            .arg("--token-file")
            .arg(self.place.token_file())
            .arg("--socket")
            .arg(&self.place.socket);
        if let Some(node) = self.place.node() {
            let zone = self.place.zone();
            command.args(["--node", &node.name, "--zone", zone, "--kubelet-root", node::KUBELET_ROOT]);
        }
    }

    fn sidecar(&self, part: PartName, command: &mut Command) {
        command.arg("--kubeconfig").arg(&self.place.kubeconfig);
        if part == PartName::SnapshotController {
            command.arg(NO_GROUPS);
            return;
        }
        command.arg("--csi-address").arg(&self.place.socket).args([CALL_TIMEOUT, RETRY]);
        match part {
            PartName::CsiProvisioner => command.arg("--extra-create-metadata"),
            PartName::CsiSnapshotter => command.args([NO_GROUPS, "--extra-create-metadata"]),
            _ => command,
        };
    }
}

/// Each zone once, in the order of the nodes.
pub(crate) fn zones<'a>(of_nodes: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    of_nodes.into_iter().filter(|zone| seen.insert(*zone)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::zones;

    #[test]
    fn the_first_nodes_zone_is_the_default() {
        assert_eq!(zones(["b", "a", "b", "c", "a"]), ["b", "a", "c"]);
    }
}
