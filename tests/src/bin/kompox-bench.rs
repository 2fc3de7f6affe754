//! Measurements against a limit taken in the same run. Prints figures; judges nothing.

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, Subcommand};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::PersistentVolume;
use kompox_crds::v1alpha1::{KompoxDisk, KompoxDiskStatus};
use kompox_devcluster::Reporter;
use kompox_tests::{
    scene::{Scene, is},
    stage::Stage,
};
use kube::{
    Api, ResourceExt as _,
    api::{ListParams, Patch, PatchParams, PostParams},
};
use serde_json::json;
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// Requests in flight at once of whoever applies objects, and of the bare writes: the operator's own
/// default.
const AT_ONCE: usize = 8;
/// How long the steady state is watched.
const STEADY: Duration = Duration::from_secs(60);

/// Measures Kompox.
#[derive(Debug, Parser)]
#[command(name = "kompox-bench")]
struct Args {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// Many disks to Ready, against the same writes made bare; memory; requests in steady state.
    Disks {
        /// How many.
        #[arg(long, default_value_t = 1000)]
        count: usize,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let Subject::Disks { count } = Args::parse().subject;
    println!("simulated: the pods and the AWS cloud (moto, a Python program: its own time is shown apart)");
    let stage = Stage::start_audited(Reporter::default()).await?;
    let measured = disks(&stage, count).await;
    stage.stop().await?;
    measured
}

async fn disks(stage: &Stage, count: usize) -> Result<()> {
    let scene = Scene::open(stage, "bench").await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    println!("operator RSS idle: {} MiB", resident(&scene)?);
    let before = writes(&scene).await?;
    let operated = operate(&scene, count).await?;
    println!("{count} disks to Ready: {:.1} s", operated.as_secs_f64());
    println!("API writes per disk: {:.2}", (writes(&scene).await? - before) / count as f64);
    println!("operator RSS with {count} disks: {} MiB", resident(&scene)?);
    let cloud = cloud_time(&scene).await?;
    println!("of it in driver calls, summed over {AT_ONCE} at once: {cloud:.1} s");
    tokio::time::sleep(Duration::from_secs(10)).await;
    let seen = audited(stage)?;
    tokio::time::sleep(STEADY).await;
    println!("operator requests in {} s of steady state: {}", STEADY.as_secs(), audited(stage)? - seen);
    let bare = bare(&scene, count).await?;
    println!("the same writes made bare: {:.1} s", bare.as_secs_f64());
    println!("ratio: {:.2}", operated.as_secs_f64() / bare.as_secs_f64());
    scene.close().await
}

/// From the first object applied to the last one Ready.
async fn operate(scene: &Scene<'_>, count: usize) -> Result<Duration> {
    let api = scene.api::<KompoxDisk>();
    let started = Instant::now();
    create(scene, &api, count, "d").await?;
    loop {
        let disks = api.list(&ListParams::default()).await?;
        let ready = disks.items.iter().filter(|disk| is(disk, "Ready", "status", "True")).count();
        if ready == count {
            return Ok(started.elapsed());
        }
        ensure!(started.elapsed() < Duration::from_secs(1800), "only {ready} of {count} are ready");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

async fn create(scene: &Scene<'_>, api: &Api<KompoxDisk>, count: usize, prefix: &str) -> Result<()> {
    let disks = (0..count).map(|number| {
        let disk = serde_json::from_str::<KompoxDisk>(&scene.disk(&format!("{prefix}-{number:04}"), ""));
        async move { Ok::<_, anyhow::Error>(api.create(&PostParams::default(), &disk?).await?) }
    });
    futures::stream::iter(disks).buffer_unordered(AT_ONCE).try_for_each(|_| std::future::ready(Ok(()))).await
}

/// What the operator writes, written by nobody who thinks: the object, a finalizer, three times the
/// status, the volume. In a namespace that no operator looks after.
async fn bare(scene: &Scene<'_>, count: usize) -> Result<Duration> {
    let api = Api::<KompoxDisk>::namespaced(scene.client(), "default");
    let volumes = Api::<PersistentVolume>::all(scene.client());
    let pattern = scene.api::<KompoxDisk>().get("d-0000").await?;
    let status = pattern.status.clone().context("the pattern has a status")?;
    let volume = volumes.get(status.pv_name.as_deref().unwrap_or_default()).await?;
    let started = Instant::now();
    create(scene, &api, count, "bare").await?;
    let work = (0..count).map(|number| write_bare(&api, &volumes, &status, &volume, number));
    futures::stream::iter(work)
        .buffer_unordered(AT_ONCE)
        .try_for_each(|()| std::future::ready(Ok(())))
        .await?;
    Ok(started.elapsed())
}

async fn write_bare(
    api: &Api<KompoxDisk>,
    volumes: &Api<PersistentVolume>,
    status: &KompoxDiskStatus,
    volume: &PersistentVolume,
    number: usize,
) -> Result<()> {
    let name = format!("bare-{number:04}");
    let finalizer = json!({ "metadata": { "finalizers": ["kompox.dev/bench"] } });
    let mut disk = api.patch(&name, &PatchParams::default(), &Patch::Merge(finalizer)).await?;
    for step in 1..=3 {
        disk.status = Some(KompoxDiskStatus { attempts: Some(step), ..status.clone() });
        disk = api.replace_status(&name, &PostParams::default(), &disk).await?;
    }
    let mut volume = volume.clone();
    volume.metadata.name = Some(format!("bare-{number:04}"));
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

/// The operator's requests so far, from the API server's audit log.
fn audited(stage: &Stage) -> Result<usize> {
    let log = std::fs::read_to_string(stage.audit_log())?;
    let ours = log.lines().filter(|line| line.contains(r#""userAgent":"kompox-operator"#));
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
