//! Without a real node: everything but the mount is real.

use super::{ask, attachment, bound, claim, restored, running, snapshot, storage, text, with_claim};
use crate::launcher::Launcher;
use crate::support::{self, TempCluster, apply, eventually, namespace, object};
use anyhow::{Context as _, Result};
use k8s_openapi::api::{core::v1::PersistentVolumeClaim, core::v1::Pod};
use kompox_devcluster::{DevCluster, PartName, State, kubelet::NodeSpec};
use kube::{Api, Client, api::DeleteParams};
use serde_json::{Value, json};

const NAMESPACE: &str = "storage";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn volumes_are_made_attached_and_snapshotted_beside_simulated_pods() -> Result<()> {
    let cluster = TempCluster::start(|options| {
        options.storage = storage().ok();
        options.nodes =
            ["dev-a", "dev-b"].map(|zone| NodeSpec::new(format!("node-{zone}"), "dev", zone)).into();
    })
    .await?;
    for part in cluster.parts().await {
        println!("{} {} {} MiB", part.name, part.version, support::resident_mib(part.process.pid));
    }
    let client = cluster.client();
    namespace(&client, NAMESPACE).await?;
    // The scheduler's choice decides the zone.
    let volume = attached(&cluster, &client, "data", "dev-b").await?;
    assert_eq!((text(&volume, "/zone"), text(&volume, "/attachedTo")), ("dev-b", "node-dev-b"));
    assert_eq!(text(&volume, "/tags/csi.storage.k8s.io~1pvc~1name"), "data");

    let snapshot_id = snapshot(&client, NAMESPACE, "backup", "data").await?;
    let taken = ask(&cluster, &format!("/v1/snapshots/{snapshot_id}")).await?;
    assert_eq!(text(&taken, "/state"), "ready");
    a_driver_that_died_goes_on(&cluster).await?;
    apply(&client, restored(NAMESPACE, "copy", "backup")).await?;
    apply(&client, user("copy", "dev-a")).await?;
    let copy = volume_of(&cluster, &client, "copy").await?;
    assert_eq!((text(&copy, "/zone"), text(&copy, "/source/snapshot")), ("dev-a", &*snapshot_id));

    deleted_with_its_claim(&cluster, &client, text(&volume, "/id")).await?;
    let (directory, parts) = (cluster.directory().to_owned(), cluster.parts().await);
    let kept = cluster.stop().await?;
    assert!(parts.iter().all(|part| !part.process.alive()), "{parts:?}");
    assert!(State::read(&directory)?.is_none());
    drop(kept);
    Ok(())
}

/// The sidecars do not know that their launcher is gone; the kernel tells them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_outlives_a_killed_launcher() -> Result<()> {
    let root = tempfile::tempdir()?;
    let directory = root.path().join("cluster");
    let mut launcher = Launcher::spawn_with_storage(&directory)?;
    let state = launcher.until_ready(&directory).await?;
    assert!(PartName::STORAGE.iter().all(|name| state.parts.iter().any(|part| part.name == *name)));
    drop(launcher);
    eventually("every part has ended", || async { Ok(state.parts.iter().all(|part| !part.process.alive())) })
        .await
}

fn user(claim: &str, zone: &str) -> Value {
    let container = json!({ "name": "main", "image": "example/main" });
    let spec = support::merged(
        with_claim(container, claim),
        json!({ "nodeSelector": { "topology.kubernetes.io/zone": zone } }),
    );
    object("v1", "Pod", NAMESPACE, claim, json!({ "spec": spec }))
}

/// A claim, a pod that uses it, and what devcloud says of the volume when the pod runs.
async fn attached(cluster: &DevCluster, client: &Client, name: &str, zone: &str) -> Result<Value> {
    apply(client, claim(NAMESPACE, name, &json!({}))).await?;
    apply(client, user(name, zone)).await?;
    let volume = volume_of(cluster, client, name).await?;
    let found = attachment(client, &bound(client, NAMESPACE, name).await?).await?.context("no attachment")?;
    assert!(found.status.as_ref().is_some_and(|status| status.attached));
    let finalizers = found.metadata.finalizers.unwrap_or_default();
    // Of the genuine attacher; it also hands on what the driver says about the bytes.
    assert_eq!(finalizers, ["external-attacher/devcloud-csi-kompox-dev"]);
    let context = found.status.and_then(|status| status.attachment_metadata).unwrap_or_default();
    assert_eq!(context.get("path").map(String::as_str), Some(text(&volume, "/data/path")));
    Ok(volume)
}

/// Once the pod runs.
async fn volume_of(cluster: &DevCluster, client: &Client, claim: &str) -> Result<Value> {
    running(client, NAMESPACE, claim).await?;
    let volume = bound(client, NAMESPACE, claim).await?;
    let volumes: Api<k8s_openapi::api::core::v1::PersistentVolume> = Api::all(client.clone());
    let source = volumes.get(&volume).await?.spec.and_then(|spec| spec.csi).context("no CSI volume")?;
    ask(cluster, &format!("/v1/volumes/{}", source.volume_handle)).await
}

/// Both keep where they serve, and what they had.
async fn a_driver_that_died_goes_on(cluster: &DevCluster) -> Result<()> {
    let before = cluster.storage().await;
    for part in [PartName::Devcloud, PartName::DevcloudCsi] {
        cluster.kill_part(part).await?;
        cluster.restart_part(part).await?;
    }
    assert_eq!(before, cluster.storage().await);
    Ok(())
}

async fn deleted_with_its_claim(cluster: &DevCluster, client: &Client, volume: &str) -> Result<()> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    pods.delete("data", &DeleteParams::default()).await?;
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), NAMESPACE);
    claims.delete("data", &DeleteParams::default()).await?;
    eventually("devcloud has no such volume", || async {
        let refused = ask(cluster, &format!("/v1/volumes/{volume}")).await.err();
        Ok(refused.is_some_and(|error| format!("{error:#}").contains("does not exist")))
    })
    .await
}
