//! The command line of `devcloud-csi`, and its run from start to signal.

use crate::{BANNER, DRIVER, NodeId, Options, Plugin};
use anyhow::{Context as _, ensure};
use clap::Parser;
use kompox_devcloud::client::Client;
use secrecy::SecretString;
use std::fs;
use std::path::{Path, PathBuf};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Largest token file, in bytes; devcloud's own bound.
const MAX_TOKEN_FILE: u64 = 64 << 10;

/// The CSI driver devcloud.csi.kompox.dev, for DEVELOPMENT.
///
/// It serves Identity, Controller and Node on one unix socket. It must run on the machine of devcloud, as root where
/// volumes are to be mounted.
#[derive(Debug, Parser)]
#[command(name = "devcloud-csi", version)]
pub struct Args {
    /// URL of devcloud, as its file "endpoint" says
    #[arg(long)]
    service: String,
    /// Token file of devcloud; its first token is used
    #[arg(long)]
    token_file: PathBuf,
    /// Root directory of the kubelet, to register there
    #[arg(long, requires = "node")]
    kubelet_root: Option<PathBuf>,
    /// Where to listen; default: below the kubelet's root, plugins/devcloud.csi.kompox.dev/csi.sock
    #[arg(long, required_unless_present = "kubelet_root")]
    socket: Option<PathBuf>,
    /// Name of this node; without it no volumes are mounted
    #[arg(long, requires = "zone")]
    node: Option<String>,
    /// Zone of this node, one of devcloud's
    #[arg(long, requires = "node")]
    zone: Option<String>,
    /// What to log on stderr, such as "debug"
    #[arg(long, env = "DEVCLOUD_LOG", default_value = "info")]
    log: String,
}

impl Args {
    fn options(self) -> anyhow::Result<Options> {
        let node = match (&self.zone, &self.node) {
            (Some(zone), Some(name)) => {
                Some(NodeId::new(zone, name).context("--node and --zone must not be empty or hold a slash")?)
            }
            _ => None,
        };
        let below = |root: &PathBuf| root.join("plugins").join(DRIVER).join("csi.sock");
        let socket =
            self.socket.or_else(|| self.kubelet_root.as_ref().map(below)).context("--socket is missing")?;
        Ok(Options {
            // The kubelet is told this path: it must mean the same to it.
            socket: std::path::absolute(&socket).context("--socket is no path")?,
            client: Client::new(&self.service, token(&self.token_file)?)?,
            node,
            registry: self.kubelet_root.map(|root| root.join("plugins_registry")),
        })
    }
}

/// The first token of a file with lines `ACCOUNT TOKEN`.
fn token(path: &Path) -> anyhow::Result<SecretString> {
    let failed = || format!("failed to read the token file {}", path.display());
    let size = fs::metadata(path).with_context(failed)?.len();
    ensure!(size <= MAX_TOKEN_FILE, "{}: it has more than {MAX_TOKEN_FILE} bytes", failed());
    let text = fs::read_to_string(path).with_context(failed)?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let token = lines.next().and_then(|line| line.split_whitespace().nth(1));
    Ok(token.with_context(|| format!("{}: no line ACCOUNT TOKEN", failed()))?.into())
}

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// If the driver does not start, or a server ends by itself.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&args.log).context("--log is no filter")?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    eprintln!("{BANNER}");
    let mut terminate = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
    let mut plugin = Plugin::start(args.options()?)?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.context("failed to listen for SIGINT")?,
        _ = terminate.recv() => {}
        ended = plugin.ended() => return ended.context("the driver ended by itself"),
    }
    plugin.stop().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Args, token};
    use clap::Parser as _;
    use secrecy::ExposeSecret as _;

    #[test]
    fn the_first_token_is_taken() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "# devcloud\n\na first-token-16-chars\nb second\n").unwrap();
        assert_eq!(token(file.path()).unwrap().expose_secret(), "first-token-16-chars");
        std::fs::write(file.path(), "# none\n").unwrap();
        assert!(token(file.path()).unwrap_err().to_string().contains("no line ACCOUNT TOKEN"));
    }

    #[test]
    fn a_place_to_listen_and_a_whole_node_are_needed() {
        let always = ["devcloud-csi", "--service", "http://127.0.0.1:1", "--token-file", "t"];
        for (more, good) in [
            (&["--socket", "s"][..], true),
            (&["--kubelet-root", "k", "--node", "n", "--zone", "a"], true),
            (&[], false),
            (&["--kubelet-root", "k"], false),
            (&["--socket", "s", "--node", "n"], false),
            (&["--socket", "s", "--zone", "a"], false),
        ] {
            assert_eq!(Args::try_parse_from(always.iter().chain(more)).is_ok(), good, "{more:?}");
        }
    }
}
