//! The example application from its Compose file to a second disk restored from a snapshot of the first.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::{
    core::v1::{PersistentVolume, PersistentVolumeClaim, Pod},
    networking::v1::Ingress,
};
use kompox_crds::v1alpha1::{KompoxApp, KompoxDisk};
use kompox_tests::{
    objects, scenario,
    scene::{PATIENCE, Scene, is},
    stage::Stage,
};
use kube::{
    Api,
    api::{DeleteParams, ListParams},
};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

pub(super) async fn from_compose_to_a_restored_disk(stage: &Stage) -> Result<()> {
    let scene = Scene::open(stage, "gitea").await?;
    scene.apply(&scenario::app()?).await?;
    scene
        .apply(&scene.disk("default", "size: 10Gi, deletionPolicy: Delete, trashRetentionSeconds: 0"))
        .await?;
    let app = scene.app_ready("gitea").await?;
    let status = app.status.context("the app has a status")?;
    ensure!(status.services_ready.as_deref() == Some("2/2"), "{status:?}");
    bound(&scene).await?;
    attached(&scene, "True").await?;
    let ingresses = scene.api::<Ingress>().list(&ListParams::default()).await?;
    ensure!(ingresses.items.len() == 1, "{ingresses:?}");

    scene.apply(scenario::SNAPSHOT).await?;
    scene.snapshot_ready(scenario::SNAPSHOT_NAME).await?;
    let restore = format!("source: {{snapshotRef: {{name: {}}}}}, zone: us-west-2b", scenario::SNAPSHOT_NAME);
    scene.apply(&scene.disk("restored", &restore)).await?;
    let restored = scene.disk_ready("restored").await?;
    let from = restored.status.and_then(|status| status.capacity).context("it has a size")?;
    ensure!(from.0 == "10Gi", "{from:?}");

    // Pods die and come back on the same disk; the app goes, and its disk is free again.
    let old = ready_pods(&scene).await?;
    ensure!(old.len() == 2, "{old:?}");
    scene.api::<Pod>().delete_collection(&DeleteParams::default(), &ListParams::default()).await?;
    let deadline = Instant::now() + PATIENCE;
    while ready_pods(&scene).await?.difference(&old).count() < 2 {
        ensure!(Instant::now() < deadline, "the pods did not come back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bound(&scene).await?;
    scene.app_ready("gitea").await?;
    scene.delete::<KompoxApp>("gitea").await?;
    let disk = scene.api::<KompoxDisk>().get("default").await?;
    ensure!(disk.status.is_some_and(|status| status.used_by.is_none()), "the lock is not released");
    let claims = scene.api::<PersistentVolumeClaim>().list(&ListParams::default()).await?;
    ensure!(claims.items.is_empty(), "{claims:?}");
    attached(&scene, "False").await?;
    scene.delete::<KompoxDisk>("default").await?;
    scene.close().await
}

/// Waits until the disk says whether a node has it attached, and which.
async fn attached(scene: &Scene<'_>, expected: &str) -> Result<()> {
    let says = |disk: &KompoxDisk| is(disk, "Attached", "status", expected);
    let disk = objects::wait_for(&scene.api(), "default", PATIENCE, says).await?;
    let nodes = disk.status.map(|status| status.attached_to).unwrap_or_default();
    ensure!(nodes.is_empty() == (expected == "False"), "{nodes:?}");
    Ok(())
}

/// uids of the pods that are Ready.
async fn ready_pods(scene: &Scene<'_>) -> Result<BTreeSet<String>> {
    let pods = scene.api::<Pod>().list(&ListParams::default()).await?;
    Ok(pods
        .items
        .into_iter()
        .filter(|pod| is(pod, "Ready", "status", "True"))
        .filter_map(|pod| pod.metadata.uid)
        .collect())
}

/// The disk's volume is bound to a claim of the app, under that claim's uid.
async fn bound(scene: &Scene<'_>) -> Result<()> {
    let disk = scene.api::<KompoxDisk>().get("default").await?;
    let status = disk.status.context("the disk has a status")?;
    let volume = status.pv_name.context("the disk has a volume")?;
    let volume: PersistentVolume = Api::all(scene.client()).get(&volume).await?;
    let reference = volume.spec.and_then(|spec| spec.claim_ref).context("the volume has a claim")?;
    let name = reference.name.context("the claim has a name")?;
    let claim = scene.api::<PersistentVolumeClaim>().get(&name).await?;
    ensure!(claim.metadata.uid == reference.uid, "the volume belongs to another claim");
    ensure!(
        claim.status.and_then(|status| status.phase).as_deref() == Some("Bound"),
        "the claim is not bound"
    );
    ensure!(status.used_by.is_some_and(|holder| holder.kind == "KompoxApp"), "the disk is not locked");
    Ok(())
}
