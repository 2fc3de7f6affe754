//! A devcloud and a driver for one test, and clients of the driver.

use anyhow::{Context as _, Result, bail, ensure};
use hyper_util::rt::TokioIo;
use kompox_devcloud::client::Client;
use kompox_devcloud::{Devcloud, Options, Tokens};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint, Uri};

const TOKEN: &str = "a-token-for-the-tests-of-the-driver";
pub(crate) const NODE: &str = "node-1";
pub(crate) const ZONE: &str = "a";
/// For a machine that builds something else at the same time.
const LIMIT: Duration = Duration::from_secs(60);

/// Whether volumes can be mounted here.
pub(crate) fn can_mount(test: &str) -> Result<bool> {
    if rustix::process::geteuid().is_root() {
        return Ok(true);
    }
    let required = std::env::var_os("KOMPOX_REQUIRE_REAL_NODE").is_some_and(|value| value == "1");
    ensure!(!required, "{test} needs root, and KOMPOX_REQUIRE_REAL_NODE is 1");
    eprintln!("\nSKIPPED: {test}: mounting volumes needs root\n");
    Ok(false)
}

/// A running devcloud and a running driver. Dropping it kills the driver and unmounts what is left.
pub(crate) struct Setup {
    service: Option<Devcloud>,
    url: String,
    pub(crate) client: Client,
    driver: Option<Child>,
    directory: tempfile::TempDir,
}

impl Setup {
    pub(crate) async fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let tokens = Tokens::single("test", TOKEN.into())?;
        let service = Devcloud::start(Options::new(directory.path().join("devcloud"), tokens)).await?;
        let client = Client::new(&service.url(), TOKEN.into())?;
        std::fs::write(directory.path().join("tokens"), format!("test {TOKEN}\n"))?;
        let url = service.url();
        let mut this = Self { service: Some(service), url, client, driver: None, directory };
        this.start_driver().await?;
        Ok(this)
    }

    /// Starts the driver's program and waits until it takes calls.
    pub(crate) async fn start_driver(&mut self) -> Result<()> {
        let driver = Command::new(env!("CARGO_BIN_EXE_devcloud-csi"))
            .args(["--service", &self.url, "--node", NODE, "--zone", ZONE])
            .arg("--token-file")
            .arg(self.path("tokens"))
            .arg("--kubelet-root")
            .arg(self.path("kubelet"))
            .stdin(Stdio::null())
            .spawn()?;
        self.driver = Some(driver);
        let deadline = Instant::now() + LIMIT;
        while UnixStream::connect(self.socket()).await.is_err() {
            let ended = self.driver.as_mut().context("no driver")?.try_wait()?;
            if let Some(status) = ended {
                bail!("the driver ended with {status}");
            }
            ensure!(Instant::now() < deadline, "the driver does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Ends devcloud; its directory and the driver stay.
    pub(crate) async fn stop_service(&mut self) {
        if let Some(service) = self.service.take() {
            service.stop().await;
        }
    }

    /// SIGKILL.
    pub(crate) fn kill_driver(&mut self) -> Result<()> {
        let mut driver = self.driver.take().context("no driver")?;
        driver.kill()?;
        driver.wait()?;
        Ok(())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("kubelet/plugins/devcloud.csi.kompox.dev/csi.sock")
    }

    pub(crate) async fn channel(&self) -> Result<Channel> {
        channel(&self.socket()).await
    }

    /// Mount points below the test's directory, from the kernel.
    pub(crate) fn mounts(&self) -> Result<Vec<PathBuf>> {
        let text = std::fs::read_to_string("/proc/self/mountinfo")?;
        let points = text.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
        Ok(points.filter(|point| point.starts_with(self.directory.path())).collect())
    }

    /// Loop devices whose file lies below the test's directory.
    pub(crate) fn loop_devices(&self) -> Result<usize> {
        let output =
            Command::new("losetup").args(["--list", "--noheadings", "--output", "BACK-FILE"]).output()?;
        let text = String::from_utf8(output.stdout)?;
        Ok(text.lines().filter(|file| Path::new(file.trim()).starts_with(self.directory.path())).count())
    }

    /// Fails if a mount or a loop device is left. The kernel takes a loop device down a moment after its last mount.
    pub(crate) async fn nothing_is_left(&self) -> Result<()> {
        ensure!(self.mounts()?.is_empty(), "mounted: {:?}", self.mounts()?);
        let deadline = Instant::now() + LIMIT;
        while self.loop_devices()? > 0 {
            ensure!(Instant::now() < deadline, "loop devices are left");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        if let Some(mut driver) = self.driver.take() {
            let _ = driver.kill();
            let _ = driver.wait();
        }
        for point in self.mounts().unwrap_or_default().iter().rev() {
            let _ = Command::new("umount").arg(point).status();
        }
    }
}

/// A connection to a unix socket.
pub(crate) async fn channel(socket: &Path) -> Result<Channel> {
    let socket = socket.to_owned();
    let connect = tower::service_fn(move |_: Uri| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    // The address is not used, but must be one.
    Ok(Endpoint::from_static("http://socket").connect_with_connector(connect).await?)
}
