//! A real registry as a process on this machine: the reference implementation, built from its Go module below
//! `devcluster/registry`. Nothing here asserts.

use anyhow::{Context as _, Result, ensure};
use kompox_devcluster::{Reporter, go::REGISTRY};
use kompox_oci::Digest;
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

/// How long a start may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The user and password that registries with [`Options::password`] know.
pub const USER: (&str, &str) = ("kompox", "correct horse");

/// As `htpasswd -B` writes the two.
const HTPASSWD: &str = "kompox:$2a$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n";

/// The program, built now if the cache does not hold it (two minutes).
///
/// # Errors
/// It cannot be built.
pub async fn program(reporter: &Reporter) -> Result<PathBuf> {
    Ok(REGISTRY.programs(reporter).await?.directory.join("registry"))
}

/// What a registry is like.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Ask for [`USER`].
    pub password: bool,
    /// Serve TLS with this certificate and key (PEM).
    pub tls: Option<(String, String)>,
}

/// A running registry. It is killed when dropped.
#[derive(Debug)]
pub struct Registry {
    child: Child,
    address: SocketAddr,
    directory: tempfile::TempDir,
}

impl Registry {
    /// Starts a registry on a free port of the loopback, and waits until it listens.
    ///
    /// # Errors
    /// It does not start; its log is shown.
    pub async fn start(program: &Path, options: &Options) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let address = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let file = configuration(directory.path(), address, options)?;
        let log = fs::File::create(directory.path().join("log"))?;
        let child = Command::new(program)
            .arg("serve")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("failed to start {}", program.display()))?;
        let mut registry = Self { child, address, directory };
        registry.listens().await?;
        Ok(registry)
    }

    /// Host and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// How many requests it answered.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.log().matches("response completed").count()
    }

    /// The file in which it keeps a blob.
    #[must_use]
    pub fn blob(&self, digest: &Digest) -> PathBuf {
        let start: String = digest.hex().chars().take(2).collect();
        let blobs = self.directory.path().join("data/docker/registry/v2/blobs/sha256");
        blobs.join(start).join(digest.hex()).join("data")
    }

    /// Ends it: nothing listens any more.
    ///
    /// # Errors
    /// It cannot be killed.
    pub async fn stop(mut self) -> Result<()> {
        self.child.kill().await.context("failed to end the registry")
    }

    async fn listens(&mut self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(self.address).await.is_err() {
            let ended = self.child.try_wait()?;
            ensure!(ended.is_none(), "the registry ended with {ended:?}: {}", self.log());
            ensure!(Instant::now() < deadline, "the registry does not listen: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

/// Writes the configuration; JSON is YAML.
fn configuration(directory: &Path, address: SocketAddr, options: &Options) -> Result<PathBuf> {
    let mut http = serde_json::json!({ "addr": address.to_string(), "secret": "of the tests" });
    if let Some((certificate, key)) = &options.tls {
        let (certificate_file, key_file) = (directory.join("tls.crt"), directory.join("tls.key"));
        fs::write(&certificate_file, certificate)?;
        fs::write(&key_file, key)?;
        http["tls"] = serde_json::json!({ "certificate": certificate_file, "key": key_file });
    }
    let mut configuration = serde_json::json!({
        "version": "0.1",
        "log": { "level": "info", "accesslog": { "disabled": true } },
        "storage": { "filesystem": { "rootdirectory": directory.join("data") } },
        "http": http,
    });
    if options.password {
        let file = directory.join("htpasswd");
        fs::write(&file, HTPASSWD)?;
        configuration["auth"] = serde_json::json!({ "htpasswd": { "realm": "tests", "path": file } });
    }
    let file = directory.join("config.yaml");
    fs::write(&file, configuration.to_string())?;
    Ok(file)
}
