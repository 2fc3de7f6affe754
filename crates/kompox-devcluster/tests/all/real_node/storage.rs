//! Volumes that a node has by itself; those of drivers are tested with the drivers.

use super::{busybox, output, phase, pod, ready};
use crate::support::{apply, eventually, merged, namespace, object, wait_for};
use anyhow::Result;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client, api::DeleteParams};
use serde_json::{Value, json};

fn local_volume(name: &str, namespace: &str, mode: &str) -> [Value; 2] {
    let here = json!({ "key": "kubernetes.io/hostname", "operator": "In", "values": ["real-1"] });
    let volume = json!({ "spec": {
        "capacity": { "storage": "1Gi" }, "accessModes": [mode], "storageClassName": "",
        "hostPath": { "path": format!("/var/lib/test-volumes/{name}"), "type": "DirectoryOrCreate" },
        "claimRef": { "namespace": namespace, "name": name },
        "nodeAffinity": { "required": { "nodeSelectorTerms": [{ "matchExpressions": [here] }] } },
    } });
    let claim = json!({ "spec": { "accessModes": [mode], "storageClassName": "", "volumeName": name,
        "resources": { "requests": { "storage": "1Gi" } } } });
    [
        object("v1", "PersistentVolume", "", name, volume),
        object("v1", "PersistentVolumeClaim", namespace, name, claim),
    ]
}

fn with_claim(container: &Value, claim: &str) -> Value {
    json!({ "containers": [container],
        "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": claim } }] })
}

/// ReadWriteOncePod: the second pod waits until the first is gone, and then finds its bytes.
pub(super) async fn one_pod_at_a_time(client: &Client) -> Result<()> {
    let namespace = namespace(client, "once").await?;
    for object in local_volume("once", &namespace, "ReadWriteOncePod") {
        apply(client, object).await?;
    }
    let first = busybox("echo first > /data/who; exec sleep 600");
    let mount = json!({ "volumeMounts": [{ "name": "data", "mountPath": "/data" }] });
    let first = merged(first, mount.clone());
    let second = busybox("cat /data/who");
    let second = merged(second, mount);
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    apply(client, pod(&namespace, "first", &with_claim(&first, "once"))).await?;
    wait_for(&pods, "first", ready).await?;

    let spec = merged(json!({ "restartPolicy": "Never" }), with_claim(&second, "once"));
    apply(client, pod(&namespace, "second", &spec)).await?;
    let refused = wait_for(&pods, "second", |pod| {
        let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
        conditions
            .into_iter()
            .any(|condition| condition.message.as_deref().unwrap_or_default().contains("ReadWriteOncePod"))
    })
    .await?;
    assert_eq!(phase(&refused), "Pending");
    pods.delete("first", &DeleteParams::default()).await?;
    wait_for(&pods, "second", |pod| phase(pod) == "Succeeded").await?;
    eventually("the second pod saw the first one's bytes", || async {
        Ok(pods.logs("second", &Default::default()).await? == "first\n")
    })
    .await
}

/// Two mounts of one volume by subPath are two directories of it.
pub(super) async fn sub_paths(client: &Client) -> Result<()> {
    let namespace = namespace(client, "sub-paths").await?;
    for object in local_volume("parts", &namespace, "ReadWriteOnce") {
        apply(client, object).await?;
    }
    let writer = busybox("echo a > /a/file; echo b > /b/file");
    let writer = merged(
        writer,
        json!({ "volumeMounts": [
        { "name": "data", "mountPath": "/a", "subPath": "first" },
        { "name": "data", "mountPath": "/b", "subPath": "deep/second" },
    ] }),
    );
    output(client, &namespace, "writer", with_claim(&writer, "parts")).await?;
    let reader = busybox("cat /data/first/file /data/deep/second/file");
    let reader = merged(
        reader,
        json!({ "volumeMounts": [{ "name": "data", "mountPath": "/data", "readOnly": true }] }),
    );
    assert_eq!(output(client, &namespace, "reader", with_claim(&reader, "parts")).await?, "a\nb\n");
    Ok(())
}
