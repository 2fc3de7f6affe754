//! Real registries as processes on this machine, built from their Go modules below `devcluster`: the reference
//! implementation ([`Registry`]), with the ways of signing in that it knows, and one that lists referrers
//! ([`Lister`]). Nothing here asserts.

mod lister;
mod token_server;
mod users;

pub use lister::Lister;
pub use token_server::{Asked, TokenServer, Tokens};
pub use users::{IDENTITY_TOKEN, READER, USER};

use crate::daemon::{self, Daemon};
use anyhow::Result;
use kompox_devcluster::{Reporter, go};
use kompox_oci::Digest;
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tokio::process::Command;

/// The program, built now if the cache does not hold it (two minutes).
///
/// # Errors
/// It cannot be built.
pub async fn program(reporter: &Reporter) -> Result<PathBuf> {
    Ok(go::REGISTRY.programs(reporter).await?.directory.join("registry"))
}

/// What a registry is like.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Ask for [`USER`].
    pub password: bool,
    /// Ask for tokens of a server.
    pub tokens: Option<Tokens>,
    /// Serve TLS with this certificate and key (PEM).
    pub tls: Option<(String, String)>,
}

/// A running registry. It is killed when dropped.
#[derive(Debug)]
pub struct Registry {
    daemon: Daemon,
}

impl Registry {
    /// Starts a registry on a free port of the loopback, and waits until it listens.
    ///
    /// # Errors
    /// It does not start; its log is shown.
    pub async fn start(program: &Path, options: &Options) -> Result<Self> {
        let (address, directory) = (daemon::free_address()?, tempfile::tempdir()?);
        let file = configuration(directory.path(), address, options)?;
        let mut command = Command::new(program);
        command.arg("serve").arg(file);
        Ok(Self { daemon: Daemon::start(command, address, directory).await? })
    }

    /// Host and port.
    #[must_use]
    pub fn host(&self) -> String {
        self.daemon.address().to_string()
    }

    /// How many requests it answered.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.daemon.log().matches("response completed").count()
    }

    /// The file in which it keeps a blob.
    #[must_use]
    pub fn blob(&self, digest: &Digest) -> PathBuf {
        let start: String = digest.hex().chars().take(2).collect();
        let blobs = self.daemon.directory().join("data/docker/registry/v2/blobs/sha256");
        blobs.join(start).join(digest.hex()).join("data")
    }

    /// Ends it: nothing listens any more.
    ///
    /// # Errors
    /// It cannot be killed.
    pub async fn stop(self) -> Result<()> {
        self.daemon.stop().await
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
        fs::write(&file, users::HTPASSWD)?;
        configuration["auth"] = serde_json::json!({ "htpasswd": { "realm": "tests", "path": file } });
    }
    if let Some(tokens) = &options.tokens {
        let file = directory.join("token.crt");
        fs::write(&file, &tokens.certificate)?;
        configuration["auth"] = serde_json::json!({ "token": {
            "realm": tokens.realm, "service": tokens.service, "issuer": tokens.issuer, "rootcertbundle": file,
        }});
    }
    let file = directory.join("config.yaml");
    fs::write(&file, configuration.to_string())?;
    Ok(file)
}
