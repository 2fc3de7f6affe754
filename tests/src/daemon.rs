//! A program that listens on the loopback of this machine: started, waited for, and ended with its handle.
//! Nothing here asserts.

use anyhow::{Context as _, Result, ensure};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

/// How long a start may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    address: SocketAddr,
    directory: tempfile::TempDir,
}

/// A port of the loopback that is free now.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

impl Daemon {
    /// Starts a program and waits until it listens at `address`. It keeps its files in `directory`, and its output in
    /// `log` there.
    pub(crate) async fn start(
        mut command: Command,
        address: SocketAddr,
        directory: tempfile::TempDir,
    ) -> Result<Self> {
        let log = fs::File::create(directory.path().join("log"))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("failed to start {:?}", command.as_std().get_program()))?;
        let mut daemon = Self { child, address, directory };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).await.is_err() {
            let ended = daemon.child.try_wait()?;
            ensure!(ended.is_none(), "it ended with {ended:?}: {}", daemon.log());
            ensure!(Instant::now() < deadline, "it does not listen: {}", daemon.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(daemon)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What it printed so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory().join("log")).unwrap_or_default()
    }

    /// Ends it: nothing listens any more.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.child.kill().await.context("failed to end a program")
    }
}
