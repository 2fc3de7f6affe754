//! A call that does nothing, compiling, and loading what was compiled before.

use super::{NO_OP, both, call, percentile, row, runtime, text};
use anyhow::{Context as _, Result};
use kompox_core::driver::{DiskRequest, Driver as _};
use kompox_driver_runtime::ComponentCache;
use std::{
    path::Path,
    time::{Duration, Instant},
};

const CALLS: usize = 20_000;
const WARM_UP: usize = 2_000;
const COMPILATIONS: usize = 5;
const LOADS: usize = 50;

/// A call of a driver that does nothing: what remains is the host.
pub(super) async fn no_op() -> Result<()> {
    let component = std::fs::read(NO_OP).with_context(|| format!("failed to read {NO_OP}"))?;
    let driver = runtime(ComponentCache::Disabled)?.load(component).await?;
    let call = call("minimal", &Default::default());
    let request = DiskRequest { size_bytes: 1 << 30, ..DiskRequest::default() };
    let mut times = Vec::with_capacity(CALLS);
    for number in 0..WARM_UP + CALLS {
        let started = Instant::now();
        driver.plan(&call, &request).await?;
        if number >= WARM_UP {
            times.push(started.elapsed());
        }
    }
    row("no-op call in a fresh instance, p50 / p99", &both(&mut times), "p50 <= 25 µs");
    Ok(())
}

/// Compiles each component, then loads all of them from `cache`, which is filled on the way.
pub(super) async fn load(components: &[Vec<u8>], cache: &Path) -> Result<()> {
    let compiling = runtime(ComponentCache::Disabled)?;
    let mut slowest = Duration::ZERO;
    for component in components {
        let mut times = Vec::with_capacity(COMPILATIONS);
        for _ in 0..COMPILATIONS {
            let started = Instant::now();
            compiling.load(component.clone()).await?;
            times.push(started.elapsed());
        }
        slowest = slowest.max(percentile(&mut times, 50));
    }
    row("compile a first-party driver, p50 of the slowest", &text(slowest), "<= 100 ms");

    let cached = || ComponentCache::Directory(cache.to_owned());
    let filling = runtime(cached())?;
    for component in components {
        filling.load(component.clone()).await?;
    }
    let loading = runtime(cached())?;
    let mut times = Vec::with_capacity(LOADS * components.len());
    for _ in 0..LOADS {
        for component in components {
            let bytes = component.clone();
            let started = Instant::now();
            loading.load(bytes).await?;
            times.push(started.elapsed());
        }
    }
    row("load from the disk cache, with `describe`, p50 / p99", &both(&mut times), "p50 <= 0.5 ms");
    Ok(())
}
