//! Measures what hosting a driver costs: loading with an empty and a filled cache, and a call.
//!
//! `cargo run --release --example figures -- driver.wasm provider-type`

use kompox_core::driver::{Call, ClusterIdentity, Credentials, DiskRequest, Driver as _};
use kompox_driver_runtime::{ComponentCache, Runtime, RuntimeOptions};
use std::{
    collections::BTreeMap,
    error::Error,
    time::{Duration, Instant},
};

const CALLS: usize = 2_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(provider_type)) = (arguments.next(), arguments.next()) else {
        return Err("give a component and one of its provider types".into());
    };
    let bytes = std::fs::read(&path)?;
    let cache = std::env::temp_dir().join(format!("kompox-figures-{}", std::process::id()));
    let mut driver = None;
    for label in ["compiled", "from cache"] {
        let options =
            RuntimeOptions { cache: ComponentCache::Directory(cache.clone()), ..RuntimeOptions::default() };
        let runtime = Runtime::new(options)?;
        let started = Instant::now();
        driver = Some(runtime.load(bytes.clone()).await?);
        println!("load, {label}: {:?}", started.elapsed());
    }
    std::fs::remove_dir_all(&cache)?;
    let Some(driver) = driver else { return Ok(()) };

    let call = Call {
        provider_type,
        config: BTreeMap::new(),
        cluster: ClusterIdentity::default(),
        credentials: Credentials::default(),
        subject: "figures".to_owned(),
        timeout: Duration::from_secs(5),
    };
    let request = DiskRequest { size_bytes: 1 << 30, ..DiskRequest::default() };
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let started = Instant::now();
        // A refusal is an answer too: what is measured is the way there and back.
        let _ = driver.plan(&call, &request).await;
        times.push(started.elapsed());
    }
    times.sort();
    let at = |part: usize| times.get(CALLS * part / 100).copied().unwrap_or_default();
    println!("plan, fresh instance each: p50 {:?}, p99 {:?}", at(50), at(99));
    Ok(())
}
