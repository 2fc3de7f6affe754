//! The operator as a process: started, killed, stopped, and its log.

use crate::stage::{Programs, Stage};
use anyhow::{Context as _, Result, ensure};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::process::{Child, Command};

/// How long a start or an orderly stop may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an operator needs of the run that it belongs to.
#[derive(Clone, Debug)]
pub struct Surroundings<'a> {
    /// The program and the built-in drivers.
    pub programs: &'a Programs,
    /// The cluster.
    pub kubeconfig: PathBuf,
    /// Where compiled components are kept; operators may share it.
    pub components: PathBuf,
}

/// A running operator. It is killed when dropped.
#[derive(Debug)]
pub struct Operator {
    child: Child,
    listen: SocketAddr,
    log: PathBuf,
}

impl Operator {
    /// Starts the built operator and waits until it is ready. `namespace`: look after this one only.
    /// The log is appended to `log`.
    ///
    /// # Errors
    /// If it does not become ready; the end of its log is shown.
    pub async fn start(stage: &Stage, namespace: Option<&str>, log: &Path) -> Result<Self> {
        Self::start_with(&stage.surroundings(), namespace, log, &[]).await
    }

    /// As [`Operator::start`], anywhere, with these variables in its environment.
    ///
    /// # Errors
    /// As [`Operator::start`].
    pub async fn start_with(
        surroundings: &Surroundings<'_>,
        namespace: Option<&str>,
        log: &Path,
        environment: &[(&str, String)],
    ) -> Result<Self> {
        let listen = free_address()?;
        let file = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let mut command = Command::new(&surroundings.programs.operator);
        command
            .env("KUBECONFIG", &surroundings.kubeconfig)
            .env("KOMPOX_DRIVERS_DIR", &surroundings.programs.drivers)
            .env("KOMPOX_COMPONENT_CACHE_DIR", &surroundings.components)
            .env("KOMPOX_ALLOW_PLAIN_HTTP_CIDR", "127.0.0.0/8")
            .env("KOMPOX_LISTEN", listen.to_string())
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .kill_on_drop(true);
        if let Some(namespace) = namespace {
            command.env("KOMPOX_WATCH_NAMESPACE", namespace);
            // KompoxDrivers belong to the cluster, which all tests share.
            command.env("KOMPOX_DRIVER_SELECTOR", format!("kompox-test={namespace}"));
        }
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let child = command
            .spawn()
            .with_context(|| format!("failed to start {}", surroundings.programs.operator.display()))?;
        let mut operator = Self { child, listen, log: log.to_owned() };
        operator.wait_until_ready().await?;
        Ok(operator)
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ended = self.child.try_wait()?;
            ensure!(ended.is_none(), "the operator ended with {ended:?}: {}", self.log_tail());
            if self.get("/readyz").await.is_ok() {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the operator is not ready: {}", self.log_tail());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The body of a page that the operator serves.
    ///
    /// # Errors
    /// If it does not answer with 200.
    pub async fn get(&self, path: &str) -> Result<String> {
        crate::cloud::http_get(self.listen, path).await
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// SIGKILL: no chance to finish anything.
    ///
    /// # Errors
    /// If the process cannot be killed.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await.context("failed to kill the operator")
    }

    /// SIGTERM, and wait.
    ///
    /// # Errors
    /// If it does not end with 0 in time.
    pub async fn stop(mut self) -> Result<()> {
        let pid = self.child.id().context("the operator has ended already")?;
        let sent = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await?;
        ensure!(sent.success(), "failed to signal the operator");
        let ended = tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .context("the operator does not stop")??;
        ensure!(ended.success(), "the operator ended with {ended}: {}", self.log_tail());
        Ok(())
    }

    fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(30)).copied().collect::<Vec<_>>().join("\n")
    }
}

fn free_address() -> Result<SocketAddr> {
    let listener =
        std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("failed to find a free port")?;
    Ok(listener.local_addr()?)
}
