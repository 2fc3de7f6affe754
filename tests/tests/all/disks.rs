//! Lives of disks on the real control plane, with the real driver component.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume};
use kompox_crds::v1alpha1::{KompoxDisk, KompoxSnapshot};
use kompox_tests::{
    cloud::Fault,
    objects,
    scene::{PATIENCE, Scene, is},
    stage::Stage,
};
use kube::{Api, api::DeleteParams};
use std::time::Duration;

/// Handles of all volumes that carry the namespace's tag.
async fn volumes(scene: &Scene<'_>) -> Result<Vec<String>> {
    scene.stage.boto.volumes_tagged("kompox-ns", &scene.namespace).await
}

fn handle(disk: &KompoxDisk) -> Result<String> {
    disk.status.as_ref().and_then(|status| status.handle.clone()).context("the disk has no handle")
}

async fn volume_of(scene: &Scene<'_>, disk: &KompoxDisk) -> Result<PersistentVolume> {
    let name =
        disk.status.as_ref().and_then(|status| status.pv_name.clone()).context("the disk has no volume")?;
    Ok(Api::<PersistentVolume>::all(scene.client()).get(&name).await?)
}

pub(super) async fn made_and_left(stage: &Stage) -> Result<()> {
    let scene = Scene::open(stage, "left").await?;
    scene.apply(&scene.disk("data", "")).await?;
    let disk = scene.disk_ready("data").await?;
    let volume = volume_of(&scene, &disk).await?;
    let spec = volume.spec.context("the volume has a spec")?;
    let csi = spec.csi.context("the volume is a CSI volume")?;
    ensure!(csi.driver == "ebs.csi.aws.com" && csi.volume_handle == handle(&disk)?, "{csi:?}");
    ensure!(spec.persistent_volume_reclaim_policy.as_deref() == Some("Retain"));
    let claim = spec.claim_ref.context("the volume is parked")?;
    ensure!(claim.uid == disk.metadata.uid && claim.name.as_deref() == Some("parked"), "{claim:?}");
    let affinity = serde_json::to_string(&spec.node_affinity)?;
    ensure!(
        affinity.contains("topology.kubernetes.io/zone") && affinity.contains("us-west-2a"),
        "{affinity}"
    );
    // The default policy leaves the cloud disk.
    scene.delete::<KompoxDisk>("data").await?;
    ensure!(volumes(&scene).await? == [handle(&disk)?], "the disk is not there any more");
    let gone = Api::<PersistentVolume>::all(scene.client())
        .get_opt(&format!("kompox-{}", disk.metadata.uid.unwrap_or_default()))
        .await?;
    ensure!(gone.is_none(), "the volume is still there");
    scene.close().await
}

pub(super) async fn made_and_deleted(stage: &Stage) -> Result<()> {
    let scene = Scene::open(stage, "deleted").await?;
    scene.proxy.volumes_take(2);
    scene.proxy.snapshots_take(2);
    scene.apply(&scene.disk("data", "deletionPolicy: Delete, trashRetentionSeconds: 0")).await?;
    let disk = scene.disk_ready("data").await?;
    let snapshot = "{apiVersion: k8s.kompox.dev/v1alpha1, kind: KompoxSnapshot, metadata: {name: cut}, spec: {diskRef: {name: data}, deletionPolicy: Delete}}";
    scene.apply(snapshot).await?;
    scene.snapshot_ready("cut").await?;
    scene.apply(&scene.disk("copy", "source: {snapshotRef: {name: cut}}, zone: us-west-2b, deletionPolicy: Delete, trashRetentionSeconds: 0")).await?;
    let copy = scene.disk_ready("copy").await?;
    ensure!(copy.status.as_ref().and_then(|status| status.zone.as_deref()) == Some("us-west-2b"), "{copy:?}");
    ensure!(handle(&copy)? != handle(&disk)?);
    scene.delete::<KompoxDisk>("copy").await?;
    scene.delete::<KompoxSnapshot>("cut").await?;
    scene.delete::<KompoxDisk>("data").await?;
    ensure!(volumes(&scene).await?.is_empty(), "disks are left");
    scene.close().await
}

pub(super) async fn killed_in_the_middle_of_a_creation(stage: &Stage) -> Result<()> {
    let mut scene = Scene::open(stage, "killed").await?;
    // The disk is made, the answer never arrives, and the operator is killed while it waits for it.
    scene.proxy.inject("CreateVolume", Fault::LoseAnswer, 1);
    scene.proxy.lag(2);
    scene.apply(&scene.disk("data", "")).await?;
    let intended = |disk: &KompoxDisk| disk.status.as_ref().is_some_and(|status| status.creation.is_some());
    objects::wait_for(&scene.api::<KompoxDisk>(), "data", PATIENCE, intended).await?;
    let deadline = std::time::Instant::now() + PATIENCE;
    while scene.proxy.count("CreateVolume") == 0 {
        ensure!(std::time::Instant::now() < deadline, "the create request did not come");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    scene.kill_operator().await?;
    scene.start_operator().await?;
    let disk = scene.disk_ready("data").await?;
    ensure!(volumes(&scene).await? == [handle(&disk)?], "not exactly one disk exists");
    scene.close().await
}

pub(super) async fn adopted(stage: &Stage) -> Result<()> {
    let scene = Scene::open(stage, "adopted").await?;
    scene.apply(&scene.disk("first", "")).await?;
    let first = handle(&scene.disk_ready("first").await?)?;
    let adopting = format!("source: {{handle: {first}}}");
    scene.apply(&scene.disk("thief", &adopting)).await?;
    scene.disk_says("thief", "AlreadyClaimed").await?;
    scene.delete::<KompoxDisk>("thief").await?;
    scene.delete::<KompoxDisk>("first").await?;
    scene.apply(&scene.disk("heir", &adopting)).await?;
    ensure!(handle(&scene.disk_ready("heir").await?)? == first);
    scene.close().await
}

/// The end of a namespace is not consent to destroy data, whatever the policy says.
pub(super) async fn gone_with_their_namespace(stage: &Stage) -> Result<()> {
    let scene = Scene::open(stage, "ended").await?;
    scene.apply(&scene.disk("data", "deletionPolicy: Delete, trashRetentionSeconds: 0")).await?;
    let disk = scene.disk_ready("data").await?;
    let namespaces: Api<Namespace> = Api::all(scene.client());
    namespaces.delete(&scene.namespace, &DeleteParams::default()).await?;
    objects::wait_gone(&namespaces, &scene.namespace, PATIENCE).await?;
    ensure!(volumes(&scene).await? == [handle(&disk)?], "the disk was destroyed");
    ensure!(is(&disk, "Ready", "status", "True"));
    scene.close().await
}
