//! Parts of a real node that die under a supervisor.

use super::{pods, printed, ready};
use crate::{
    support,
    upkeep::{comes_back, kill, running, supervised},
};
use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kompox_devcluster::{DevCluster, PartName};
use kube::Api;

/// On a real node: containers outlive those that look after them.
pub(super) async fn the_node_comes_back(cluster: &DevCluster) -> Result<()> {
    supervised(cluster, async {
        let parts = [PartName::Containerd, PartName::Kubelet, PartName::Dns, PartName::KubeProxy];
        for part in parts {
            kill(&[running(cluster, part).await?]).await?;
            comes_back(cluster, part, 1).await?;
        }
        kill(&[running(cluster, PartName::ApiServer).await?]).await?;
        comes_back(cluster, PartName::ApiServer, 1).await?;
        let kubectl = || {
            let mut command = cluster.kubectl();
            command.args(["--namespace", pods::NAMESPACE, "exec", pods::WEB, "--", "busybox", "true"]);
            command
        };
        support::eventually("exec works again", || async { Ok(printed(&mut kubectl()).await.is_ok()) })
            .await?;
        let pods: Api<Pod> = Api::namespaced(cluster.client(), pods::NAMESPACE);
        let web = support::wait_for(&pods, pods::WEB, ready).await?;
        let restarts = web.status.and_then(|status| Some(status.container_statuses?.first()?.restart_count));
        ensure!(restarts == Some(0), "the container was restarted: {restarts:?}");
        Ok(())
    })
    .await
}

/// A node without its machine is not put together again, and the message says so.
pub(super) async fn the_machine_does_not_come_back(cluster: &DevCluster) -> Result<()> {
    let upkeep = cluster.keep_up();
    kill(&[running(cluster, PartName::Machine).await?]).await?;
    let text = format!("{:#}", anyhow::Error::new(upkeep.await));
    ensure!(text.contains("its machine ended") && text.contains("start the cluster again"), "{text}");
    Ok(())
}
