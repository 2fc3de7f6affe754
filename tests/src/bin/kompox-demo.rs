//! The demonstration: the example application on a real control plane, its disk made by the real driver
//! component in a simulated cloud, a snapshot, and a second disk restored from it.
//!
//! Pods and cloud are simulated, and every run says so first. Exits with 0 when everything got there.

use anyhow::{Context as _, Result};
use clap::Parser;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use kompox_crds::v1alpha1::{KompoxApp, KompoxDisk, KompoxSnapshot};
use kompox_devcluster::Reporter;
use kompox_tests::{
    scenario,
    scene::Scene,
    show::{Show, rows},
    stage::Stage,
};
use kube::{Api, api::ListParams};
use std::time::Instant;

/// Shows Kompox at work: Gitea with PostgreSQL from its Compose file, with a disk, a snapshot and a
/// restored disk.
#[derive(Debug, Parser)]
#[command(name = "kompox-demo")]
struct Args {
    /// Leave everything running until Ctrl-C, and print how to look around.
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let show = Show::new();
    show.say("Kompox: a Compose application on Kubernetes, its disk made by a WebAssembly driver");
    show.say("  real:      etcd, kube-apiserver, kube-controller-manager, kube-scheduler, operator, driver");
    show.say(&format!("  simulated: the pods ({}) and the AWS cloud (moto)", kompox_devcluster::BANNER));
    show.step("start the control plane and the simulated cloud");
    let reporter = {
        let show = show.clone();
        Reporter::new(move |progress| show.detail(&progress.to_string()))
    };
    let stage = Stage::start(reporter).await?;
    let played = tokio::select! {
        played = play(&stage, &show, &args) => played,
        interrupted = tokio::signal::ctrl_c() => interrupted.context("failed to listen for Ctrl-C"),
    };
    show.step("stop everything");
    let stopped = stage.stop().await;
    played?;
    stopped?;
    show.say("Nothing is left running.");
    Ok(())
}

async fn play(stage: &Stage, show: &Show, args: &Args) -> Result<()> {
    let started = Instant::now();
    show.step("start the operator with the driver component");
    let scene = Scene::open(stage, "demo").await?;
    show.detail(&format!("driver {}", stage.programs.drivers.join("eks.wasm").display()));
    show.step("apply examples/gitea: Compose file, env files, disk, app");
    scene.apply(&scene.disk("default", "size: 10Gi, options: {type: gp3}")).await?;
    scene.apply(&scenario::app()?).await?;
    let watching = show.follow(scene.client(), &scene.namespace);
    scene.disk_ready("default").await?;
    show.detail(&format!("in the cloud, as the official AWS SDK sees it: {}", cloud(&scene).await?));
    scene.app_ready("gitea").await?;
    show.step("take a snapshot of the whole app");
    scene.apply(scenario::SNAPSHOT).await?;
    scene.snapshot_ready(scenario::SNAPSHOT_NAME).await?;
    show.step("restore it into a second disk, in another zone");
    let source = format!("source: {{snapshotRef: {{name: {}}}}}, zone: us-west-2b", scenario::SNAPSHOT_NAME);
    scene.apply(&scene.disk("restored", &source)).await?;
    scene.disk_ready("restored").await?;
    show.detail(&format!("in the cloud: {}", cloud(&scene).await?));
    watching.stop();
    summary(&scene, show).await?;
    show.say(&format!(
        "Done in {:.0} s after the start of the control plane.",
        started.elapsed().as_secs_f64()
    ));
    if args.keep {
        look_around(&scene, show);
        tokio::signal::ctrl_c().await.context("failed to listen for Ctrl-C")?;
    }
    scene.close().await
}

/// Volumes of the demo's namespace, in the words of somebody else's client.
async fn cloud(scene: &Scene<'_>) -> Result<String> {
    Ok(scene.stage.boto.volumes_tagged("kompox-ns", &scene.namespace).await?.join(", "))
}

async fn summary(scene: &Scene<'_>, show: &Show) -> Result<()> {
    let all = ListParams::default();
    show.step("what there is now");
    show.table(&rows(
        scene.api::<KompoxApp>().list(&all).await?,
        &["/status/servicesReady", "/status/urls/0"],
    ));
    show.table(&rows(
        scene.api::<KompoxDisk>().list(&all).await?,
        &["/status/handle", "/status/capacity", "/status/zone", "/status/usedBy/name"],
    ));
    show.table(&rows(
        scene.api::<KompoxSnapshot>().list(&all).await?,
        &["/status/snapshotHandle", "/status/restoreSize"],
    ));
    show.table(&rows(
        scene.api::<PersistentVolumeClaim>().list(&all).await?,
        &["/status/phase", "/spec/volumeName"],
    ));
    let volumes: Api<PersistentVolume> = Api::all(scene.client());
    show.table(&rows(volumes.list(&all).await?, &["/status/phase", "/spec/claimRef/name"]));
    show.table(&rows(scene.api::<Pod>().list(&all).await?, &["/status/phase", "/spec/nodeName"]));
    Ok(())
}

fn look_around(scene: &Scene<'_>, show: &Show) {
    show.say("");
    show.say("Left running until Ctrl-C. In another terminal:");
    show.say(&format!("  export KUBECONFIG={}", scene.stage.cluster.kubeconfig_path().display()));
    show.say(&format!("  kubectl -n {} get kompox", scene.namespace));
    show.say(&format!("  kubectl -n {} describe kompoxdisk default", scene.namespace));
    show.say(&format!("  kubectl -n {} get statefulsets,pods,services,ingresses,pvc", scene.namespace));
}
