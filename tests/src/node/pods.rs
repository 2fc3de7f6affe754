//! The steps about pods: what runs in them, what they print, how they end.

use super::{
    PATIENCE, POLL,
    file::{Ended, Exec, Logs, PodIs, Service, Stop},
    place::Place,
    play::compare,
};
use crate::scene::is;
use anyhow::{Context as _, Result, bail, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};
use kompox_crds::names::labels;
use kube::{
    Api,
    api::{DeleteParams, ListParams, LogParams},
    runtime::{WatchStreamExt as _, watcher},
};
use std::{collections::BTreeSet, time::Instant};

/// Repeated until it is as expected: the kubelet shows what is printed a moment later.
pub(super) async fn read(place: &Place<'_>, logs: &Logs) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let outcome = read_once(place, logs).await;
        if outcome.is_ok() || Instant::now() > deadline {
            return outcome;
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn read_once(place: &Place<'_>, logs: &Logs) -> Result<()> {
    let pods = of(place, &logs.app, &logs.service).await?;
    let pod = pods.first().and_then(|pod| pod.metadata.name.as_deref()).context("there is no pod")?;
    let text = place.api::<Pod>().logs(pod, &LogParams::default()).await?;
    if let Some(expected) = &logs.output {
        ensure!(text == *expected, "printed {text:?}");
    }
    compare(&text, &logs.json)
}

/// With the real kubectl, as a developer would.
pub(super) async fn run(place: &Place<'_>, exec: &Exec) -> Result<()> {
    let pods = of(place, &exec.app, &exec.service).await?;
    let runs = |pod: &&Pod| stays(pod) && phase(pod) == "Running";
    let name = pods.iter().find(runs).and_then(|pod| pod.metadata.name.as_deref());
    let mut command = place.stage.cluster.kubectl();
    command.args(["--namespace", &place.namespace, "exec", name.context("no pod runs")?]);
    if let Some(container) = &exec.container {
        command.args(["--container", container]);
    }
    let output = command.arg("--").args(&exec.command).output().await.context("failed to start kubectl")?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.code() == Some(exec.code), "ended with {}: {out}{err}", output.status);
    if let Some(expected) = &exec.output {
        ensure!(out == *expected, "printed {out:?}");
    }
    compare(&out, &exec.json)
}

/// Of the pods that stay, one must be so.
pub(super) async fn is_so(place: &Place<'_>, expected: &PodIs) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = of(place, &expected.app, &expected.service).await?;
        let mut outcome = Err(anyhow::anyhow!("there is no pod"));
        for pod in now.iter().filter(|pod| stays(pod)) {
            outcome = compare(&serde_json::to_string(pod)?, &expected.json);
            if outcome.is_ok() {
                return Ok(());
            }
        }
        if Instant::now() > deadline {
            return outcome;
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Does not wait: a step before says why there is none.
pub(super) async fn none(place: &Place<'_>, service: &Service) -> Result<()> {
    let now = of(place, &service.app, &service.service).await?;
    ensure!(now.is_empty(), "there are pods: {}", serde_json::to_string(&now)?);
    Ok(())
}

/// Watched, not polled: a pod is gone soon after its containers have ended.
pub(super) async fn stop(place: &Place<'_>, stop: &Stop) -> Result<()> {
    let api = place.api::<Pod>();
    let pods = of(place, &stop.app, &stop.service).await?;
    let name = pods.iter().find(|pod| stays(pod)).and_then(|pod| pod.metadata.name.as_deref());
    let name = name.context("there is no pod to stop")?;
    let events = watcher(api.clone(), watcher::Config::default().fields(&format!("metadata.name={name}")));
    let mut events = events.default_backoff().touched_objects().boxed();
    // The watch must know the pod before it is deleted.
    events.try_next().await?.context("the watch ended")?;
    api.delete(name, &DeleteParams::default()).await?;
    let ended = async {
        while let Some(pod) = events.try_next().await? {
            let grace = pod.metadata.deletion_grace_period_seconds;
            if let Some(end) = first_end(&pod).filter(|_| grace.is_some()) {
                return Ok(end);
            }
            ensure!(grace.is_none_or(|grace| grace == stop.grace), "its containers have {grace:?} s");
        }
        bail!("the watch ended")
    };
    let end = tokio::time::timeout(PATIENCE, ended).await.context("it did not end")??;
    ensure!(end.exit_code == stop.code, "ended so: {end:?}");
    let message = end.message.as_deref().map(str::trim_end);
    ensure!(stop.message.is_none() || stop.message.as_deref() == message, "its last words: {message:?}");
    Ok(())
}

fn first_end(pod: &Pod) -> Option<ContainerStateTerminated> {
    statuses(pod).first()?.state.as_ref()?.terminated.clone()
}

pub(super) async fn kill(place: &Place<'_>, service: &Service) -> Result<()> {
    let api = place.api::<Pod>();
    let old = of(place, &service.app, &service.service).await?;
    ensure!(!old.is_empty(), "there is no pod to kill");
    for name in old.iter().filter_map(|pod| pod.metadata.name.as_deref()) {
        api.delete(name, &DeleteParams::default().grace_period(0)).await?;
    }
    let old: BTreeSet<_> = old.into_iter().filter_map(|pod| pod.metadata.uid).collect();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = of(place, &service.app, &service.service).await?;
        let is_new = |pod: &Pod| pod.metadata.uid.as_ref().is_some_and(|uid| !old.contains(uid));
        if now.iter().any(|pod| is_new(pod) && is(pod, "Ready", "status", "True")) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "no other pod is ready: {}", serde_json::to_string(&now)?);
        tokio::time::sleep(POLL).await;
    }
}

pub(super) async fn has_ended(place: &Place<'_>, ended: &Ended) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = of(place, &ended.app, &ended.service).await?;
        let so = |status: &&ContainerStatus| {
            status.restart_count >= ended.restarts && exit_codes(status).any(|code| code == ended.code)
        };
        let count = now.iter().filter_map(|pod| statuses(pod).first()).filter(so).count();
        if ended.pods.map_or(count > 0, |pods| count == pods) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "it did not end so: {}", serde_json::to_string(&now)?);
        tokio::time::sleep(POLL).await;
    }
}

/// Of the container as it is, and of the one before it.
fn exit_codes(status: &ContainerStatus) -> impl Iterator<Item = i32> {
    let states = [&status.state, &status.last_state];
    states.into_iter().filter_map(|state| Some(state.as_ref()?.terminated.as_ref()?.exit_code))
}

fn statuses(pod: &Pod) -> &[ContainerStatus] {
    pod.status.as_ref().and_then(|status| status.container_statuses.as_deref()).unwrap_or_default()
}

fn stays(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none()
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

async fn of(place: &Place<'_>, app: &str, service: &str) -> Result<Vec<Pod>> {
    let selector = format!("{}={app},{}={service}", labels::APP, labels::SERVICE);
    let api: Api<Pod> = place.api();
    Ok(api.list(&ListParams::default().labels(&selector)).await?.items)
}
