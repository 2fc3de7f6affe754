//! The state file of a directory: which processes run there, so that another process (or a later
//! one, after the launcher was killed) can look at them and end them. Starts nothing.

use crate::{
    control_plane, files, node::NodeState, part::PartName, process::ProcessId, storage::StorageState,
};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long a launcher may take to stop its parts before it is killed.
const LAUNCHER_GRACE: Duration = Duration::from_secs(30);
/// How long a part without its launcher may take after SIGTERM.
const PART_GRACE: Duration = Duration::from_secs(3);
const STATE_FILE: &str = "state.json";
const LOCK_FILE: &str = "lock";
/// A state file is about 2 KiB; more is not ours.
const MAX_STATE_BYTES: u64 = 1 << 20;

/// Why the state of a directory cannot be read or cleared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read or written.
    #[error("failed to use {}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The state file is not one of this crate's.
    #[error("failed to read the state {}: remove the directory to start anew", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A live process uses the directory.
    #[error("failed to lock {}: a development cluster runs there ({holder})", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
        /// Its launcher, as far as known.
        holder: String,
    },
    /// A process does not end.
    #[error("failed to end process {pid}")]
    Process {
        /// Its number.
        pid: u32,
        /// What the system said.
        source: io::Error,
    },
    /// The caller asked to stop the cluster of its own process.
    #[error("failed to stop by state: the cluster belongs to this very process, call DevCluster::stop")]
    OwnProcess,
}

/// What runs in a directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The process that started the parts and runs the fake kubelet.
    pub launcher: ProcessId,
    /// Whether the start has finished: before that parts come one by one.
    pub ready: bool,
    /// `https://ADDRESS:PORT` once the API server is up.
    pub server: Option<String>,
    /// The administrator's kubeconfig; written when the API server is up.
    pub kubeconfig: PathBuf,
    /// The node whose containers run, if there is one.
    pub real_node: Option<NodeState>,
    /// Where devcloud is, if it runs.
    pub storage: Option<StorageState>,
    /// Names of the nodes on which no containers run, sorted.
    pub simulated_nodes: Vec<String>,
    /// The parts that have been started, in the order of their start.
    pub parts: Vec<PartState>,
}

/// One process of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartState {
    /// Which part.
    pub name: PartName,
    /// The version of its program, as far as known.
    pub version: String,
    /// Its process.
    pub process: ProcessId,
    /// Where its output goes.
    pub log: PathBuf,
    /// Its port, on 127.0.0.1 or the real node's cable; none for those that listen on a socket.
    pub port: Option<u16>,
    /// How often it was started again because it had ended by itself.
    #[serde(default)]
    pub restarts: u32,
}

impl State {
    /// The state of a cluster that begins to start in `directory`.
    pub(crate) fn starting(launcher: ProcessId, directory: &Path) -> Self {
        Self {
            launcher,
            ready: false,
            server: None,
            kubeconfig: control_plane::kubeconfig_path(directory),
            real_node: None,
            storage: None,
            simulated_nodes: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// What is real and what is simulated, in one line: to be shown wherever the cluster is shown.
    #[must_use]
    pub fn banner(&self) -> String {
        match (&self.real_node, &*self.simulated_nodes) {
            (None, _) => crate::BANNER.to_owned(),
            (Some(node), []) => format!("real containers on {}; nothing is simulated", node.name),
            (Some(node), simulated) => format!(
                "real containers on {}; simulated, no containers run: {}",
                node.name,
                simulated.join(", ")
            ),
        }
    }

    /// The state of `directory`; `None` if no cluster was started there, or it was stopped.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Malformed`].
    pub fn read(directory: &Path) -> Result<Option<Self>, Error> {
        let path = directory.join(STATE_FILE);
        let text = match files::read_bounded(&path, MAX_STATE_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::File { path, source }),
        };
        serde_json::from_str(&text).map(Some).map_err(|source| Error::Malformed { path, source })
    }

    /// Whether the launcher and all parts run.
    #[must_use]
    pub fn alive(&self) -> bool {
        self.launcher.alive() && self.parts.iter().all(|part| part.process.alive())
    }

    pub(crate) fn write(&self, directory: &Path) -> Result<(), Error> {
        let path = directory.join(STATE_FILE);
        let text = serde_json::to_string_pretty(self)
            .map_err(|source| Error::Malformed { path: path.clone(), source })?;
        files::write_private(&path, &text).map_err(|source| Error::File { path, source })
    }
}

/// Stops whatever runs in `directory`, from any process; returns whether anything did.
///
/// The launcher is asked first (SIGTERM) so that it stops its parts in order; after half a minute it
/// is killed. What remains then is ended one by one. The data stays.
///
/// # Errors
/// [`Error`].
pub async fn stop_by_state(directory: &Path) -> Result<bool, Error> {
    let Some(state) = State::read(directory)? else { return Ok(false) };
    if state.launcher.pid == std::process::id() && state.launcher.alive() {
        return Err(Error::OwnProcess);
    }
    let pid = state.launcher.pid;
    let ended = state.launcher.end(LAUNCHER_GRACE).await.map_err(|source| Error::Process { pid, source })?;
    let lock = DirectoryLock::acquire_within(directory, PART_GRACE).await?;
    let survivors = lock.clear().await?;
    Ok(ended || survivors > 0)
}

/// The right to run a cluster in a directory. The kernel gives it back when its holder dies, however
/// that happens, so it is never stale; what the holder left running is another matter: `clear`.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    directory: PathBuf,
    _file: fs::File,
}

impl DirectoryLock {
    /// Takes the lock or says who has it.
    pub(crate) fn acquire(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(LOCK_FILE);
        let failed = |source| Error::File { path: path.clone(), source };
        let file = fs::File::create(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { directory: directory.to_owned(), _file: file }),
            Err(fs::TryLockError::Error(source)) => Err(failed(source)),
            Err(fs::TryLockError::WouldBlock) => Err(Error::InUse {
                path: directory.to_owned(),
                holder: State::read(directory)?
                    .map_or_else(|| "starting".to_owned(), |state| format!("process {}", state.launcher.pid)),
            }),
        }
    }

    /// A launcher that has just been ended may not have been taken down completely.
    async fn acquire_within(directory: &Path, limit: Duration) -> Result<Self, Error> {
        let deadline = Instant::now() + limit;
        loop {
            match Self::acquire(directory) {
                Err(Error::InUse { .. }) if Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                result => return result,
            }
        }
    }

    /// Ends the parts that a former holder left behind and removes its state; returns their number.
    pub(crate) async fn clear(&self) -> Result<usize, Error> {
        let Some(state) = State::read(&self.directory)? else { return Ok(0) };
        let mut ended = 0;
        // The last started first: the API server must not lose its etcd while it stops.
        for part in state.parts.iter().rev() {
            let pid = part.process.pid;
            let was_alive =
                part.process.end(PART_GRACE).await.map_err(|source| Error::Process { pid, source })?;
            ended += usize::from(was_alive);
        }
        if let Some(node) = &state.real_node {
            node.clean_up().await;
        }
        self.forget()?;
        Ok(ended)
    }

    /// Removes the state file: nothing runs here any more.
    pub(crate) fn forget(&self) -> Result<(), Error> {
        let path = self.directory.join(STATE_FILE);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::File { path, source }),
            _ => Ok(()),
        }
    }
}
