//! Many disks to Ready, against the same writes made bare. Needs the control plane of the tests.

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::PersistentVolume;
use kompox_crds::v1alpha1::{KompoxDisk, KompoxDiskStatus};
use kompox_devcluster::Reporter;
use kompox_tests::{
    cloud::Instant,
    scene::{Scene, is},
    stage::Stage,
};
use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams, PostParams},
    runtime::{WatchStreamExt as _, watcher},
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::{self, Duration},
};

/// Requests in flight at once of whoever applies objects: the operator's own default.
const AT_ONCE: usize = 32;
/// The operator's lines in the audit log.
const OPERATOR: &str = r#""userAgent":"kompox-operator"#;
/// Requests in flight at once of the bare writes; the fastest counts as the limit.
const BARE_AT_ONCE: [usize; 3] = [8, 32, 64];
/// Longest wait for all disks.
const PATIENCE: Duration = Duration::from_secs(900);
/// How long the steady state is watched.
const STEADY: Duration = Duration::from_secs(60);

/// Who plays AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cloud {
    /// Answers from memory at once, and checks nothing.
    Instant,
    /// Checks signatures and policies.
    Moto,
}

/// Measures and prints.
///
/// # Errors
/// When the measurement fails.
pub(crate) async fn run(count: usize, cloud: Cloud) -> Result<()> {
    println!("simulated: the pods and the AWS cloud ({cloud:?})");
    let stage = Stage::start_audited(Reporter::default()).await?;
    let measured = disks(&stage, count, cloud).await;
    stage.stop().await?;
    measured
}

async fn disks(stage: &Stage, count: usize, cloud: Cloud) -> Result<()> {
    let mut scene = Scene::open(stage, "bench").await?;
    let instant = Instant::start().await?;
    if cloud == Cloud::Instant {
        scene.endpoints = instant.endpoints();
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    println!("operator RSS idle: {} MiB", resident(&scene)?);
    let before = writes(&scene).await?;
    let operated = operate(&scene, count).await?;
    println!("{count} disks to Ready: {:.1} s", operated.as_secs_f64());
    println!("API writes per disk: {:.2}", (writes(&scene).await? - before) / count as f64);
    for (what, times) in requests(stage)? {
        println!("  {what}: {times}");
    }
    println!("operator RSS with {count} disks: {} MiB", resident(&scene)?);
    let cloud = cloud_time(&scene).await?;
    println!("of it in driver calls, summed over {AT_ONCE} at once: {cloud:.1} s");
    tokio::time::sleep(Duration::from_secs(10)).await;
    let seen = audited(stage)?;
    tokio::time::sleep(STEADY).await;
    println!("operator requests in {} s of steady state: {}", STEADY.as_secs(), audited(stage)? - seen);
    let mut limit = Duration::MAX;
    for at_once in BARE_AT_ONCE {
        let taken = bare(&scene, count, at_once).await?;
        println!("the same writes made bare, {at_once} at once: {:.1} s", taken.as_secs_f64());
        limit = limit.min(taken);
    }
    println!("ratio to the fastest of them: {:.2}", operated.as_secs_f64() / limit.as_secs_f64());
    scene.close().await
}

/// From the first object applied to the last one Ready, as a watch sees it.
async fn operate(scene: &Scene<'_>, count: usize) -> Result<Duration> {
    let api = scene.api::<KompoxDisk>();
    let mut watch = std::pin::pin!(watcher(api.clone(), watcher::Config::default()).applied_objects());
    let mut ready = BTreeSet::new();
    let started = time::Instant::now();
    let all_ready = async {
        while ready.len() < count {
            let disk = watch.next().await.context("the watch ended")?;
            // A watch that breaks is opened again by itself.
            ready.extend(
                disk.ok().filter(|disk| is(disk, "Ready", "status", "True")).map(|disk| disk.name_any()),
            );
        }
        Ok(())
    };
    let waited = tokio::time::timeout(PATIENCE, all_ready);
    let (created, waited) = tokio::join!(create(scene, &api, count, "d", AT_ONCE), waited);
    created?;
    waited.unwrap_or_else(|_| Ok::<_, anyhow::Error>(()))?;
    ensure!(ready.len() == count, "only {} of {count} are ready after {PATIENCE:?}", ready.len());
    Ok(started.elapsed())
}

async fn create(
    scene: &Scene<'_>,
    api: &Api<KompoxDisk>,
    count: usize,
    prefix: &str,
    at_once: usize,
) -> Result<()> {
    let disks = (0..count).map(|number| {
        let disk = serde_json::from_str::<KompoxDisk>(&scene.disk(&format!("{prefix}-{number:04}"), ""));
        async move { Ok::<_, anyhow::Error>(api.create(&PostParams::default(), &disk?).await?) }
    });
    futures::stream::iter(disks).buffer_unordered(at_once).try_for_each(|_| std::future::ready(Ok(()))).await
}

/// What the operator writes, written by nobody who thinks: the object, a finalizer, three times the
/// status, the volume. In a namespace that no operator looks after.
async fn bare(scene: &Scene<'_>, count: usize, at_once: usize) -> Result<Duration> {
    let api = Api::<KompoxDisk>::namespaced(scene.client(), "default");
    let volumes = Api::<PersistentVolume>::all(scene.client());
    let pattern = scene.api::<KompoxDisk>().get("d-0000").await?;
    let status = pattern.status.clone().context("the pattern has a status")?;
    let volume = volumes.get(status.pv_name.as_deref().unwrap_or_default()).await?;
    let started = time::Instant::now();
    let prefix = format!("bare-{at_once}");
    create(scene, &api, count, &prefix, at_once).await?;
    let work = (0..count)
        .map(|number| write_bare(&api, &volumes, &status, &volume, format!("{prefix}-{number:04}")));
    futures::stream::iter(work)
        .buffer_unordered(at_once)
        .try_for_each(|()| std::future::ready(Ok(())))
        .await?;
    Ok(started.elapsed())
}

async fn write_bare(
    api: &Api<KompoxDisk>,
    volumes: &Api<PersistentVolume>,
    status: &KompoxDiskStatus,
    volume: &PersistentVolume,
    name: String,
) -> Result<()> {
    let finalizer = json!({ "metadata": { "finalizers": ["kompox.dev/bench"] } });
    let mut disk = api.patch(&name, &PatchParams::default(), &Patch::Merge(finalizer)).await?;
    for step in 1..=3 {
        disk.status = Some(KompoxDiskStatus { attempts: Some(step), ..status.clone() });
        disk = api.replace_status(&name, &PostParams::default(), &disk).await?;
    }
    let mut volume = volume.clone();
    volume.metadata.name = Some(name.clone());
    volume.metadata.resource_version = None;
    volume.metadata.uid = None;
    volume.status = None;
    volumes.create(&PostParams::default(), &volume).await?;
    ensure!(disk.name_any() == name);
    Ok(())
}

/// A sum over the samples of a metric of the operator.
async fn metric(scene: &Scene<'_>, name: &str) -> Result<f64> {
    let page = scene.operator()?.get("/metrics").await?;
    let samples = page.lines().filter(|line| line.starts_with(name));
    Ok(samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
}

async fn writes(scene: &Scene<'_>) -> Result<f64> {
    metric(scene, "kompox_api_writes_total").await
}

async fn cloud_time(scene: &Scene<'_>) -> Result<f64> {
    metric(scene, "kompox_driver_call_duration_seconds_sum").await
}

/// What the operator asked for so far, verb and resource, and how often.
fn requests(stage: &Stage) -> Result<BTreeMap<String, usize>> {
    let mut found = BTreeMap::new();
    for line in std::fs::read_to_string(stage.audit_log())?.lines().filter(|line| line.contains(OPERATOR)) {
        let entry: serde_json::Value = serde_json::from_str(line)?;
        let word = |pointer: &str| entry.pointer(pointer).and_then(|word| word.as_str()).unwrap_or_default();
        let what = [word("/verb"), word("/objectRef/resource"), word("/objectRef/subresource")].join(" ");
        *found.entry(what.trim_end().to_owned()).or_default() += 1;
    }
    Ok(found)
}

/// The operator's requests so far, from the API server's audit log.
fn audited(stage: &Stage) -> Result<usize> {
    let log = std::fs::read_to_string(stage.audit_log())?;
    let ours = log.lines().filter(|line| line.contains(OPERATOR));
    Ok(ours
        .filter(|line| !line.contains(r#""verb":"watch""#) && !line.contains(r#""resource":"leases""#))
        .count())
}

fn resident(scene: &Scene<'_>) -> Result<u64> {
    let pid = scene.operator()?.pid().context("the operator has no pid")?;
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS")).context("no VmRSS")?;
    let kibibytes: u64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kibibytes / 1024)
}
