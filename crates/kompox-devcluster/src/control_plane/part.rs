//! One part of the control plane as a process: its name, how it is started and watched, how it ends.

use super::Error;
use crate::{binary::Binaries, files, process::ProcessId, state::PartState};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};
use tokio::process::{Child, Command};

/// Ties the multi-call binary to the pipe of its standard input (see its main.go).
const EXIT_ON_EOF: &str = "KOMPOX_EXIT_ON_STDIN_EOF";
/// How long a part may take after SIGTERM. The API server waits for open requests; ours are watches.
const STOP_GRACE: Duration = Duration::from_secs(5);
const TAIL_LINES: usize = 25;

/// A part of the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartName {
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
}

impl PartName {
    /// All parts in the order of their start.
    pub const ALL: [Self; 4] = [Self::Etcd, Self::ApiServer, Self::ControllerManager, Self::Scheduler];

    /// The name of its program, which is also its name everywhere else.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
        }
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program())
    }
}

/// A part that has been started. Dropping it kills the process.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) state: PartState,
    pub(super) started: Instant,
    child: Child,
}

impl Part {
    /// Starts `name` in `directory`; its output is appended to its log there.
    pub(super) fn spawn(
        name: PartName,
        binaries: &Binaries,
        directory: &Path,
        flags: &[String],
        port: Option<u16>,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Spawn { part: name, source };
        let log = log_path(directory, name);
        let output = OpenOptions::new().create(true).append(true).mode(0o600).open(&log).map_err(failed)?;
        let (program, first) = binaries.command_line(name);
        let child = Command::new(program)
            .args(first)
            .args(flags)
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
        let process = ProcessId::of(pid).map_err(failed)?;
        let state = PartState { name, process, log, port };
        Ok(Self { state, started: Instant::now(), child })
    }

    /// How it ended, if it has.
    pub(super) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// SIGTERM, a bounded wait, SIGKILL; returns when the process is gone.
    pub(super) async fn stop(mut self) {
        let asked = self.state.process.signal(rustix::process::Signal::TERM);
        if matches!(asked, Ok(true)) && tokio::time::timeout(STOP_GRACE, self.child.wait()).await.is_ok() {
            return;
        }
        self.kill().await;
    }

    /// SIGKILL; returns when the process is gone.
    pub(super) async fn kill(&mut self) {
        if let Err(error) = self.child.kill().await {
            tracing::debug!(part = %self.state.name, %error, "failed to kill");
        }
    }

    /// The end of its log, for an error.
    pub(super) fn tail(&self) -> String {
        files::tail(&self.state.log, TAIL_LINES)
    }
}

pub(super) fn log_path(directory: &Path, name: PartName) -> PathBuf {
    directory.join("logs").join(format!("{}.log", name.program()))
}
