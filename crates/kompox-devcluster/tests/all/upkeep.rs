//! Parts that die under a supervisor: they come back, with their data; one that dies again and again ends the cluster.

use crate::{
    support::{self, TempCluster},
    workloads,
};
use anyhow::{Context as _, Result, bail, ensure};
use k8s_openapi::api::core::v1::ConfigMap;
use kompox_devcluster::{DevCluster, Error, PartName, PartState, State};
use kube::{Api, api::PostParams};
use serde_json::json;
use std::{future::Future, path::Path};
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_that_are_killed_come_back_with_their_data() -> Result<()> {
    let cluster = TempCluster::start(|_| {}).await?;
    supervised(&cluster, async {
        for part in [PartName::ApiServer, PartName::Etcd, PartName::ControllerManager, PartName::Scheduler] {
            keeps_its_objects(&cluster, part).await?;
        }
        // All of them at once: those that others need come first.
        kill(&[running(&cluster, PartName::ApiServer).await?, running(&cluster, PartName::Etcd).await?])
            .await?;
        comes_back(&cluster, PartName::Etcd, 2).await?;
        comes_back(&cluster, PartName::ApiServer, 2).await?;
        workloads::a_pod_runs(&cluster.client(), "after-all").await
    })
    .await?;
    let error = one_that_dies_again_and_again(&cluster, PartName::Scheduler).await?;
    let text = format!("{:#}", anyhow::Error::new(error));
    let log = cluster.directory().join("logs/kube-scheduler.log");
    for part in ["kube-scheduler", "6 times within 10 minutes", "SIGKILL", &log.display().to_string()] {
        ensure!(text.contains(part), "it does not say `{part}`: {text}");
    }
    let last = std::fs::read_to_string(&log)?.lines().last().unwrap_or_default().to_owned();
    ensure!(!last.is_empty() && text.ends_with(&last), "its last lines are not shown: {text}");
    cluster.stop().await.map(drop)
}

/// Runs beside the upkeep, which must not give up.
pub(crate) async fn supervised(
    cluster: &DevCluster,
    scenario: impl Future<Output = Result<()>>,
) -> Result<()> {
    tokio::select! {
        error = cluster.keep_up() => bail!("the upkeep gave up: {:#}", anyhow::Error::new(error)),
        outcome = scenario => outcome,
    }
}

/// What was written before is there after, and pods go on to be made.
async fn keeps_its_objects(cluster: &DevCluster, part: PartName) -> Result<()> {
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client(), "default");
    let name = format!("before-{part}");
    let map = serde_json::from_value(json!({ "metadata": { "name": name }, "data": { "part": part } }))?;
    maps.create(&PostParams::default(), &map).await?;
    kill(&[running(cluster, part).await?]).await?;
    comes_back(cluster, part, 1).await?;
    let kept = support::wait_for(&maps, &name, |_| true).await?;
    ensure!(kept.data == map.data, "{kept:?}");
    workloads::a_pod_runs(&cluster.client(), &format!("after-{part}")).await
}

/// Kills the part whenever it has come back, until the upkeep gives up.
async fn one_that_dies_again_and_again(cluster: &DevCluster, part: PartName) -> Result<Error> {
    let killing = async {
        let before = running(cluster, part).await?.restarts;
        for restart in 0.. {
            kill(&[running(cluster, part).await?]).await?;
            comes_back(cluster, part, before + restart + 1).await?;
        }
        Ok(())
    };
    tokio::select! {
        error = cluster.keep_up() => Ok(error),
        outcome = killing => outcome.and_then(|()| bail!("it was never given up")),
    }
}

pub(crate) async fn running(cluster: &DevCluster, part: PartName) -> Result<PartState> {
    let parts = cluster.parts().await;
    parts.into_iter().find(|found| found.name == part).with_context(|| format!("there is no {part}"))
}

/// SIGKILL, by number.
pub(crate) async fn kill(parts: &[PartState]) -> Result<()> {
    for part in parts {
        ensure!(part.process.alive(), "{} does not run", part.name);
        let status = Command::new("kill").args(["-KILL", &part.process.pid.to_string()]).status().await?;
        ensure!(status.success(), "kill: {status}");
    }
    Ok(())
}

/// Waits until others see in the state file that the part runs and was started again so often.
pub(crate) async fn comes_back(cluster: &DevCluster, part: PartName, restarts: u32) -> Result<()> {
    let directory: &Path = cluster.directory();
    support::eventually(&format!("{part} comes back"), || async {
        let state = State::read(directory)?.context("no state")?;
        let found = state.parts.iter().find(|found| found.name == part).context("it is not there")?;
        Ok(found.restarts == restarts && found.process.alive())
    })
    .await?;
    // Asking takes its turn after the restart, which ends when the part is ready.
    running(cluster, part).await.map(drop)
}
