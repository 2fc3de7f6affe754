//! Where the parts of the storage run, and where their files are there: on the real node, or on the host.

use super::{DRIVER, Error, Programs};
use crate::{
    files,
    node::{KUBELET_ROOT, NodeState},
    part::PartName,
};
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};
use tokio::process::Command;

/// devcloud's port on a real node, whose ports are its own.
const NODE_PORT: u16 = 7070;
/// Where the node finds its programs; its `/run` is its own.
const NODE_PROGRAMS: &str = "/run/kompox";
const NODE_KUBECONFIG: &str = "/var/lib/kompox/storage.kubeconfig";
const NODE_DIRECTORY: &str = "/var/lib/devcloud";

/// The place, with paths as the parts see them.
#[derive(Debug)]
pub(super) struct Place {
    /// The real node and its zone; none: the host.
    node: Option<(NodeState, String)>,
    /// Holds the programs under their names.
    programs: Vec<(PartName, PathBuf)>,
    /// devcloud's.
    pub(super) directory: PathBuf,
    /// The driver's.
    pub(super) socket: PathBuf,
    pub(super) kubeconfig: PathBuf,
}

impl Place {
    /// Makes what the parts need there.
    pub(super) fn prepare(
        cluster: &Path,
        node: Option<(NodeState, String)>,
        kubeconfig: &SecretString,
        programs: &Programs,
    ) -> Result<Self, Error> {
        let own = |part: &PartName| (*part, programs.path(*part));
        let base = cluster.join("storage");
        let mut this = Self {
            node,
            programs: PartName::STORAGE.iter().map(own).collect(),
            directory: base.join("devcloud"),
            socket: base.join("csi.sock"),
            kubeconfig: base.join("kubeconfig"),
        };
        if this.node.is_some() {
            this.move_to_node()?;
        } else {
            files::private_directory(&base).map_err(|source| Error::File { path: base, source })?;
        }
        let path = this.outside(&this.kubeconfig);
        files::write_private(&path, kubeconfig.expose_secret())
            .map_err(|source| Error::File { path, source })?;
        Ok(this)
    }

    /// The programs may lie where the node does not look; its own folder lies where it does.
    fn move_to_node(&mut self) -> Result<(), Error> {
        self.directory = NODE_DIRECTORY.into();
        self.socket = Path::new(KUBELET_ROOT).join("plugins").join(DRIVER).join("csi.sock");
        self.kubeconfig = NODE_KUBECONFIG.into();
        let mut moved = Vec::new();
        for (part, program) in &self.programs {
            let inside = Path::new(NODE_PROGRAMS).join(part.program());
            let path = self.outside(&inside);
            put(program, &path).map_err(|source| Error::File { path, source })?;
            moved.push((*part, inside));
        }
        self.programs = moved;
        Ok(())
    }

    pub(super) fn node(&self) -> Option<&NodeState> {
        self.node.as_ref().map(|(node, _)| node)
    }

    /// Of the real node.
    pub(super) fn zone(&self) -> &str {
        self.node.as_ref().map_or("", |(_, zone)| zone)
    }

    /// Where devcloud listens first; on the host it takes a free port.
    pub(super) fn listen(&self) -> SocketAddr {
        match self.node() {
            Some(node) => (node.address, NODE_PORT).into(),
            None => (Ipv4Addr::LOCALHOST, 0).into(),
        }
    }

    /// devcloud's file with its URL, outside.
    pub(super) fn endpoint(&self) -> PathBuf {
        self.outside(&self.directory).join("endpoint")
    }

    pub(super) fn token_file(&self) -> PathBuf {
        self.directory.join("token")
    }

    /// Where a path of the parts is for this process.
    pub(super) fn outside(&self, path: &Path) -> PathBuf {
        self.node().and_then(|node| node.host_path(path)).unwrap_or_else(|| path.to_owned())
    }

    /// The part's program, to be ended with this process however that ends: on a node the kernel does it, with the
    /// namespaces; on the host the parent's death is a signal (setpriv(1) of util-linux).
    pub(super) fn command(&self, part: PartName) -> Result<Command, Error> {
        let found = self.programs.iter().find(|(name, _)| *name == part);
        let program = found.map_or_else(|| part.program().into(), |(_, path)| path.clone());
        let Some(node) = self.node() else {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            return Ok(command);
        };
        node.enter(&program.to_string_lossy()).map_err(Error::Node)
    }
}

/// A link costs nothing, but leads no further than its file system.
fn put(program: &Path, place: &Path) -> io::Result<()> {
    match fs::remove_file(place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::hard_link(program, place).or_else(|_| fs::copy(program, place).map(drop))
}
