//! Pods by themselves: logs, exec, port-forward, probes, users and settings.

use super::{busybox, output, phase, pod, printed, process_of, ready};
use crate::support::{apply, eventually, merged, namespace, object, wait_for};
use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kompox_devcluster::{DevCluster, PartName};
use kube::{Api, Client};
use serde_json::json;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

/// Where the pod lives that outlasts a restart of the kubelet, and of the cluster.
pub(super) const NAMESPACE: &str = "pods";
/// Its name.
pub(super) const WEB: &str = "web";

/// With the real kubectl, as a developer would.
pub(super) async fn logs_exec_and_port_forward(cluster: &DevCluster) -> Result<()> {
    let client = cluster.client();
    namespace(&client, NAMESPACE).await?;
    let page = json!({ "data": { "index.html": "hello from a container\n" } });
    apply(&client, object("v1", "ConfigMap", NAMESPACE, "page", page)).await?;
    let container = busybox("echo serving; exec httpd -f -p 8080 -h /www");
    let container = merged(container, json!({ "volumeMounts": [{ "name": "page", "mountPath": "/www" }] }));
    let container = merged(
        container,
        json!({ "readinessProbe": { "httpGet": { "port": 8080, "path": "/" }, "periodSeconds": 1 } }),
    );
    let spec = json!({ "containers": [container], "volumes": [{ "name": "page", "configMap": { "name": "page" } }] });
    apply(&client, pod(NAMESPACE, WEB, &spec)).await?;
    wait_for(&Api::<Pod>::namespaced(client, NAMESPACE), WEB, ready).await?;

    let kubectl = |arguments: &[&str]| {
        let mut command = cluster.kubectl();
        command.args(["--namespace", NAMESPACE]).args(arguments);
        command
    };
    assert_eq!(printed(&mut kubectl(&["logs", WEB])).await?, "serving\n");
    let page = printed(&mut kubectl(&["exec", WEB, "--", "busybox", "cat", "/www/index.html"])).await?;
    assert_eq!(page, "hello from a container\n");
    assert!(port_forward(&mut kubectl(&["port-forward", "pod/web", ":8080"])).await?.ends_with(&page));
    Ok(())
}

/// What the server behind the port says; kubectl chooses the port and prints it.
async fn port_forward(command: &mut tokio::process::Command) -> Result<String> {
    let mut forward = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let mut lines = BufReader::new(forward.stdout.take().context("no output")?).lines();
    let line = lines.next_line().await?.context("kubectl ended")?;
    let address = line.strip_prefix("Forwarding from ").and_then(|line| line.split(" -> ").next());
    let mut stream = tokio::net::TcpStream::connect(address.context(line.clone())?).await?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    forward.kill().await?;
    Ok(answer)
}

/// A container that fails its liveness probe is restarted; one that is not ready is no endpoint; one
/// with a startup probe is not asked for readiness before.
pub(super) async fn probes(client: &Client) -> Result<()> {
    let namespace = namespace(client, "probes").await?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    let exec = |test: &str| json!({ "exec": { "command": ["/bin/sh", "-c", test] }, "periodSeconds": 1, "failureThreshold": 1 });
    let sick = busybox("sleep 600");
    let sick = merged(sick, json!({ "livenessProbe": exec("false") }));
    let unready = busybox("sleep 600");
    let unready = merged(unready, json!({ "readinessProbe": exec("false") }));
    let slow = busybox("sleep 2; touch /tmp/started; sleep 600");
    let slow = merged(
        slow,
        json!({ "startupProbe": { "exec": { "command": ["busybox", "test", "-f", "/tmp/started"] },
        "periodSeconds": 1, "failureThreshold": 60 } }),
    );
    let slow = merged(slow, json!({ "volumeMounts": [{ "name": "tmp", "mountPath": "/tmp" }] }));
    for (name, container) in [("sick", sick), ("unready", unready), ("slow", slow)] {
        let spec = json!({ "containers": [container], "volumes": [{ "name": "tmp", "emptyDir": {} }] });
        apply(client, pod(&namespace, name, &spec)).await?;
    }
    let container = |pod: &Pod| pod.status.as_ref()?.container_statuses.as_ref()?.first().cloned();
    wait_for(&pods, "sick", |pod| container(pod).is_some_and(|status| status.restart_count > 0)).await?;
    let slow = wait_for(&pods, "slow", ready).await?;
    assert_eq!(container(&slow).and_then(|status| status.started), Some(true));
    let unready = wait_for(&pods, "unready", |pod| phase(pod) == "Running").await?;
    ensure!(!ready(&unready), "a pod whose readiness probe fails");
    Ok(())
}

/// fsGroup gives the volume to the group; sysctls are the pod's own.
pub(super) async fn security_context_and_sysctls(client: &Client) -> Result<()> {
    let namespace = namespace(client, "settings").await?;
    let container = busybox(
        "touch /data/file && stat -c '%u %g' /data/file && id -u && \
         cat /proc/sys/net/ipv4/ip_unprivileged_port_start",
    );
    let container = merged(container, json!({ "volumeMounts": [{ "name": "data", "mountPath": "/data" }] }));
    let spec = json!({
        "securityContext": { "runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 2000,
            "sysctls": [{ "name": "net.ipv4.ip_unprivileged_port_start", "value": "80" }] },
        "containers": [container],
        "volumes": [{ "name": "data", "emptyDir": {} }],
    });
    assert_eq!(output(client, &namespace, "settings", spec).await?, "1000 2000\n1000\n80\n");
    Ok(())
}

/// The container outlives its kubelet and is not restarted.
pub(super) async fn a_kubelet_that_died_finds_its_pods_again(cluster: &DevCluster) -> Result<()> {
    let pods: Api<Pod> = Api::namespaced(cluster.client(), NAMESPACE);
    let before = process_of(cluster, PartName::Kubelet).await?;
    cluster.kill_part(PartName::Kubelet).await?;
    cluster.restart_part(PartName::Kubelet).await?;
    assert_ne!(before, process_of(cluster, PartName::Kubelet).await?);
    let exec = || {
        let mut command = cluster.kubectl();
        command.args(["--namespace", NAMESPACE, "exec", WEB, "--", "busybox", "true"]);
        command
    };
    eventually("exec works again", || {
        let mut command = exec();
        async move { Ok(printed(&mut command).await.is_ok()) }
    })
    .await?;
    let web = wait_for(&pods, WEB, ready).await?;
    let restarts = web.status.and_then(|status| Some(status.container_statuses?.first()?.restart_count));
    assert_eq!(restarts, Some(0));
    Ok(())
}
