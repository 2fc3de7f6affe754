//! One part of the cluster as a process: its name, how it is started and watched, how it ends.

mod probe;

use crate::{files, process::ProcessId, state, state::PartState};
use serde::{Deserialize, Serialize};
use std::{
    fmt, fs,
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};
use tokio::process::{Child, Command};

pub(crate) use probe::{Check, Outcome, default_account, until_ready};

/// Ties our own binaries to the pipe of their standard input (see their main.go).
const EXIT_ON_EOF: &str = "KOMPOX_EXIT_ON_STDIN_EOF";
/// How long a part may take after SIGTERM. The API server waits for open requests; ours are watches.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// How long a wrapper may take to start what it wraps.
const WRAPPER_LIMIT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(5);
const TAIL_LINES: usize = 25;

/// Why a part does not run.
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
    /// The process cannot be started.
    #[error("failed to start {part}")]
    Spawn {
        /// Which part.
        part: PartName,
        /// What the system said.
        source: io::Error,
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
    /// A part ends again and again.
    #[error(
        "failed to keep {part} running: it ended {times} times within {} minutes, at last with {how}; the end of its \
         log {}:\n{tail}", within.as_secs() / 60, log.display()
    )]
    EndsAgain {
        /// Which part.
        part: PartName,
        /// How it ended the last time.
        how: String,
        /// How often.
        times: usize,
        /// In what time.
        within: Duration,
        /// The whole log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// The first process of the real node has ended, and with it everything on the node.
    #[error(
        "failed to keep the real node running: its machine ended with {how}, and all on it with that; start the cluster \
         again; the end of its log {}:\n{tail}", log.display()
    )]
    MachineEnded {
        /// How it ended.
        how: String,
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

/// A part of the cluster. The order is that of their start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartName {
    /// The real node as a machine: the first process of its namespaces. Everything on the node ends
    /// with it.
    Machine,
    /// The store. Without fsync: a power cut may lose it, a killed process does not.
    Etcd,
    /// kube-apiserver.
    #[serde(rename = "kube-apiserver")]
    ApiServer,
    /// kube-controller-manager.
    #[serde(rename = "kube-controller-manager")]
    ControllerManager,
    /// kube-scheduler.
    #[serde(rename = "kube-scheduler")]
    Scheduler,
    /// The real node's container runtime.
    Containerd,
    /// The real node's kubelet.
    Kubelet,
    /// What makes service addresses work on the real node.
    KubeProxy,
    /// The cluster's name server, on the real node.
    #[serde(rename = "coredns")]
    Dns,
    /// The block-storage service for development.
    Devcloud,
    /// Its CSI driver.
    DevcloudCsi,
    /// Tells the driver to attach volumes to nodes.
    CsiAttacher,
    /// Tells the driver to make volumes for claims.
    CsiProvisioner,
    /// Tells the driver to grow volumes whose claims grow.
    CsiResizer,
    /// Tells the driver to take snapshots.
    CsiSnapshotter,
    /// Binds snapshots and their contents, for all drivers.
    SnapshotController,
}

impl PartName {
    /// The parts that every cluster has.
    pub const CONTROL_PLANE: [Self; 4] =
        [Self::Etcd, Self::ApiServer, Self::ControllerManager, Self::Scheduler];
    /// The parts that a cluster with a real node has besides.
    pub const NODE: [Self; 5] = [Self::Machine, Self::Containerd, Self::Kubelet, Self::KubeProxy, Self::Dns];
    /// The parts that a cluster with storage has besides.
    pub const STORAGE: [Self; 7] = [
        Self::Devcloud,
        Self::DevcloudCsi,
        Self::CsiAttacher,
        Self::CsiProvisioner,
        Self::CsiResizer,
        Self::CsiSnapshotter,
        Self::SnapshotController,
    ];

    /// The name of its program, which is also its name everywhere else.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Containerd => "containerd",
            Self::Kubelet => "kubelet",
            Self::KubeProxy => "kube-proxy",
            Self::Dns => "coredns",
            Self::Devcloud => "devcloud",
            Self::DevcloudCsi => "devcloud-csi",
            Self::CsiAttacher => "csi-attacher",
            Self::CsiProvisioner => "csi-provisioner",
            Self::CsiResizer => "csi-resizer",
            Self::CsiSnapshotter => "csi-snapshotter",
            Self::SnapshotController => "snapshot-controller",
        }
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program())
    }
}

/// How a part is started.
pub(crate) struct Recipe {
    /// The program with its arguments.
    pub(crate) command: Command,
    /// Whether the command only starts the part and waits for it: entering a PID namespace takes a
    /// fork. The part is then its child.
    pub(crate) wrapped: bool,
    /// Where the part serves, for the state file.
    pub(crate) port: Option<u16>,
    /// The version of the program, for the state file.
    pub(crate) version: String,
}

/// A part that has been started. Dropping it kills the process that was spawned, and closes the pipe
/// that our own binaries are tied to.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) state: PartState,
    pub(crate) started: Instant,
    child: Child,
}

impl Part {
    /// Starts `name` in `directory`; its output is appended to its log there.
    pub(crate) async fn spawn(
        name: PartName,
        recipe: Recipe,
        directory: &Path,
        restarts: u32,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Spawn { part: name, source };
        let log = log_path(directory, name);
        let output = OpenOptions::new().create(true).append(true).mode(0o600).open(&log).map_err(failed)?;
        let Recipe { mut command, wrapped, port, version } = recipe;
        let child = command
            .current_dir(directory)
            .env(EXIT_ON_EOF, "1")
            // The pipe stays open as long as this process lives; the kernel closes it after that.
            .stdin(Stdio::piped())
            .stdout(output.try_clone().map_err(failed)?)
            .stderr(output)
            // Ctrl-C in a terminal is for the launcher, which then stops its parts in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let pid = child.id().ok_or_else(|| failed(io::Error::other("it ended at once")))?;
        let pid = if wrapped { inner(pid, &log).await.map_err(failed)? } else { pid };
        let process = ProcessId::of(pid).map_err(failed)?;
        let state = PartState { name, version, process, log, port, restarts };
        Ok(Self { state, started: Instant::now(), child })
    }

    /// How it ended, if it has.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// SIGTERM, a bounded wait, SIGKILL; returns when the process is gone.
    pub(crate) async fn stop(mut self) {
        let asked = self.state.process.signal(rustix::process::Signal::TERM);
        if matches!(asked, Ok(true)) && tokio::time::timeout(STOP_GRACE, self.child.wait()).await.is_ok() {
            return;
        }
        self.kill().await;
    }

    /// SIGKILL; returns when the process is gone.
    pub(crate) async fn kill(&mut self) {
        if let Err(error) = self.state.process.signal(rustix::process::Signal::KILL) {
            tracing::debug!(part = %self.state.name, %error, "failed to kill");
        }
        // A wrapper ends with what it wraps; should it not, it is ended too.
        if tokio::time::timeout(STOP_GRACE, self.child.wait()).await.is_err()
            && let Err(error) = self.child.kill().await
        {
            tracing::debug!(part = %self.state.name, %error, "failed to kill the wrapper");
        }
    }

    /// The end of its log, for an error.
    pub(crate) fn tail(&self) -> String {
        files::tail(&self.state.log, TAIL_LINES)
    }
}

/// The only child of a wrapper (proc_pid_children(5)).
async fn inner(wrapper: u32, log: &Path) -> io::Result<u32> {
    let deadline = Instant::now() + WRAPPER_LIMIT;
    loop {
        let children = fs::read_to_string(format!("/proc/{wrapper}/task/{wrapper}/children"));
        let first = children.as_deref().unwrap_or_default().split_whitespace().next();
        if let Some(pid) = first.and_then(|pid| pid.parse().ok()) {
            return Ok(pid);
        }
        let gone = ProcessId::of(wrapper).is_err();
        if gone || Instant::now() >= deadline {
            return Err(io::Error::other(format!("it did not come up:\n{}", files::tail(log, TAIL_LINES))));
        }
        tokio::time::sleep(POLL).await;
    }
}

pub(crate) fn log_path(directory: &Path, name: PartName) -> PathBuf {
    directory.join("logs").join(format!("{}.log", name.program()))
}
