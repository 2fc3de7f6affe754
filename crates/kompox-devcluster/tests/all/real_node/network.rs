//! Pods among each other: Services, names, and that there is no way out.

use super::{busybox, output, pod, printed, ready};
use crate::support::{apply, merged, namespace, object, wait_for};
use anyhow::{Context as _, Result};
use k8s_openapi::api::core::v1::Pod;
use kompox_devcluster::DevCluster;
use kube::{Api, Client};
use serde_json::json;

pub(super) async fn services_and_names(client: &Client) -> Result<()> {
    let namespace = namespace(client, "names").await?;
    let server = busybox("echo it works > /tmp/index.html; exec httpd -f -p 8080 -h /tmp");
    let server =
        merged(server, json!({ "readinessProbe": { "tcpSocket": { "port": 8080 }, "periodSeconds": 1 } }));
    let server = merged(server, json!({ "volumeMounts": [{ "name": "tmp", "mountPath": "/tmp" }] }));
    let spec = json!({ "containers": [server], "volumes": [{ "name": "tmp", "emptyDir": {} }] });
    apply(client, pod(&namespace, "server", &spec)).await?;
    let ports = json!([{ "port": 80, "targetPort": 8080 }]);
    let service = json!({ "spec": { "selector": { "app": "server" }, "ports": ports } });
    apply(client, object("v1", "Service", &namespace, "server", service)).await?;
    // As the operator makes them for names without ports.
    let headless = json!({ "spec": { "clusterIP": "None", "selector": { "app": "server" } } });
    apply(client, object("v1", "Service", &namespace, "alias", headless)).await?;
    let server = wait_for(&Api::<Pod>::namespaced(client.clone(), &namespace), "server", ready).await?;
    let address = server.status.and_then(|status| status.pod_ip).context("no address")?;

    // A Service is programmed, and a name known, a moment after its pod is ready.
    let script = format!(
        "try() {{ for i in $(seq 50); do \"$@\" && return; usleep 200000; done; \
            echo \"gave up: $*\"; exit 1; }}
         try timeout 2 wget -qO- http://server/
         try timeout 2 wget -qO- http://server.{namespace}.svc.cluster.local:80/
         try timeout 2 wget -qO- http://$SERVER_SERVICE_HOST/
         try timeout 2 wget -qO- http://alias:8080/
         nslookup -type=a alias.{namespace}.svc.cluster.local | grep -q 'Address: {address}' && echo found
         nslookup -type=a kubernetes.default.svc.cluster.local | grep -q 'Address: 10.96.0.1' && echo found
         nslookup -type=a example.com && echo an outside name is known
         nc -w 5 kubernetes.default.svc.cluster.local 443 < /dev/null && echo the API server answers"
    );
    let printed = output(client, &namespace, "client", json!({ "containers": [busybox(&script)] })).await?;
    let lines: Vec<_> = printed.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.iter().filter(|line| **line == "it works").count(), 4, "{printed}");
    assert_eq!(lines.iter().filter(|line| **line == "found").count(), 2, "{printed}");
    assert!(printed.contains("the API server answers") && printed.contains("NXDOMAIN"), "{printed}");
    Ok(())
}

/// Addresses outside are unreachable at once, not after a timeout.
pub(super) async fn nothing_leads_outside(cluster: &DevCluster) -> Result<()> {
    let node = cluster.real_node().context("no real node")?;
    let routes = printed(node.enter("ip")?.args(["-4", "route", "show", "default"])).await?;
    assert_eq!(routes, "");
    let outside = node.enter("ip")?.args(["-4", "route", "get", "198.51.100.1"]).output().await?;
    assert!(String::from_utf8_lossy(&outside.stderr).contains("unreachable"), "{outside:?}");
    // A pod that does not exist.
    let nobody = node.pod_range.replace("0/24", "250");
    let nobody = node.enter("ip")?.args(["-4", "route", "get", &nobody]).output().await?;
    assert!(!nobody.status.success(), "{nobody:?}");
    Ok(())
}
