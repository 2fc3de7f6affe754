//! Signals: every one that asks a process to end or to do something is reported, to standard output, to the
//! volume, and to the file that the kubelet reads when a container has ended.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::{Serve, disk};

/// Where the kubelet looks for last words (container field `terminationMessagePath`).
const TERMINATION_LOG: &str = "/dev/termination-log";

/// Returns when a signal ends the service: never where signals are ignored.
///
/// # Errors
/// When a signal cannot be listened to.
pub(crate) async fn requested(options: &Serve) -> anyhow::Result<()> {
    let mut signals = listen()?;
    while let Some(name) = signals.recv().await {
        report(name, &options.data);
        if !options.ignore_signals {
            tokio::time::sleep(Duration::from_secs(options.stop_after)).await;
            return Ok(());
        }
    }
    Ok(())
}

fn listen() -> anyhow::Result<mpsc::Receiver<&'static str>> {
    let (sender, receiver) = mpsc::channel(16);
    for (name, kind) in [
        ("SIGHUP", SignalKind::hangup()),
        ("SIGINT", SignalKind::interrupt()),
        ("SIGQUIT", SignalKind::quit()),
        ("SIGTERM", SignalKind::terminate()),
        ("SIGUSR1", SignalKind::user_defined1()),
        ("SIGUSR2", SignalKind::user_defined2()),
    ] {
        let mut stream = signal(kind).with_context(|| format!("failed to listen to {name}"))?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while stream.recv().await.is_some() {
                if sender.send(name).await.is_err() {
                    return;
                }
            }
        });
    }
    Ok(receiver)
}

/// Each place by its own: a read-only volume must not hide a signal from the other two.
fn report(name: &str, data: &Path) {
    println!("signal {name}");
    if let Err(error) = disk::append(&data.join("signals"), name) {
        eprintln!("demo: {error:#}");
    }
    last_words(&format!("signal {name}"));
}

/// Leaves a message for the kubelet, where there is one.
pub(crate) fn last_words(text: &str) {
    if Path::new(TERMINATION_LOG).exists() {
        let _ = fs::write(TERMINATION_LOG, text);
    }
}
