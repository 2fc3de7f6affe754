//! The sandbox's program: it holds the namespaces of a pod and, where the pod shares one process namespace, is
//! the parent of all orphans, whom it must wait for.

use anyhow::Context as _;
use rustix::process::{WaitOptions, wait};
use tokio::signal::unix::{SignalKind, signal};

/// Reaps until SIGTERM or SIGINT.
///
/// # Errors
/// When a signal cannot be listened to.
pub(crate) async fn run() -> anyhow::Result<()> {
    let listen = |kind| signal(kind).context("failed to listen to signals");
    let (mut child, mut term, mut interrupt) =
        (listen(SignalKind::child())?, listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    loop {
        // One signal may stand for several children.
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        tokio::select! {
            _ = child.recv() => {}
            _ = term.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        }
    }
}
