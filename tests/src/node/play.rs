//! Plays a scenario, step by step. Each step waits for what it expects, with a deadline.

use super::{
    PATIENCE, POLL,
    file::{Finds, Http, Says, Scenario, Snapshot, Step, Target},
    place::{self, Place},
    pods,
    stage::NodeStage,
};
use crate::{cloud, objects, scene::is};
use anyhow::{Context as _, Result, ensure};
use http_body_util::Full;
use hyper::Request;
use kompox_crds::v1alpha1::{KompoxApp, KompoxDisk, KompoxSnapshot};
use kube::api::DeleteParams;
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::Ipv4Addr, time::Instant};

/// Plays one scenario in a namespace of its own.
///
/// # Errors
/// The first step that does not come out as expected, with its number.
pub async fn play(stage: &NodeStage, scenario: &Scenario) -> Result<()> {
    let together = stage.parts.read().await;
    let mut place = Place::open(stage, &scenario.name, scenario.given.pod_security.as_deref()).await?;
    drop(together);
    for (index, step) in scenario.steps.iter().enumerate() {
        let began = Instant::now();
        let outcome = take_turn(&mut place, scenario, step).await;
        if let Err(error) = &outcome {
            // The report comes when all have been played.
            eprintln!("  {} step {} FAILED: {error:#}", scenario.name, index + 1);
        }
        outcome.with_context(|| format!("{}.yaml, step {}: {step:?}", scenario.name, index + 1))?;
        eprintln!("  {} step {} took {:.1} s", scenario.name, index + 1, began.elapsed().as_secs_f64());
    }
    let _together = stage.parts.read().await;
    place.close().await
}

/// No other scenario may be in a step while a part of the cluster is restarted.
async fn take_turn(place: &mut Place<'_>, scenario: &Scenario, step: &Step) -> Result<()> {
    let stage = place.stage;
    if matches!(step, Step::RestartPart(_)) {
        let _alone = stage.parts.write().await;
        return take(place, scenario, step).await;
    }
    let _together = stage.parts.read().await;
    take(place, scenario, step).await
}

async fn take(place: &mut Place<'_>, scenario: &Scenario, step: &Step) -> Result<()> {
    match step {
        Step::Apply(target) => apply(place, scenario, target).await,
        Step::Ready(target) => ready(place, target).await,
        Step::Says(says) => hear(place, says).await,
        Step::Delete(target) => delete(place, target).await,
        Step::Snapshot(snapshot) => cut(place, snapshot).await,
        Step::Http(http) => ask(place, http).await,
        Step::Exec(exec) => pods::run(place, exec).await,
        Step::Logs(logs) => pods::read(place, logs).await,
        Step::Pod(pod) => pods::is_so(place, pod).await,
        Step::NoPod(service) => pods::none(place, service).await,
        Step::Finds(finds) => find(place, finds).await,
        Step::Stop(stop) => pods::stop(place, stop).await,
        Step::KillPod(service) => pods::kill(place, service).await,
        Step::RestartPart(part) => Ok(place.stage.cluster.restart_part(*part).await?),
        Step::KillOperator(_) => {
            place.kill_operator().await?;
            place.start_operator().await
        }
        Step::Ended(ended) => pods::has_ended(place, ended).await,
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
    let said = |app: &KompoxApp| {
        let message = |app: Value| objects::condition(&app, "Ready", "message").contains(&says.contains);
        is(app, "Ready", "reason", &says.reason) && serde_json::to_value(app).is_ok_and(message)
    };
    objects::wait_for(&place.api::<KompoxApp>(), &says.app, PATIENCE, said).await.map(drop)
}

async fn find(place: &Place<'_>, finds: &Finds) -> Result<()> {
    let found = |app: &KompoxApp| {
        let mut diagnostics = app.status.iter().flat_map(|status| &status.diagnostics);
        diagnostics.any(|found| found.code == finds.code && found.path.as_ref() == Some(&finds.path))
    };
    objects::wait_for(&place.api::<KompoxApp>(), &finds.app, PATIENCE, found).await.map(drop)
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
    compare(&body, &http.json)
}

/// Every value at its place.
pub(super) fn compare(text: &str, expected: &BTreeMap<String, Value>) -> Result<()> {
    if expected.is_empty() {
        return Ok(());
    }
    let value: Value = serde_json::from_str(text).with_context(|| format!("this is no JSON: {text}"))?;
    for (pointer, expected) in expected {
        let found = value.pointer(pointer).unwrap_or(&Value::Null);
        ensure!(found == expected, "{pointer} is {found}, not {expected}, in {text}");
    }
    Ok(())
}
