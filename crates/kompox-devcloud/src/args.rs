//! The command line of `devcloud`, and its run from start to signal.

use crate::options::{Options, StartError};
use crate::{BANNER, Devcloud, Tokens};
use anyhow::Context as _;
use clap::Parser;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Block storage for DEVELOPMENT: volumes and snapshots as files behind an HTTP interface.
///
/// Not for anything that must not be lost: one copy on this machine, plain HTTP, on loopback. The interface is
/// described in docs/devcloud.md.
#[derive(Debug, Parser)]
#[command(name = "devcloud", version)]
pub struct Args {
    /// Loopback address and port; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Let --listen name a private address, such as one end of a veth
    #[arg(long)]
    allow_private: bool,
    /// Where everything is kept
    #[arg(long)]
    directory: PathBuf,
    /// A line "ACCOUNT TOKEN" for each token; absent: the file "token" in the directory, made if needed
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// Zones, the default one first
    #[arg(long, value_delimiter = ',', default_value = "a,b")]
    zones: Vec<String>,
    /// What the volumes of one account may have in all, in bytes
    #[arg(long, default_value_t = 1 << 40)]
    quota_bytes: u64,
    /// What to log on stderr, such as "debug"
    #[arg(long, env = "DEVCLOUD_LOG", default_value = "info")]
    log: String,
}

impl Args {
    fn options(self) -> anyhow::Result<Options> {
        fs::create_dir_all(&self.directory)
            .with_context(|| format!("failed to make the directory {}", self.directory.display()))?;
        let tokens = match &self.token_file {
            Some(path) => Tokens::read(path),
            None => Tokens::read_or_make(&self.directory.join("token")),
        };
        Ok(Options {
            listen: self.listen,
            allow_private: self.allow_private,
            tokens: tokens.map_err(StartError::Tokens)?,
            zones: self.zones,
            quota_bytes: self.quota_bytes,
            directory: self.directory,
        })
    }
}

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// If the service does not start.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&args.log).context("--log is no filter")?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    eprintln!("{BANNER}");
    let mut terminate = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
    let service = Devcloud::start(args.options()?).await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on {}", service.url())
        .and_then(|()| stdout.flush())
        .context("failed to write to stdout")?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.context("failed to listen for SIGINT")?,
        _ = terminate.recv() => {}
    }
    service.stop().await;
    Ok(())
}
