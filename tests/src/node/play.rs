//! Plays a scenario, step by step. Each step waits for what it expects, with a deadline.

use super::{
    PATIENCE, POLL,
    file::{Ended, Exec, Http, Logs, Says, Scenario, Service, Snapshot, Step, Target},
    place::{self, Place},
    stage::NodeStage,
};
use crate::{cloud, objects, scene::is};
use anyhow::{Context as _, Result, bail, ensure};
use http_body_util::Full;
use hyper::Request;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kompox_crds::{
    names::labels,
    v1alpha1::{KompoxApp, KompoxDisk, KompoxSnapshot},
};
use kube::{
    Api,
    api::{DeleteParams, ListParams, LogParams},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    time::Instant,
};

/// Plays one scenario in a namespace of its own.
///
/// # Errors
/// The first step that does not come out as expected, with its number.
pub async fn play(stage: &NodeStage, scenario: &Scenario) -> Result<()> {
    let mut place = Place::open(stage, &scenario.name).await?;
    for (index, step) in scenario.steps.iter().enumerate() {
        let began = Instant::now();
        take(&mut place, scenario, step)
            .await
            .with_context(|| format!("{}.yaml, step {}: {step:?}", scenario.name, index + 1))?;
        eprintln!("  {} step {} took {:.1} s", scenario.name, index + 1, began.elapsed().as_secs_f64());
    }
    place.close().await
}

async fn take(place: &mut Place<'_>, scenario: &Scenario, step: &Step) -> Result<()> {
    match step {
        Step::Apply(target) => apply(place, scenario, target).await,
        Step::Ready(target) => ready(place, target).await,
        Step::Says(says) => hear(place, says).await,
        Step::Delete(target) => delete(place, target).await,
        Step::Snapshot(snapshot) => cut(place, snapshot).await,
        Step::Http(http) => ask(place, http).await,
        Step::Exec(exec) => run(place, exec).await,
        Step::Logs(logs) => read(place, logs).await,
        Step::KillPod(service) => kill_pod(place, service).await,
        Step::KillOperator(_) => {
            place.kill_operator().await?;
            place.start_operator().await
        }
        Step::RestartPart(part) => Ok(place.stage.cluster.restart_part(*part).await?),
        Step::Ended(ended) => has_ended(place, ended).await,
    }
}

async fn apply(place: &Place<'_>, scenario: &Scenario, target: &Target) -> Result<()> {
    match target {
        Target::App(name) => {
            let app = scenario.given.apps.get(name).context("no such app is given")?;
            place.apply(&place::app(name, app)).await
        }
        Target::Disk(name) => {
            let disk = scenario.given.disks.get(name).context("no such disk is given")?;
            place.apply(&[place.disk(name, disk)]).await
        }
    }
}

async fn ready(place: &Place<'_>, target: &Target) -> Result<()> {
    match target {
        Target::App(name) => {
            // Of what was applied last, not of what was before.
            let current = |app: &KompoxApp| {
                let seen = app.status.as_ref().and_then(|status| status.observed_generation);
                seen == app.metadata.generation && is(app, "Ready", "status", "True")
            };
            objects::wait_for(&place.api::<KompoxApp>(), name, PATIENCE, current).await.map(drop)
        }
        Target::Disk(name) => {
            let is_ready = |disk: &KompoxDisk| is(disk, "Ready", "status", "True");
            objects::wait_for(&place.api::<KompoxDisk>(), name, PATIENCE, is_ready).await.map(drop)
        }
    }
}

async fn hear(place: &Place<'_>, says: &Says) -> Result<()> {
    let said = |app: &KompoxApp| is(app, "Ready", "reason", &says.reason);
    let app = objects::wait_for(&place.api::<KompoxApp>(), &says.app, PATIENCE, said).await?;
    let app = serde_json::to_value(&app)?;
    let message = objects::condition(&app, "Ready", "message");
    ensure!(message.contains(&says.contains), "it says {message:?}");
    Ok(())
}

async fn delete(place: &Place<'_>, target: &Target) -> Result<()> {
    let parameters = DeleteParams::default();
    match target {
        Target::App(name) => {
            let apps = place.api::<KompoxApp>();
            apps.delete(name, &parameters).await?;
            objects::wait_gone(&apps, name, PATIENCE).await
        }
        Target::Disk(name) => {
            let disks = place.api::<KompoxDisk>();
            disks.delete(name, &parameters).await?;
            objects::wait_gone(&disks, name, PATIENCE).await
        }
    }
}

async fn cut(place: &Place<'_>, snapshot: &Snapshot) -> Result<()> {
    let object = json!({
        "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxSnapshot", "metadata": { "name": snapshot.name },
        "spec": { "diskRef": { "name": snapshot.disk }, "deletionPolicy": "Delete" },
    });
    place.apply(&[object]).await?;
    let ready = |snapshot: &KompoxSnapshot| is(snapshot, "Ready", "status", "True");
    objects::wait_for(&place.api::<KompoxSnapshot>(), &snapshot.name, PATIENCE, ready).await.map(drop)
}

/// A GET is repeated until it is answered as expected; a POST is sent once.
async fn ask(place: &Place<'_>, http: &Http) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let outcome = ask_once(place, http).await;
        if outcome.is_ok() || http.post.is_some() || Instant::now() > deadline {
            return outcome;
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn ask_once(place: &Place<'_>, http: &Http) -> Result<()> {
    let port = place.stage.ingress.http_port();
    let host = format!("{}.{}.localhost:{port}", http.app, place.namespace);
    let method = if http.post.is_some() { "POST" } else { "GET" };
    let body = Full::new(http.post.clone().unwrap_or_default().into());
    let request = Request::builder().method(method).uri(&http.path).header("host", host).body(body)?;
    let answer = cloud::http_send((Ipv4Addr::LOCALHOST, port).into(), request).await?;
    let body = String::from_utf8_lossy(answer.body()).into_owned();
    let status = answer.status().as_u16();
    ensure!(status == http.status.unwrap_or(200), "answered {status}: {body}");
    if let Some(expected) = &http.body {
        ensure!(body == *expected, "answered {body:?}");
    }
    if let Some(part) = &http.contains {
        ensure!(body.contains(part), "answered {body:?}");
    }
    if http.json.is_empty() { Ok(()) } else { compare(&body, &http.json) }
}

/// Every value at its place.
fn compare(text: &str, expected: &BTreeMap<String, Value>) -> Result<()> {
    let value: Value = serde_json::from_str(text).with_context(|| format!("this is no JSON: {text}"))?;
    for (pointer, expected) in expected {
        let found = value.pointer(pointer).unwrap_or(&Value::Null);
        ensure!(found == expected, "{pointer} is {found}, not {expected}, in {text}");
    }
    Ok(())
}

/// Repeated until it is as expected: the kubelet shows what is printed a moment later.
async fn read(place: &Place<'_>, logs: &Logs) -> Result<()> {
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
    let pods = pods(place, &logs.app, &logs.service).await?;
    let pod = pods.first().and_then(|pod| pod.metadata.name.as_deref()).context("there is no pod")?;
    let text = place.api::<Pod>().logs(pod, &LogParams::default()).await?;
    compare(&text, &logs.json)
}

/// With the real kubectl, as a developer would.
async fn run(place: &Place<'_>, exec: &Exec) -> Result<()> {
    let pods = pods(place, &exec.app, &exec.service).await?;
    let pod = pods.iter().find(|pod| is(*pod, "Ready", "status", "True")).context("no pod is ready")?;
    let name = pod.metadata.name.as_deref().context("a pod has no name")?;
    let mut command = place.stage.cluster.kubectl();
    command.args(["--namespace", &place.namespace, "exec", name]);
    if let Some(container) = &exec.container {
        command.args(["--container", container]);
    }
    let output = command.arg("--").args(&exec.command).output().await.context("failed to start kubectl")?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.code() == Some(exec.code), "ended with {}: {out}{err}", output.status);
    if let Some(expected) = &exec.output {
        ensure!(out == *expected, "printed {out:?}");
    }
    Ok(())
}

async fn kill_pod(place: &Place<'_>, service: &Service) -> Result<()> {
    let api = place.api::<Pod>();
    let old = pods(place, &service.app, &service.service).await?;
    ensure!(!old.is_empty(), "there is no pod to kill");
    for name in old.iter().filter_map(|pod| pod.metadata.name.as_deref()) {
        api.delete(name, &DeleteParams::default().grace_period(0)).await?;
    }
    let old: BTreeSet<_> = old.into_iter().filter_map(|pod| pod.metadata.uid).collect();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = pods(place, &service.app, &service.service).await?;
        let is_new = |pod: &Pod| pod.metadata.uid.as_ref().is_some_and(|uid| !old.contains(uid));
        if now.iter().any(|pod| is_new(pod) && is(pod, "Ready", "status", "True")) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "no other pod is ready: {}", serde_json::to_string(&now)?);
        tokio::time::sleep(POLL).await;
    }
}

async fn has_ended(place: &Place<'_>, ended: &Ended) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = pods(place, &ended.app, &ended.service).await?;
        let mut statuses =
            now.iter().filter_map(|pod| pod.status.as_ref()?.container_statuses.as_ref()?.first());
        if statuses.any(|status| {
            status.restart_count >= ended.restarts && exit_codes(status).any(|code| code == ended.code)
        }) {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("it did not end so: {}", serde_json::to_string(&now)?);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Of the container as it is, and of the one before it.
fn exit_codes(status: &ContainerStatus) -> impl Iterator<Item = i32> {
    let states = [&status.state, &status.last_state];
    states.into_iter().filter_map(|state| Some(state.as_ref()?.terminated.as_ref()?.exit_code))
}

async fn pods(place: &Place<'_>, app: &str, service: &str) -> Result<Vec<Pod>> {
    let selector = format!("{}={app},{}={service}", labels::APP, labels::SERVICE);
    let api: Api<Pod> = place.api();
    Ok(api.list(&ListParams::default().labels(&selector)).await?.items)
}
