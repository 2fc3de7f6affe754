//! What the API server must hold before the parts of the storage start, and what it holds when they work.

use super::{CLASS, DRIVER, Error};
use k8s_openapi::{
    api::storage::v1::{CSIDriver, CSINode, StorageClass},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    core::GroupVersionKind,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

const MANAGER: &str = "kompox-dev-storage";
const POLL: Duration = Duration::from_millis(50);
/// See `crds/README.md`.
const DEFINITIONS: [(&str, &str); 3] = [
    ("volumesnapshotclasses.yaml", include_str!("crds/volumesnapshotclasses.yaml")),
    ("volumesnapshotcontents.yaml", include_str!("crds/volumesnapshotcontents.yaml")),
    ("volumesnapshots.yaml", include_str!("crds/volumesnapshots.yaml")),
];

/// Writes all objects and waits until those of the snapshots can be used.
pub(super) async fn install(client: &Client, limit: Duration) -> Result<(), Error> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let mut names = Vec::new();
    for (name, text) in DEFINITIONS {
        let definition: CustomResourceDefinition = serde_saphyr::from_str(text)
            .map_err(|error| Error::Definition { name, reason: error.to_string() })?;
        apply(&definitions, "CustomResourceDefinition", &definition.name_any(), &definition).await?;
        names.push(definition.name_any());
    }
    apply::<CSIDriver>(&Api::all(client.clone()), "CSIDriver", DRIVER, &driver()).await?;
    apply::<StorageClass>(&Api::all(client.clone()), "StorageClass", CLASS, &class()).await?;
    for name in names {
        until(&format!("the definition {name} established"), limit, || established(&definitions, &name))
            .await?;
    }
    let resource = snapshot_class_resource();
    let classes: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
    // A definition that is established is served a moment later.
    until("the VolumeSnapshotClass written", limit, || async {
        apply(&classes, "VolumeSnapshotClass", CLASS, &snapshot_class()).await.is_ok()
    })
    .await
}

/// Waits until the kubelet of the node knows the driver.
pub(super) async fn registered(client: &Client, node: &str, limit: Duration) -> Result<(), Error> {
    let nodes: Api<CSINode> = Api::all(client.clone());
    let known = || async {
        let found = nodes.get_opt(node).await.ok().flatten();
        found.is_some_and(|node| node.spec.drivers.iter().any(|driver| driver.name == DRIVER))
    };
    until(&format!("the driver {DRIVER} registered on {node}"), limit, known).await
}

fn driver() -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver",
        "metadata": { "name": DRIVER },
        "spec": {
            "attachRequired": true, "podInfoOnMount": false, "fsGroupPolicy": "File",
            "volumeLifecycleModes": ["Persistent"],
        },
    })
}

/// Binding waits for the pod, so that the volume is made in the zone of its node.
fn class() -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": { "name": CLASS },
        "provisioner": DRIVER,
        "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": true,
    })
}

fn snapshot_class() -> Value {
    json!({
        "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotClass",
        "metadata": { "name": CLASS },
        "driver": DRIVER, "deletionPolicy": "Delete",
    })
}

fn snapshot_class_resource() -> ApiResource {
    let kind = GroupVersionKind::gvk("snapshot.storage.k8s.io", "v1", "VolumeSnapshotClass");
    ApiResource::from_gvk_with_plural(&kind, "volumesnapshotclasses")
}

async fn apply<K>(
    api: &Api<K>,
    kind: &'static str,
    name: &str,
    object: &(impl Serialize + Debug),
) -> Result<(), Error>
where
    K: Clone + Debug + DeserializeOwned,
{
    let written = api.patch(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(object)).await;
    written.map(drop).map_err(|source| Error::Write { kind, name: name.to_owned(), source: Box::new(source) })
}

async fn established(definitions: &Api<CustomResourceDefinition>, name: &str) -> bool {
    let found = definitions.get_opt(name).await.ok().flatten();
    let conditions = found.and_then(|found| found.status?.conditions).unwrap_or_default();
    conditions.iter().any(|condition| condition.type_ == "Established" && condition.status == "True")
}

async fn until<F: Future<Output = bool>>(
    what: &str,
    limit: Duration,
    mut done: impl FnMut() -> F,
) -> Result<(), Error> {
    let deadline = Instant::now() + limit;
    while !done().await {
        if Instant::now() >= deadline {
            return Err(Error::NotInTime { what: what.to_owned(), seconds: limit.as_secs() });
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}
