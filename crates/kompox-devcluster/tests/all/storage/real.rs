//! With a real node: the bytes.

use super::{ask, attachment, bound, claim, restored, send, snapshot, storage, text, with_claim};
use crate::{
    real_node::{self, busybox, output, pod},
    support::{TempCluster, apply, eventually, namespace, object, wait_for},
};
use anyhow::{Context as _, Result, ensure};
use k8s_openapi::{
    api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod},
    apimachinery::pkg::api::resource::Quantity,
};
use kompox_devcluster::{DevCluster, Options, PartName, storage::DRIVER};
use kube::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::json;
use std::collections::BTreeMap;

const NAMESPACE: &str = "bytes";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_stay_over_pods_snapshots_and_starts_of_the_whole_cluster() -> Result<()> {
    if !real_node::possible().await? {
        return Ok(());
    }
    let with_storage = |all: &mut Options| {
        *all = real_node::options(std::mem::replace(all, Options::new("")));
        all.storage = storage().ok();
    };
    let cluster = TempCluster::start(with_storage).await?;
    let client = cluster.client();
    real_node::import_busybox(&cluster).await?;
    namespace(&client, NAMESPACE).await?;
    apply(&client, claim(NAMESPACE, "data", &json!({}))).await?;
    let first = with_claim(busybox("echo one > /data/rows; exec sleep 600"), "data");
    apply(&client, pod(NAMESPACE, "writer", &first)).await?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    wait_for(&pods, "writer", real_node::ready).await?;
    eventually("the row is written", || async {
        let shown = cluster
            .kubectl()
            .args(["-n", NAMESPACE, "exec", "writer", "--", "/bin/busybox", "cat", "/data/rows"])
            .output()
            .await?;
        Ok(shown.stdout == b"one\n")
    })
    .await?;
    a_mounted_volume_is_frozen_for_its_snapshot(&cluster, &client).await?;
    pods.delete("writer", &DeleteParams::default()).await?;

    let second = with_claim(busybox("cat /data/rows; echo two >> /data/rows"), "data");
    assert_eq!(output(&client, NAMESPACE, "second", second).await?, "one\n");
    a_claim_that_grows_grows_its_volume(&client).await?;
    apply(&client, restored(NAMESPACE, "copy", "backup")).await?;
    let reader = |claim: &str| with_claim(busybox("cat /data/rows"), claim);
    assert_eq!(output(&client, NAMESPACE, "of-copy", reader("copy")).await?, "one\n");
    a_volume_made_by_hand_is_used_through_a_static_volume(&cluster, &client).await?;
    the_driver_may_die(&cluster).await?;
    assert_eq!(output(&client, NAMESPACE, "after-death", reader("copy")).await?, "one\n");

    let directory = cluster.stop().await?;
    let mut options = crate::support::options(directory.path());
    with_storage(&mut options);
    let cluster = DevCluster::start(options).await?;
    assert_eq!(output(&cluster.client(), NAMESPACE, "third", reader("data")).await?, "one\ntwo\n");
    cluster.stop().await?;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo")?;
    assert!(!mounts.contains(&*directory.path().to_string_lossy()), "{mounts}");
    Ok(())
}

/// The kubelet mounted it inside the node, and devcloud sees that.
async fn a_mounted_volume_is_frozen_for_its_snapshot(cluster: &DevCluster, client: &Client) -> Result<()> {
    let volumes: Api<PersistentVolume> = Api::all(client.clone());
    let volume = volumes.get(&bound(client, NAMESPACE, "data").await?).await?;
    let handle = volume.spec.and_then(|spec| spec.csi).context("no CSI volume")?.volume_handle;
    let mounted = ask(cluster, &format!("/v1/volumes/{handle}")).await?;
    assert_eq!(text(&mounted, "/attachedTo"), "real-1");
    let id = snapshot(client, NAMESPACE, "backup", "data").await?;
    let taken = ask(cluster, &format!("/v1/snapshots/{id}")).await?;
    assert_eq!(text(&taken, "/consistency"), "crash", "{taken}");
    Ok(())
}

/// In devcloud at once, and its file system when it is mounted next: while it is mounted, a mounted ext4 needs a right
/// that root does not have everywhere.
async fn a_claim_that_grows_grows_its_volume(client: &Client) -> Result<()> {
    let volume = bound(client, NAMESPACE, "data").await?;
    eventually("nobody uses the volume", || async { Ok(attachment(client, &volume).await?.is_none()) })
        .await?;
    let size = json!({ "spec": { "resources": { "requests": { "storage": "96Mi" } } } });
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), NAMESPACE);
    claims.patch("data", &PatchParams::default(), &Patch::Merge(&size)).await?;
    let is_larger = |capacity: Option<&BTreeMap<String, Quantity>>| {
        capacity.and_then(|capacity| capacity.get("storage")).is_some_and(|size| size.0 == "96Mi")
    };
    let volumes: Api<PersistentVolume> = Api::all(client.clone());
    wait_for(&volumes, &volume, |volume| {
        is_larger(volume.spec.as_ref().and_then(|spec| spec.capacity.as_ref()))
    })
    .await?;
    let script = with_claim(busybox("stat -f -c '%b %S' /data"), "data");
    let shown = output(client, NAMESPACE, "grown", script).await?;
    let numbers: Vec<u64> = shown.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let bytes: u64 = numbers.iter().product();
    ensure!(bytes > 64 << 20, "the file system has {bytes} bytes");
    wait_for(&claims, "data", |claim| {
        is_larger(claim.status.as_ref().and_then(|status| status.capacity.as_ref()))
    })
    .await
    .map(drop)
}

/// The way of a provider driver: it makes the volume, the operator the PersistentVolume.
async fn a_volume_made_by_hand_is_used_through_a_static_volume(
    cluster: &DevCluster,
    client: &Client,
) -> Result<()> {
    let wanted =
        json!({ "name": "by-hand", "clientToken": "by-hand", "zone": "dev-a", "sizeBytes": 32 << 20 });
    let request = http::Request::post("/v1/volumes").body(serde_json::to_vec(&wanted)?)?;
    let made = send(cluster, request).await?;
    let id = text(&made, "/id");
    let zone = json!({ "key": "topology.kubernetes.io/zone", "operator": "In", "values": ["dev-a"] });
    let volume = json!({ "spec": {
        "capacity": { "storage": "32Mi" }, "accessModes": ["ReadWriteOncePod"], "storageClassName": "",
        "persistentVolumeReclaimPolicy": "Retain",
        "csi": { "driver": DRIVER, "volumeHandle": id, "fsType": "ext4" },
        "claimRef": { "namespace": NAMESPACE, "name": "by-hand" },
        "nodeAffinity": { "required": { "nodeSelectorTerms": [{ "matchExpressions": [zone] }] } },
    } });
    apply(client, object("v1", "PersistentVolume", "", "by-hand", volume)).await?;
    apply(client, claim(NAMESPACE, "by-hand", &json!({ "storageClassName": "", "volumeName": "by-hand" })))
        .await?;
    let user = |script: &str| {
        let spec = with_claim(busybox(script), "by-hand");
        crate::support::merged(spec, json!({ "securityContext": { "fsGroup": 4242 } }))
    };
    // Of the group that the pod asks for: the driver announces fsGroupPolicy File.
    assert_eq!(
        output(client, NAMESPACE, "hand-1", user("stat -c %g /data; echo mine > /data/f")).await?,
        "4242\n"
    );
    assert_eq!(output(client, NAMESPACE, "hand-2", user("cat /data/f")).await?, "mine\n");
    Ok(())
}

async fn the_driver_may_die(cluster: &DevCluster) -> Result<()> {
    for part in [PartName::DevcloudCsi, PartName::Devcloud, PartName::CsiAttacher] {
        cluster.kill_part(part).await?;
        cluster.restart_part(part).await?;
    }
    Ok(())
}
