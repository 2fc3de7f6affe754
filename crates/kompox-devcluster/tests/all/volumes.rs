//! Disks as far as Kubernetes sees them: bound, attached before the pod runs, detached after it.

use crate::support::{apply, eventually, namespace, object, wait_for};
use anyhow::{Context as _, Result};
use k8s_openapi::api::{
    core::v1::{Node, PersistentVolumeClaim, Pod},
    storage::v1::VolumeAttachment,
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, ListParams},
};
use serde_json::json;

const DRIVER: &str = "ebs.csi.aws.com";
const HANDLE: &str = "vol-0123456789abcdef0";

pub(crate) async fn attach_use_and_detach(client: &Client) -> Result<()> {
    let namespace = namespace(client, "volumes").await?;
    volume_and_claim(client, &namespace).await?;
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), &namespace);
    wait_for(&claims, "data", |claim| {
        claim.status.as_ref().is_some_and(|s| s.phase.as_deref() == Some("Bound"))
    })
    .await?;
    let spec = json!({ "spec": {
        "containers": [{ "name": "main", "image": "example/main" }],
        "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }],
    } });
    apply(client, object("v1", "Pod", &namespace, "p", spec)).await?;

    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    let attachments: Api<VolumeAttachment> = Api::all(client.clone());
    // Never running before its disk is attached: looked at in this order, each look is sound.
    let pod = wait_for(&pods, "p", |pod| {
        pod.status.as_ref().is_some_and(|s| s.phase.as_deref() == Some("Running"))
    })
    .await?;
    let attachment = of_volume(&attachments).await?.context("running without an attachment")?;
    assert!(attachment.status.as_ref().is_some_and(|status| status.attached));
    assert_eq!(attachment.finalizers(), ["external-attacher/ebs-csi-aws-com"]);
    assert_eq!(attachment.spec.node_name, "node-b", "the volume's zone decides");
    assert_eq!(pod.spec.and_then(|spec| spec.node_name).as_deref(), Some("node-b"));

    let nodes: Api<Node> = Api::all(client.clone());
    let name = format!("kubernetes.io/csi/{DRIVER}^{HANDLE}");
    let lists = |node: &Node| {
        let status = node.status.clone().unwrap_or_default();
        let attached = status.volumes_attached.unwrap_or_default().iter().any(|volume| volume.name == name);
        (attached, status.volumes_in_use.unwrap_or_default().contains(&name))
    };
    assert_eq!(lists(&wait_for(&nodes, "node-b", |node| lists(node).1).await?), (true, true));

    pods.delete("p", &DeleteParams::default()).await?;
    eventually("the volume is detached", || async { Ok(of_volume(&attachments).await?.is_none()) }).await?;
    wait_for(&nodes, "node-b", |node| lists(node) == (false, false)).await?;
    Ok(())
}

async fn of_volume(attachments: &Api<VolumeAttachment>) -> Result<Option<VolumeAttachment>> {
    let all = attachments.list(&ListParams::default()).await?;
    let ours = |a: &VolumeAttachment| a.spec.source.persistent_volume_name.as_deref() == Some("disk");
    Ok(all.into_iter().find(ours))
}

async fn volume_and_claim(client: &Client, namespace: &str) -> Result<()> {
    let zone = json!({ "key": "topology.ebs.csi.aws.com/zone", "operator": "In", "values": ["us-west-2b"] });
    let volume = json!({ "spec": {
        "capacity": { "storage": "1Gi" }, "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain", "storageClassName": "",
        "csi": { "driver": DRIVER, "volumeHandle": HANDLE },
        "claimRef": { "namespace": namespace, "name": "data" },
        "nodeAffinity": { "required": { "nodeSelectorTerms": [{ "matchExpressions": [zone] }] } },
    } });
    apply(client, object("v1", "PersistentVolume", "", "disk", volume)).await?;
    let claim = json!({ "spec": { "accessModes": ["ReadWriteOnce"], "storageClassName": "", "volumeName": "disk",
        "resources": { "requests": { "storage": "1Gi" } } } });
    apply(client, object("v1", "PersistentVolumeClaim", namespace, "data", claim)).await
}
