//! tinyproxy, a real HTTP proxy, as a process on this machine. Nothing here asserts.

use crate::daemon::{self, Daemon};
use anyhow::{Result, bail};
use std::{fmt::Write as _, fs};
use tokio::process::Command;

/// Set to 1 where no test may be left out.
const REQUIRED: &str = "KOMPOX_REQUIRE_REAL_NODE";

/// What a proxy is like.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// User and password that it asks for.
    pub password: Option<(&'static str, &'static str)>,
    /// The one host that it leads to; to all without it.
    pub only: Option<&'static str>,
}

/// A running proxy. It is killed when dropped.
#[derive(Debug)]
pub struct HttpProxy {
    daemon: Daemon,
}

impl HttpProxy {
    /// Whether the machine has the program. If not, it is said loudly what is left out.
    ///
    /// # Errors
    /// It is missing, and nothing may be left out.
    pub async fn available(test: &str) -> Result<bool> {
        if Command::new("tinyproxy").arg("-v").output().await.is_ok_and(|output| output.status.success()) {
            return Ok(true);
        }
        if std::env::var(REQUIRED).as_deref() == Ok("1") {
            bail!("{REQUIRED}=1, but tinyproxy is missing: apt-get install -y tinyproxy");
        }
        eprintln!("\n=== NOT RUN: {test}: tinyproxy is missing: apt-get install -y tinyproxy ===\n");
        Ok(false)
    }

    /// Starts a proxy on a free port of the loopback, and waits until it listens.
    ///
    /// # Errors
    /// It does not start; its log is shown.
    pub async fn start(options: Options) -> Result<Self> {
        let (address, directory) = (daemon::free_address()?, tempfile::tempdir()?);
        let mut file = format!(
            "Port {}\nListen {}\nTimeout 60\nMaxClients 50\nLogLevel Connect\nAllow 127.0.0.1\n",
            address.port(),
            address.ip()
        );
        if let Some((user, password)) = options.password {
            writeln!(file, "BasicAuth {user} {password}")?;
        }
        if let Some(host) = options.only {
            let filter = directory.path().join("filter");
            fs::write(&filter, format!("^{host}$\n"))?;
            writeln!(file, "FilterDefaultDeny Yes\nFilterExtended On\nFilter \"{}\"", filter.display())?;
        }
        let path = directory.path().join("tinyproxy.conf");
        fs::write(&path, file)?;
        let mut command = Command::new("tinyproxy");
        command.arg("-d").arg("-c").arg(path);
        Ok(Self { daemon: Daemon::start(command, address, directory).await? })
    }

    /// Host and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.daemon.address().to_string()
    }

    /// How many requests it took, of any kind.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.daemon.log().matches("Request (file descriptor").count()
    }

    /// How many tunnels (CONNECT) it was asked for.
    #[must_use]
    pub fn tunnels(&self) -> usize {
        self.daemon.log().lines().filter(|line| line.contains("Request") && line.contains("CONNECT ")).count()
    }

    /// Ends it: nothing listens any more.
    ///
    /// # Errors
    /// It cannot be killed.
    pub async fn stop(self) -> Result<()> {
        self.daemon.stop().await
    }
}
