//! Starts, restarts and stops the processes of the control plane in a private directory.
//! Knows nothing of pods: those are the [`kubelet`](crate::kubelet)'s and the [`node`](crate::node)'s.

mod credentials;
mod flags;

use crate::{
    binary::Binaries,
    node::NodeState,
    part::{self, Check, PartName, Recipe},
    parts::Parts,
    progress::Progress,
};
use credentials::{Credentials, Identity, server};
use kube::Config;
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddrV4, TcpListener},
    path::{Path, PathBuf},
};
use tokio::process::Command;

pub(crate) use credentials::NodeFiles;
pub(crate) use flags::SERVICE_RANGE;

/// How often a part is started on another port because someone took the one that was free before.
const PORT_ATTEMPTS: usize = 5;
/// The administrator's kubeconfig within the directory.
const KUBECONFIG: &str = "kubeconfig";

/// Why the control plane does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A part does not run.
    #[error(transparent)]
    Part(part::Error),
    /// A key, certificate or token cannot be made.
    #[error("failed to make a {what}")]
    Credentials {
        /// Which one.
        what: &'static str,
    },
    /// No port is free.
    #[error("failed to find a free port for {part} on {address}")]
    NoPort {
        /// Which part.
        part: PartName,
        /// Where it would listen.
        address: Ipv4Addr,
    },
}

/// What a control plane is started with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) extra_flags: BTreeMap<PartName, Vec<String>>,
    /// The real node.
    pub(crate) node: Option<NodeIdentity>,
}

impl Settings {
    /// Where the API server listens: loopback, or the host's end of the real node's network.
    fn address(&self) -> Ipv4Addr {
        self.node.as_ref().map_or(Ipv4Addr::LOCALHOST, |node| node.host_address)
    }
}

/// What the control plane has to know about the real node.
#[derive(Clone, Debug)]
pub(crate) struct NodeIdentity {
    name: String,
    address: Ipv4Addr,
    host_address: Ipv4Addr,
}

impl NodeIdentity {
    pub(crate) fn of(node: &NodeState) -> Self {
        Self { name: node.name.clone(), address: node.address, host_address: node.host_address }
    }
}

/// What makes up a control plane beside its processes, which are among the [`Parts`].
#[derive(Debug)]
pub(crate) struct ControlPlane {
    settings: Settings,
    binaries: Binaries,
    credentials: Credentials,
    /// Kept while a part is down: every kubeconfig names the API server's.
    ports: BTreeMap<PartName, u16>,
}

impl ControlPlane {
    /// Starts all parts.
    pub(crate) async fn start(
        settings: Settings,
        binaries: Binaries,
        parts: &mut Parts,
    ) -> Result<Self, Error> {
        let credentials = Credentials::create(parts.directory(), &settings)?;
        let mut this = Self { settings, binaries, credentials, ports: BTreeMap::new() };
        this.start_parts(parts).await?;
        Ok(this)
    }

    /// Kubeconfigs and certificates for the real node; none without one.
    pub(crate) fn node_files(&self) -> Option<NodeFiles> {
        self.credentials.node_files(self.socket(PartName::ApiServer))
    }

    /// A client's configuration with the administrator's rights.
    pub(crate) fn admin_config(&self) -> Result<Config, Error> {
        self.config(&self.credentials.admin, PartName::ApiServer)
    }

    /// A client's configuration for the fake kubelet.
    pub(crate) fn kubelet_config(&self) -> Result<Config, Error> {
        self.config(&self.credentials.kubelet, PartName::ApiServer)
    }

    /// The administrator's kubeconfig.
    pub(crate) fn kubeconfig_text(&self) -> SecretString {
        self.credentials.kubeconfig(&self.credentials.admin, self.socket(PartName::ApiServer))
    }

    /// Starts a part that is down, on the same port and data, until it is ready.
    pub(crate) async fn restart(&self, name: PartName, parts: &mut Parts) -> Result<(), Error> {
        self.launch(name, parts).await?;
        self.wait_ready(name, parts).await
    }

    /// Stops all parts, the store last.
    pub(crate) async fn stop(parts: &mut Parts) {
        let [etcd, clients @ ..] = PartName::CONTROL_PLANE;
        parts.stop(&clients).await;
        parts.stop(&[etcd]).await;
    }

    async fn start_parts(&mut self, parts: &mut Parts) -> Result<(), Error> {
        self.bring_up(PartName::Etcd, parts).await?;
        self.bring_up(PartName::ApiServer, parts).await?;
        self.write_client_files(parts)?;
        // These two start side by side.
        self.launch_on_free_port(PartName::ControllerManager, parts).await?;
        self.launch_on_free_port(PartName::Scheduler, parts).await?;
        self.bring_up(PartName::ControllerManager, parts).await?;
        self.bring_up(PartName::Scheduler, parts).await?;
        let client = self.client(PartName::ApiServer)?;
        if let Err(last) = part::default_account(&client, parts.start_timeout).await {
            return Err(Error::Part(parts.not_ready(PartName::ControllerManager, last)));
        }
        Ok(())
    }

    /// Starts the part unless it has been, waits for it, and tries again if its port was taken.
    async fn bring_up(&mut self, name: PartName, parts: &mut Parts) -> Result<(), Error> {
        for _ in 1..PORT_ATTEMPTS {
            if !parts.is_running(name) {
                self.launch_on_free_port(name, parts).await?;
            }
            match self.wait_ready(name, parts).await {
                Err(Error::Part(part::Error::Exited { tail, .. }))
                    if tail.contains("address already in use") =>
                {
                    parts.reporter.report(Progress::PortTaken { part: name });
                    parts.kill(name).await.map_err(Error::Part)?;
                }
                result => return result,
            }
        }
        Err(Error::NoPort { part: name, address: self.address(name) })
    }

    async fn launch_on_free_port(&mut self, name: PartName, parts: &mut Parts) -> Result<(), Error> {
        if name != PartName::Etcd {
            let address = self.address(name);
            let port = free_port(address).map_err(|_| Error::NoPort { part: name, address })?;
            self.ports.insert(name, port);
        }
        self.launch(name, parts).await
    }

    async fn launch(&self, name: PartName, parts: &mut Parts) -> Result<(), Error> {
        if name == PartName::Etcd {
            // Its appearance is the readiness probe: it must not be a leftover.
            let _ = std::fs::remove_file(parts.directory().join(flags::ETCD_SOCKET));
        }
        let (program, first) = self.binaries.command_line(name);
        let mut command = Command::new(program);
        command
            .args(first)
            .args(flags::of(name, self.socket(name), self.settings.node.is_some()))
            .args(self.settings.extra_flags.get(&name).into_iter().flatten());
        let version = self.binaries.version(name).to_owned();
        let port = self.ports.get(&name).copied();
        let recipe = Recipe { command, wrapped: false, port, version };
        parts.launch(name, recipe).await.map_err(Error::Part)
    }

    async fn wait_ready(&self, name: PartName, parts: &mut Parts) -> Result<(), Error> {
        let check = match name {
            PartName::Etcd => Check::Socket(parts.directory().join(flags::ETCD_SOCKET)),
            PartName::ApiServer => Check::Http(self.client(name)?, "/readyz"),
            _ => Check::Http(self.client(name)?, "/healthz"),
        };
        parts.wait_ready(name, &check).await.map_err(Error::Part)
    }

    /// Kubeconfigs name the API server's port: they can only be written once it has it.
    fn write_client_files(&self, parts: &mut Parts) -> Result<(), Error> {
        let socket = self.socket(PartName::ApiServer);
        let credentials = &self.credentials;
        for (name, identity) in [
            (KUBECONFIG.to_owned(), &credentials.admin),
            (flags::kubeconfig(PartName::ControllerManager), &credentials.controller_manager),
            (flags::kubeconfig(PartName::Scheduler), &credentials.scheduler),
        ] {
            let text = credentials.kubeconfig(identity, socket);
            credentials::write(parts.directory(), &name, text.expose_secret())?;
        }
        credentials::write(parts.directory(), flags::SCHEDULER_CONFIG, &flags::scheduler_config())?;
        parts.state.server = Some(server(socket));
        parts.save().map_err(Error::Part)
    }

    fn client(&self, part: PartName) -> Result<kube::Client, Error> {
        let config = self.config(&self.credentials.admin, part)?;
        kube::Client::try_from(config)
            .map_err(|source| Error::Part(part::Error::Client { part, source: Box::new(source) }))
    }

    fn config(&self, identity: &Identity, part: PartName) -> Result<Config, Error> {
        self.credentials.config(identity, self.socket(part))
    }

    /// Only the API server has anything to say to the node.
    fn address(&self, name: PartName) -> Ipv4Addr {
        if name == PartName::ApiServer { self.settings.address() } else { Ipv4Addr::LOCALHOST }
    }

    /// Where the part listens; the port is zero for parts without one.
    fn socket(&self, name: PartName) -> SocketAddrV4 {
        SocketAddrV4::new(self.address(name), self.ports.get(&name).copied().unwrap_or_default())
    }
}

/// The administrator's kubeconfig of the cluster in `directory`.
pub(crate) fn kubeconfig_path(directory: &Path) -> PathBuf {
    directory.join(KUBECONFIG)
}

/// Free now; whether it still is when the part binds it shows then.
fn free_port(address: Ipv4Addr) -> io::Result<u16> {
    Ok(TcpListener::bind((address, 0))?.local_addr()?.port())
}
