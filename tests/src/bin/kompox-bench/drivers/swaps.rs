//! Swaps of a driver while calls run.

use super::{NO_OP, call, row, runtime};
use anyhow::{Context as _, Result};
use kompox_core::driver::{DiskRequest, Drivers as _};
use kompox_driver_runtime::{ComponentCache, Registry};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

const CALLERS: usize = 8;
const SWAPS: usize = 200;
/// Calls between two swaps at least.
const BETWEEN: usize = 50;

/// How often calls were made, and how often they failed.
#[derive(Default)]
struct Counts {
    calls: AtomicUsize,
    failed: AtomicUsize,
    enough: AtomicBool,
}

/// Measures and prints.
pub(super) async fn run() -> Result<()> {
    let runtime = runtime(ComponentCache::Disabled)?;
    let registry = Arc::new(Registry::new());
    let component = std::fs::read(NO_OP)?;
    registry.install("bench", runtime.load(component.clone()).await?, &BTreeSet::new())?;
    let counts = Arc::new(Counts::default());
    let callers: Vec<_> =
        (0..CALLERS).map(|_| tokio::spawn(call_on(Arc::clone(&registry), Arc::clone(&counts)))).collect();
    let mut other = component.clone();
    let (from, to) = (b"\"version\":\"1.0.0\"".as_slice(), b"\"version\":\"1.0.1\"".as_slice());
    let at = other.windows(from.len()).position(|window| window == from).context("no version in it")?;
    other.splice(at..at + from.len(), to.iter().copied());
    for number in 0..SWAPS {
        // Compiled beside the running one, as a reload does.
        let next = if number % 2 == 0 { &other } else { &component };
        let next = runtime.load(next.clone()).await?;
        let before = counts.calls.load(Ordering::Relaxed);
        registry.install("bench", next, &BTreeSet::new())?;
        while counts.calls.load(Ordering::Relaxed) < before + BETWEEN {
            tokio::task::yield_now().await;
        }
    }
    counts.enough.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await?;
    }
    let (calls, failed) = (counts.calls.load(Ordering::Relaxed), counts.failed.load(Ordering::Relaxed));
    row(&format!("failed calls of {calls} during {SWAPS} reloads"), &failed.to_string(), "0");
    Ok(())
}

async fn call_on(registry: Arc<Registry>, counts: Arc<Counts>) {
    let call = call("minimal", &Default::default());
    let request = DiskRequest { size_bytes: 1 << 30, ..DiskRequest::default() };
    while !counts.enough.load(Ordering::Relaxed) {
        let served = match registry.for_type("minimal") {
            Some(driver) => driver.plan(&call, &request).await.is_ok(),
            None => false,
        };
        if !served {
            counts.failed.fetch_add(1, Ordering::Relaxed);
        }
        counts.calls.fetch_add(1, Ordering::Relaxed);
    }
}
