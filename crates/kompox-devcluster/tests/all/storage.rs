//! devcloud with its driver and the genuine sidecars. Volumes are made, attached and snapshotted for real even
//! where pods are simulated; on a real node they are mounted too.

mod real;
mod simulated;

use crate::support::{apply, object, wait_for};
use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::{
    core::v1::{PersistentVolumeClaim, Pod},
    storage::v1::VolumeAttachment,
};
use kompox_devcluster::{DevCluster, Storage, storage::CLASS};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, ListParams},
    core::GroupVersionKind,
};
use serde_json::{Value, json};

/// The programs that this build made: tests lie one folder below them.
pub(crate) fn storage() -> Result<Storage> {
    let test = std::env::current_exe()?;
    let programs = test.parent().and_then(|folder| folder.parent()).context("no folder of programs")?;
    Ok(Storage { programs: Some(programs.to_owned()) })
}

fn claim(namespace: &str, name: &str, more: &Value) -> Value {
    let spec = json!({ "spec": { "accessModes": ["ReadWriteOncePod"], "storageClassName": CLASS,
        "resources": { "requests": { "storage": "32Mi" } } } });
    object(
        "v1",
        "PersistentVolumeClaim",
        namespace,
        name,
        crate::support::merged(spec, json!({ "spec": more })),
    )
}

/// A claim that restores a snapshot.
fn restored(namespace: &str, name: &str, snapshot: &str) -> Value {
    let source = json!({ "apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": snapshot });
    claim(namespace, name, &json!({ "dataSource": source }))
}

fn with_claim(container: Value, claim: &str) -> Value {
    json!({ "containers": [crate::support::merged(container, json!({
            "volumeMounts": [{ "name": "data", "mountPath": "/data" }] }))],
        "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": claim } }] })
}

/// Takes a snapshot of a claim and waits until it can be used; returns devcloud's id of it.
async fn snapshot(client: &Client, namespace: &str, name: &str, claim: &str) -> Result<String> {
    let spec = json!({ "spec": { "volumeSnapshotClassName": CLASS,
        "source": { "persistentVolumeClaimName": claim } } });
    apply(client, object("snapshot.storage.k8s.io/v1", "VolumeSnapshot", namespace, name, spec)).await?;
    let resource = |kind, plural| {
        ApiResource::from_gvk_with_plural(
            &GroupVersionKind::gvk("snapshot.storage.k8s.io", "v1", kind),
            plural,
        )
    };
    let snapshots = resource("VolumeSnapshot", "volumesnapshots");
    let snapshots: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &snapshots);
    let taken =
        wait_for(&snapshots, name, |found| found.data.pointer("/status/readyToUse") == Some(&json!(true)))
            .await?;
    let content = text(&taken.data, "/status/boundVolumeSnapshotContentName").to_owned();
    let contents = resource("VolumeSnapshotContent", "volumesnapshotcontents");
    let content = Api::<DynamicObject>::all_with(client.clone(), &contents).get(&content).await?;
    Ok(text(&content.data, "/status/snapshotHandle").to_owned())
}

/// What a JSON pointer leads to; empty where there is no text.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

async fn bound(client: &Client, namespace: &str, claim: &str) -> Result<String> {
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), namespace);
    let found = wait_for(&claims, claim, |claim| {
        claim.status.as_ref().is_some_and(|status| status.phase.as_deref() == Some("Bound"))
    })
    .await?;
    found.spec.and_then(|spec| spec.volume_name).context("bound to nothing")
}

async fn running(client: &Client, namespace: &str, pod: &str) -> Result<Pod> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    wait_for(&pods, pod, |pod| pod.status.as_ref().is_some_and(|s| s.phase.as_deref() == Some("Running")))
        .await
}

async fn attachment(client: &Client, volume: &str) -> Result<Option<VolumeAttachment>> {
    let all = Api::<VolumeAttachment>::all(client.clone()).list(&ListParams::default()).await?;
    let of_volume =
        |found: &VolumeAttachment| found.spec.source.persistent_volume_name.as_deref() == Some(volume);
    Ok(all.into_iter().find(of_volume))
}

/// One object of devcloud, asked for as anybody on this machine may who has the token.
async fn ask(cluster: &DevCluster, path: &str) -> Result<Value> {
    send(cluster, http::Request::get(path).body(Vec::new())?).await
}

async fn send(cluster: &DevCluster, request: http::Request<Vec<u8>>) -> Result<Value> {
    let storage = cluster.storage().await.context("no storage")?;
    let file = std::fs::read_to_string(&storage.token_file)?;
    let token = file.lines().last().and_then(|line| line.split(' ').nth(1)).context("no token")?.to_owned();
    let mut config = kube::Config::new(storage.url.parse()?);
    config.auth_info.token = Some(token.into());
    let answer: Value = serde_json::from_str(&Client::try_from(config)?.request_text(request).await?)?;
    ensure!(answer.get("code").is_none(), "{answer}");
    Ok(answer)
}
