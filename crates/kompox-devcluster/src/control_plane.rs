//! Starts, watches, restarts and stops the processes of the control plane in a private directory.
//! Knows nothing of nodes and pods: those are the [`kubelet`](crate::kubelet)'s.

mod credentials;
mod flags;
mod part;
mod probe;

use crate::{
    binary::Binaries,
    files,
    process::ProcessId,
    progress::{Progress, Reporter},
    state::{self, DirectoryLock, PartState, State},
};
use credentials::{Credentials, server};
use kube::Config;
use part::Part;
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

pub use part::PartName;

/// How often a part is started on another port because someone took the one that was free before.
const PORT_ATTEMPTS: usize = 5;
/// The administrator's kubeconfig within the directory.
const KUBECONFIG: &str = "kubeconfig";

/// Why the control plane does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of the cluster's directory cannot be written.
    #[error("failed to write {}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The directory is in use, or what a killed launcher left there does not go away.
    #[error("failed to take over the directory")]
    State(#[source] state::Error),
    /// A key, certificate or token cannot be made.
    #[error("failed to make a {what}")]
    Credentials {
        /// Which one.
        what: &'static str,
    },
    /// The process cannot be started.
    #[error("failed to start {part}")]
    Spawn {
        /// Which part.
        part: PartName,
        /// What the system said.
        source: io::Error,
    },
    /// No port is free.
    #[error("failed to find a free port for {part} on 127.0.0.1")]
    NoPort {
        /// Which part.
        part: PartName,
    },
    /// A part ended while it was waited for.
    #[error("failed to bring up {part}: it ended with {status}; the end of its log {}:\n{tail}", log.display())]
    Exited {
        /// Which part.
        part: PartName,
        /// How it ended.
        status: ExitStatus,
        /// The whole log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// A part is not ready in time.
    #[error(
        "failed to bring up {part} within {} s ({last}); the end of its log {}:\n{tail}",
        waited.as_secs(), log.display()
    )]
    NotReady {
        /// Which part.
        part: PartName,
        /// How long it was waited for.
        waited: Duration,
        /// What the last probe said.
        last: String,
        /// The whole log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// The client for a probe cannot be built.
    #[error("failed to build a client for {part}")]
    Client {
        /// Which part would have been asked.
        part: PartName,
        /// What the client said.
        source: Box<kube::Error>,
    },
}

/// What a control plane is started with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) directory: PathBuf,
    pub(crate) start_timeout: Duration,
    pub(crate) extra_flags: BTreeMap<PartName, Vec<String>>,
}

/// A running control plane. Dropping it kills its processes; [`stop`](Self::stop) is kinder.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    settings: Settings,
    binaries: Binaries,
    reporter: Reporter,
    credentials: Credentials,
    parts: BTreeMap<PartName, Part>,
    /// Kept while a part is down: every kubeconfig names the API server's.
    ports: BTreeMap<PartName, u16>,
    state: State,
    lock: DirectoryLock,
}

impl ControlPlane {
    /// Takes the directory, ends what an earlier launcher left there, and starts all parts.
    pub(crate) async fn start(
        settings: Settings,
        binaries: Binaries,
        reporter: Reporter,
    ) -> Result<Self, Error> {
        let directory = &settings.directory;
        for path in [directory.clone(), directory.join("logs")] {
            files::private_directory(&path).map_err(|source| Error::File { path, source })?;
        }
        let lock = DirectoryLock::acquire(directory).map_err(Error::State)?;
        let count = lock.clear().await.map_err(Error::State)?;
        if count > 0 {
            reporter.report(Progress::SurvivorsEnded { count });
        }
        let credentials = Credentials::create(directory)?;
        let launcher =
            ProcessId::current().map_err(|source| Error::File { path: "/proc/self".into(), source })?;
        let kubeconfig = kubeconfig_path(directory);
        let state = State {
            launcher,
            ready: false,
            server: None,
            kubeconfig,
            simulated_pods: true,
            parts: Vec::new(),
        };
        let (parts, ports) = (BTreeMap::new(), BTreeMap::new());
        let mut this = Self { settings, binaries, reporter, credentials, parts, ports, state, lock };
        this.start_parts().await?;
        Ok(this)
    }

    /// Where it lives.
    pub(crate) fn directory(&self) -> &Path {
        &self.settings.directory
    }

    /// The parts as they run now, in the order of their start.
    pub(crate) fn parts(&self) -> Vec<PartState> {
        self.state.parts.clone()
    }

    /// A client's configuration with the administrator's rights.
    pub(crate) fn admin_config(&self) -> Result<Config, Error> {
        self.credentials.config(&self.credentials.admin, self.port(PartName::ApiServer))
    }

    /// A client's configuration for the fake kubelet.
    pub(crate) fn kubelet_config(&self) -> Result<Config, Error> {
        self.credentials.config(&self.credentials.kubelet, self.port(PartName::ApiServer))
    }

    /// The administrator's kubeconfig.
    pub(crate) fn kubeconfig_text(&self) -> SecretString {
        self.credentials.kubeconfig(&self.credentials.admin, self.port(PartName::ApiServer))
    }

    /// Kills one part with SIGKILL and leaves it down; no effect if it is down.
    pub(crate) async fn kill(&mut self, name: PartName) -> Result<(), Error> {
        if let Some(mut part) = self.parts.remove(&name) {
            part.kill().await;
            self.state.parts.retain(|part| part.name != name);
            self.save()?;
        }
        Ok(())
    }

    /// Starts a part that is down (or kills it first), on the same port and data, until it is ready.
    pub(crate) async fn restart(&mut self, name: PartName) -> Result<(), Error> {
        self.kill(name).await?;
        self.launch(name)?;
        self.wait_ready(name).await
    }

    /// Marks the whole cluster as up in the state file.
    pub(crate) fn set_ready(&mut self) -> Result<(), Error> {
        self.state.ready = true;
        self.save()
    }

    /// A part that has ended by itself.
    pub(crate) fn ended(&mut self) -> Option<PartName> {
        self.parts.iter_mut().find_map(|(name, part)| part.exited().map(|_| *name))
    }

    /// Stops all parts, the store last, and removes the state file; the data stays.
    pub(crate) async fn stop(mut self) -> Result<(), Error> {
        let etcd = self.parts.remove(&PartName::Etcd);
        futures::future::join_all(std::mem::take(&mut self.parts).into_values().map(Part::stop)).await;
        if let Some(etcd) = etcd {
            etcd.stop().await;
        }
        self.lock.forget().map_err(Error::State)
    }

    async fn start_parts(&mut self) -> Result<(), Error> {
        self.bring_up(PartName::Etcd).await?;
        self.bring_up(PartName::ApiServer).await?;
        self.write_client_files()?;
        // These two start side by side.
        self.launch_on_free_port(PartName::ControllerManager)?;
        self.launch_on_free_port(PartName::Scheduler)?;
        self.bring_up(PartName::ControllerManager).await?;
        self.bring_up(PartName::Scheduler).await?;
        let (waited, log) = (self.settings.start_timeout, PartName::ControllerManager);
        let client = self.client(PartName::ApiServer)?;
        if let Err(last) = probe::default_account(&client, waited).await {
            return Err(self.not_ready(log, last));
        }
        Ok(())
    }

    /// Starts the part unless it has been, waits for it, and tries again if its port was taken.
    async fn bring_up(&mut self, name: PartName) -> Result<(), Error> {
        for _ in 1..PORT_ATTEMPTS {
            if !self.parts.contains_key(&name) {
                self.launch_on_free_port(name)?;
            }
            match self.wait_ready(name).await {
                Err(Error::Exited { tail, .. }) if tail.contains("address already in use") => {
                    self.reporter.report(Progress::PortTaken { part: name });
                    self.kill(name).await?;
                }
                result => return result,
            }
        }
        Err(Error::NoPort { part: name })
    }

    fn launch_on_free_port(&mut self, name: PartName) -> Result<(), Error> {
        if name != PartName::Etcd {
            self.ports.insert(name, free_port().map_err(|_| Error::NoPort { part: name })?);
        }
        self.launch(name)
    }

    fn launch(&mut self, name: PartName) -> Result<(), Error> {
        self.reporter.report(Progress::Starting { part: name });
        if name == PartName::Etcd {
            // Its appearance is the readiness probe: it must not be a leftover.
            let _ = std::fs::remove_file(self.directory().join(flags::ETCD_SOCKET));
        }
        let mut all = flags::of(name, self.port(name));
        all.extend(self.settings.extra_flags.get(&name).into_iter().flatten().cloned());
        let part = Part::spawn(
            name,
            &self.binaries,
            &self.settings.directory,
            &all,
            self.ports.get(&name).copied(),
        )?;
        self.state.parts.push(part.state.clone());
        self.parts.insert(name, part);
        self.save()
    }

    async fn wait_ready(&mut self, name: PartName) -> Result<(), Error> {
        let limit = self.settings.start_timeout;
        let check = match name {
            PartName::Etcd => probe::Check::Socket(self.directory().join(flags::ETCD_SOCKET)),
            PartName::ApiServer => probe::Check::Http(self.client(name)?, "/readyz"),
            _ => probe::Check::Http(self.client(name)?, "/healthz"),
        };
        let Some(part) = self.parts.get_mut(&name) else { return Ok(()) };
        match probe::until_ready(&check, part, limit).await {
            probe::Outcome::Ready => {
                let took = part.started.elapsed();
                self.reporter.report(Progress::Ready { part: name, took });
                Ok(())
            }
            probe::Outcome::Exited(status) => {
                Err(Error::Exited { part: name, status, log: part.state.log.clone(), tail: part.tail() })
            }
            probe::Outcome::NotReady(last) => Err(self.not_ready(name, last)),
        }
    }

    fn not_ready(&self, part: PartName, last: String) -> Error {
        let log = part::log_path(self.directory(), part);
        let tail = self.parts.get(&part).map(Part::tail).unwrap_or_default();
        Error::NotReady { part, waited: self.settings.start_timeout, last, log, tail }
    }

    /// Kubeconfigs name the API server's port: they can only be written once it has it.
    fn write_client_files(&mut self) -> Result<(), Error> {
        let port = self.port(PartName::ApiServer);
        let credentials = &self.credentials;
        for (name, identity) in [
            (KUBECONFIG.to_owned(), &credentials.admin),
            (flags::kubeconfig(PartName::ControllerManager), &credentials.controller_manager),
            (flags::kubeconfig(PartName::Scheduler), &credentials.scheduler),
        ] {
            let text = credentials.kubeconfig(identity, port);
            credentials::write(self.directory(), &name, text.expose_secret())?;
        }
        credentials::write(self.directory(), flags::SCHEDULER_CONFIG, &flags::scheduler_config())?;
        self.state.server = Some(server(port));
        self.save()
    }

    fn client(&self, part: PartName) -> Result<kube::Client, Error> {
        let config = self.credentials.config(&self.credentials.admin, self.port(part))?;
        kube::Client::try_from(config).map_err(|source| Error::Client { part, source: Box::new(source) })
    }

    /// Zero for parts without one.
    fn port(&self, name: PartName) -> u16 {
        self.ports.get(&name).copied().unwrap_or_default()
    }

    fn save(&self) -> Result<(), Error> {
        self.state.write(self.directory()).map_err(Error::State)
    }
}

/// The administrator's kubeconfig of the cluster in `directory`.
pub(crate) fn kubeconfig_path(directory: &Path) -> PathBuf {
    directory.join(KUBECONFIG)
}

/// Free now; whether it still is when the part binds it shows then.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
