//! A whole creation of a disk, by the same logic as a component and linked natively, against the same server: look for
//! it by name, create it, look for it by handle, describe its volume. One after the other, in turns.

use super::{call, loopback, native::Native, percentile, row, runtime, text};
use anyhow::{Context as _, Result, anyhow, ensure};
use kompox_core::driver::{Call, DiskInfo, DiskRequest, Driver as _, Intent, Query, VolumeRequest};
use kompox_driver_runtime::{ComponentCache, LoadedDriver};
use kompox_driver_sdk::{
    call::{CallContext, Cluster},
    disk::{DiskRequest as NativeRequest, Source, VolumeRequest as NativeVolumeRequest},
    types::{Error, Intent as NativeIntent, Query as NativeQuery},
};
use kompox_native_eks::Eks;
use kompox_tests::cloud;
use std::time::{Duration, Instant};

/// Creations of each kind, and before them those that are not counted.
const AT_ONCE: (usize, usize) = (300, 30);
const AFTER_A_WAIT: (usize, usize) = (60, 5);
/// How long the server of the second comparison thinks: less than any cloud.
const WAIT: Duration = Duration::from_millis(20);
/// Functions of the driver that one creation calls.
const FUNCTIONS: u32 = 4;

/// Measures and prints.
pub(super) fn run(tokio: &tokio::runtime::Runtime, component: &[u8]) -> Result<()> {
    let runtime = runtime(ComponentCache::Disabled)?;
    let driver = tokio.block_on(runtime.load(component.to_vec()))?.granted(loopback()?);
    let at_once = compare(tokio, &driver, Duration::ZERO, AT_ONCE)?;
    row("whole creation, server answers at once: native", &text(at_once.native), "-");
    row("whole creation, server answers at once: component", &text(at_once.component), "-");
    let added = at_once.component.saturating_sub(at_once.native) / FUNCTIONS;
    row("  what being a component adds to each of its 4 calls", &text(added), "-");
    let waiting = compare(tokio, &driver, WAIT, AFTER_A_WAIT)?;
    row("whole creation, server takes 20 ms: native", &text(waiting.native), "-");
    row("whole creation, server takes 20 ms: component", &text(waiting.component), "-");
    let ratio = |times: &Times| times.component.as_secs_f64() / times.native.as_secs_f64();
    row("  ratio, server answers at once", &format!("{:.3}", ratio(&at_once)), "- (no cloud does)");
    row("  ratio, server takes 20 ms", &format!("{:.3}", ratio(&waiting)), "<= 1.02");
    Ok(())
}

/// Medians.
struct Times {
    native: Duration,
    component: Duration,
}

fn compare(
    tokio: &tokio::runtime::Runtime,
    driver: &LoadedDriver,
    wait: Duration,
    (rounds, warm_up): (usize, usize),
) -> Result<Times> {
    let server = tokio.block_on(cloud::Instant::start_after(wait))?;
    let call = call("eks", &server.endpoints());
    let mut transport = Native::new(tokio.handle().clone());
    let (mut native, mut component) = (Vec::new(), Vec::new());
    for round in 0..warm_up + rounds {
        let started = Instant::now();
        create_natively(&call, &mut transport, 2 * round)?;
        let halfway = Instant::now();
        tokio.block_on(create(&call, driver, 2 * round + 1))?;
        if round >= warm_up {
            native.push(halfway.duration_since(started));
            component.push(halfway.elapsed());
        }
    }
    Ok(Times { native: percentile(&mut native, 50), component: percentile(&mut component, 50) })
}

fn name(number: usize) -> String {
    format!("k4x-{number:012x}-1")
}

fn tags(number: usize) -> [(String, String); 2] {
    [("kompox-cluster".to_owned(), "bench".to_owned()), ("kompox-uid".to_owned(), format!("{number:032x}"))]
}

async fn create(call: &Call, driver: &LoadedDriver, number: usize) -> Result<()> {
    let by_name = Query { name: Some(name(number)), ..Query::default() };
    let found = driver.find_disks(call, &by_name, None).await?;
    ensure!(found.items.is_empty(), "the disk is there already");
    let intent = Intent { name: name(number), token: format!("{number:032x}"), tags: tags(number).into() };
    let request =
        DiskRequest { size_bytes: 1 << 30, zone: Some("us-west-2a".to_owned()), ..DiskRequest::default() };
    let outcome = driver.create_disk(call, &intent, &request, None).await?;
    let handle = outcome.handle.context("no handle")?;
    let by_handle = Query { handles: vec![handle], ..Query::default() };
    let found = driver.find_disks(call, &by_handle, None).await?;
    let disk: DiskInfo = found.items.into_iter().next().context("the disk is not found")?;
    let request = VolumeRequest {
        handle: disk.handle,
        zone: disk.zone,
        attributes: disk.attributes,
        fs_type: None,
        block: false,
        read_only: false,
    };
    driver.volume_for(call, &request).await?;
    Ok(())
}

fn create_natively(call: &Call, transport: &mut Native, number: usize) -> Result<()> {
    let failed = |error: Error| anyhow!("the native driver failed: {} ({})", error.message, error.reason);
    // Each function reads its configuration, as each instance does.
    let context = || CallContext {
        provider_type: call.provider_type.clone(),
        config: serde_json::json!(call.config).to_string(),
        cluster: Cluster { uid: call.cluster.uid.clone(), name: None, region: None },
        traceparent: None,
        attributes: Vec::new(),
    };
    let query = |handles: Vec<String>, name: Option<String>| NativeQuery {
        handles,
        name,
        tags: Vec::new(),
        disk_handle: None,
        limit: 0,
    };
    let by_name = query(Vec::new(), Some(name(number)));
    let found =
        Eks::new(&context(), transport).and_then(|mut eks| eks.find(&by_name, None)).map_err(failed)?;
    ensure!(found.items.is_empty(), "the disk is there already");
    let intent =
        NativeIntent { name: name(number), token: format!("{number:032x}"), tags: tags(number).into() };
    let request = NativeRequest {
        size_bytes: 1 << 30,
        zone: Some("us-west-2a".to_owned()),
        source: Source::Empty,
        options: Vec::new(),
    };
    let made = Eks::new(&context(), transport).and_then(|mut eks| eks.create(&intent, &request, None));
    let handle = made.map_err(failed)?.handle.context("no handle")?;
    let by_handle = query(vec![handle], None);
    let found =
        Eks::new(&context(), transport).and_then(|mut eks| eks.find(&by_handle, None)).map_err(failed)?;
    let disk = found.items.into_iter().next().context("the disk is not found")?;
    let request = NativeVolumeRequest {
        handle: disk.handle,
        zone: disk.zone,
        attributes: disk.attributes,
        fs_type: None,
        block: false,
        read_only: false,
    };
    Eks::new(&context(), transport).and_then(|eks| eks.volume_for(&request)).map_err(failed)?;
    Ok(())
}
