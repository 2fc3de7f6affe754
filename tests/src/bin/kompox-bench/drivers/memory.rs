//! The memory of drivers, in a process that has not compiled any: as an operator that found them in its cache.

use super::{DRIVERS, call, components, loopback, row, runtime};
use crate::machine::resident;
use anyhow::{Context as _, Result, ensure};
use kompox_core::driver::Driver as _;
use kompox_driver_runtime::{ComponentCache, LoadedDriver};
use std::{path::Path, process::Command, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinSet};

/// Instances that are alive at once. One more makes the 32 calls that the operator makes of a driver at once by default:
/// a further one would wait for its turn, and never send.
const INSTANCES: usize = 31;

/// Measures in a process of its own and prints.
pub(super) fn run(cache: &Path) -> Result<()> {
    let program = std::env::current_exe()?;
    let output = Command::new(program).arg("drivers-memory").arg(cache).output()?;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "measuring memory failed: {complaint}");
    print!("{}", String::from_utf8(output.stdout)?);
    Ok(())
}

/// What the process of [`run`] does.
///
/// # Errors
/// When something cannot be measured.
pub(crate) fn measure(cache: &Path) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let runtime = runtime(ComponentCache::Directory(cache.to_owned()))?;
        let components = components()?;
        let before = resident();
        let mut drivers = Vec::new();
        for component in components {
            drivers.push(runtime.load(component).await?);
        }
        let added = resident().saturating_sub(before);
        row(
            &format!("memory that {DRIVERS} drivers add"),
            &format!("{:.1} MiB", added as f64 / f64::from(1 << 20)),
            "<= 15 MiB",
        );
        let driver = drivers.first().context("there is no driver")?.granted(loopback()?);
        let each = instances(&driver).await?;
        row(
            "memory of a live instance that waits for its cloud",
            &format!("{:.1} KiB", each / 1024.0),
            "<= 64 KiB",
        );
        Ok(())
    })
}

/// Bytes for each of many instances that wait for an answer, its connection included.
async fn instances(driver: &Arc<LoadedDriver>) -> Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}/", listener.local_addr()?);
    let mut calls = JoinSet::new();
    let mut silent = Vec::new();
    let mut before = 0;
    for number in 0..=INSTANCES {
        let call = call("eks", &["http://127.0.0.1:1/".to_owned(), endpoint.clone()]);
        let driver = Arc::clone(driver);
        calls.spawn(async move { driver.get_account(&call).await.map(drop) });
        // It waits when its request is here.
        let accepted = tokio::time::timeout(Duration::from_secs(30), listener.accept()).await;
        let (stream, _) = accepted.context("an instance sent nothing")??;
        stream.readable().await?;
        silent.push(stream);
        if number == 0 {
            before = resident();
        }
    }
    let added = resident().saturating_sub(before);
    calls.abort_all();
    Ok(added as f64 / INSTANCES as f64)
}
