//! What it costs that drivers are components. Needs the built drivers (`KOMPOX_DRIVERS_DIR`), no control plane. The
//! numbers of repetitions are fixed. Each figure stands beside what it should be.

mod calls;
mod create;
pub(crate) mod memory;
mod native;
mod swaps;

use crate::machine;
use anyhow::{Context as _, Result, ensure};
use kompox_core::driver::{Call, ClusterIdentity, Credentials};
use kompox_driver_runtime::{ComponentCache, EgressGrant, PlainHttp, Runtime, RuntimeOptions};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// How many drivers an operator is taken to have.
const DRIVERS: usize = 5;
/// The smallest driver, whose functions do nothing: a committed component.
const NO_OP: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../crates/kompox-driver-runtime/tests/generations/0.1/smallest.wasm"
);

/// Measures and prints.
///
/// # Errors
/// When something cannot be measured.
pub(crate) fn run() -> Result<()> {
    println!("machine: {}", machine::facts());
    println!("simulated: the AWS cloud, a server of ours on the loopback interface\n");
    let tokio = tokio::runtime::Runtime::new()?;
    let components = components()?;
    let cache = tempfile::tempdir()?;
    tokio.block_on(calls::no_op())?;
    tokio.block_on(calls::load(&components, cache.path()))?;
    memory::run(cache.path())?;
    create::run(&tokio, components.first().context("there is no driver")?)?;
    tokio.block_on(swaps::run())
}

/// One line: what, how much, and how much it should be.
fn row(what: &str, figure: &str, target: &str) {
    println!("{what:<64} {figure:>24}   target {target}");
}

/// A time as people read it.
fn text(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 1000.0 { format!("{micros:.1} µs") } else { format!("{:.2} ms", micros / 1e3) }
}

/// The value below which so many of a hundred lie.
fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    let last = times.len().saturating_sub(1);
    times.get(last * percent / 100).copied().unwrap_or_default()
}

fn both(times: &mut [Duration]) -> String {
    format!("{} / {}", text(percentile(times, 50)), text(percentile(times, 99)))
}

/// As many components as an operator has drivers. Those that are built come first; versions of the first stand in for
/// the others.
fn components() -> Result<Vec<Vec<u8>>> {
    let folder =
        std::env::var_os("KOMPOX_DRIVERS_DIR").context("KOMPOX_DRIVERS_DIR is set by `cargo xtask bench`")?;
    let mut paths: Vec<PathBuf> = std::fs::read_dir(Path::new(&folder))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        .collect();
    // The driver that is also linked natively.
    paths.sort_by_key(|path| (path.file_stem().is_none_or(|stem| stem != "eks"), path.clone()));
    let mut components = paths.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    let first = components.first().context("no driver is built")?.clone();
    for number in components.len()..DRIVERS {
        components.push(version(&first, number)?);
    }
    Ok(components)
}

/// The component as another version of itself.
fn version(component: &[u8], number: usize) -> Result<Vec<u8>> {
    let (from, to) = (b"\"version\": \"0.1.0\"".as_slice(), format!("\"version\": \"0.1.{number}\""));
    ensure!(from.len() == to.len(), "version {number} is longer than what it replaces");
    let at = component.windows(from.len()).position(|window| window == from).context("no version in it")?;
    let mut changed = component.to_vec();
    changed.splice(at..at + from.len(), to.into_bytes());
    Ok(changed)
}

/// A runtime whose drivers may reach the loopback interface.
fn runtime(cache: ComponentCache) -> Result<Runtime> {
    Ok(Runtime::new(RuntimeOptions { cache, ..RuntimeOptions::default() })?)
}

fn loopback() -> Result<EgressGrant> {
    Ok(EgressGrant {
        plain_http: PlainHttp::InGrantedNetworks,
        networks: vec!["127.0.0.0/8".parse()?],
        ..EgressGrant::default()
    })
}

/// A call for `provider_type` at these endpoints.
fn call(provider_type: &str, endpoints: &[String; 2]) -> Call {
    let [ec2, sts] = endpoints;
    let config = [("region", "us-west-2"), ("endpoint", ec2), ("stsEndpoint", sts)];
    let secrets = [("accessKeyId", native::KEY_ID), ("secretAccessKey", native::KEY)];
    Call {
        provider_type: provider_type.to_owned(),
        config: config.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        cluster: ClusterIdentity { uid: "cluster-1".to_owned(), ..ClusterIdentity::default() },
        credentials: Credentials::new(
            secrets
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.into()))
                .collect::<BTreeMap<_, _>>(),
        ),
        subject: "KompoxDisk/bench/data".to_owned(),
        timeout: Duration::from_secs(60),
    }
}
