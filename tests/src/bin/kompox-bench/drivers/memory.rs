//! The memory of drivers, in a process that has not compiled any: as an operator that found them in its cache.

use super::{DRIVERS, call, components, loopback, native::Native, row, runtime};
use crate::machine::resident;
use anyhow::{Context as _, Result, anyhow, ensure};
use kompox_core::driver::Driver as _;
use kompox_driver_runtime::{ComponentCache, LoadedDriver};
use std::{path::Path, process::Command, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    task::JoinSet,
};

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
        let connections = connections().await?;
        let calls = instances(&driver).await?;
        let (each, connection) = (calls.each, connections.each);
        let kib = |bytes: f64| format!("{:.1} KiB", bytes / 1024.0);
        row("memory of a call that waits for its cloud", &kib(each), "-");
        row("  of it: its connection, as it is of a native client", &kib(connection), "-");
        row("  of it: its instance", &kib(each - connection), "<= 64 KiB");
        Ok(())
    })
}

/// Bytes for each of as many native requests that wait for an answer.
async fn connections() -> Result<Waiting> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let native = Arc::new(Native::new(Handle::current()));
    grown(&listener, |calls| {
        let (native, url) = (Arc::clone(&native), url.clone());
        calls.spawn(async move { native.wait_for(&url).await });
    })
    .await
}

/// Bytes for each of many calls that wait for an answer.
async fn instances(driver: &Arc<LoadedDriver>) -> Result<Waiting> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}/", listener.local_addr()?);
    grown(&listener, |calls| {
        let call = call("eks", &["http://127.0.0.1:1/".to_owned(), endpoint.clone()]);
        let driver = Arc::clone(driver);
        calls.spawn(async move {
            driver.get_account(&call).await.map(drop).map_err(|error| anyhow!(error.message))
        });
    })
    .await
}

/// Calls that a server keeps waiting. They are held to the end: memory that one kind frees would be used again by the
/// next, which would then seem to need none.
struct Waiting {
    /// By how many bytes the process grew with each of them after the first.
    each: f64,
    _calls: JoinSet<Result<()>>,
    _silent: Vec<TcpStream>,
}

/// Starts the calls, each when the one before is waiting.
async fn grown(listener: &TcpListener, start: impl Fn(&mut JoinSet<Result<()>>)) -> Result<Waiting> {
    let mut calls = JoinSet::new();
    let mut silent = Vec::new();
    let mut before = 0;
    for number in 0..=INSTANCES {
        start(&mut calls);
        // It waits when its request is here.
        let accepted = tokio::time::timeout(Duration::from_secs(30), listener.accept()).await;
        let (stream, _) = accepted.context("a call sent nothing")??;
        stream.readable().await?;
        silent.push(stream);
        if number == 0 {
            before = resident();
        }
    }
    let added = resident().saturating_sub(before);
    Ok(Waiting { each: added as f64 / INSTANCES as f64, _calls: calls, _silent: silent })
}
