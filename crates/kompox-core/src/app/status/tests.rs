use super::*;
use crate::app::build::build;
use crate::app::facts::{Facts, Settings};
use crate::app::secret_text::SecretText;
use crate::app::validate::validate;
use crate::app::volume::Obstacle;
use crate::conditions::find;
use kompox_crds::Reason;
use serde_json::json;
use std::collections::BTreeSet;
use std::marker::PhantomData;

const COMPOSE: &str = "
services:
  web: {image: 'web:1', ports: ['80:80']}
  db: {image: 'db:1', volumes: ['data:/data']}
volumes: {data: }
";

fn app(spec: &serde_json::Value) -> KompoxApp {
    let mut object = json!({
        "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxApp",
        "metadata": { "name": "a", "namespace": "n", "uid": "u", "generation": 4 },
        "spec": { "compose": { "configMapRef": { "name": "c" } },
            "volumes": [{ "name": "data", "diskRef": { "name": "disk" } }] },
    });
    object["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    serde_json::from_value(object).unwrap()
}

fn validated(app: &KompoxApp) -> Validation {
    let content = BTreeMap::from([("compose.yml".to_owned(), SecretText::new(COMPOSE))]);
    let facts = Facts { config_maps: BTreeMap::from([("c".to_owned(), content)]), ..Facts::default() };
    validate(app, &facts, &Settings::default())
}

/// The conditions as `Type=Status/Reason`, and the status.
fn round(app: &KompoxApp, take: Take, states: &[(&str, ServiceState)]) -> (Vec<String>, KompoxAppStatus) {
    let validation = validated(app);
    let outcome_app = validation.app.clone();
    let disks = BTreeMap::from([("disk".to_owned(), take)]);
    let states = states.iter().map(|(name, state)| ((*name).to_owned(), state.clone())).collect();
    let admissions =
        BTreeMap::from([("web".to_owned(), Admission::Apply), ("db".to_owned(), Admission::Apply)]);
    let mut applied = AppResources::<Applied>::default();
    if let Some(app) = &outcome_app {
        let prepared = build(app, &BTreeSet::new());
        applied = AppResources { ingresses: prepared.ingresses, state: PhantomData, ..applied };
    }
    let outcome = outcome_app.as_ref().map(|app| Outcome {
        app,
        disks: &disks,
        admissions: &admissions,
        states: &states,
        applied: &applied,
        leaving: &[],
    });
    let status = status(&Round { app, validation: &validation, outcome }, Timestamp::UNIX_EPOCH);
    let conditions =
        status.conditions.iter().map(|c| format!("{}={}/{}", c.type_, c.status, c.reason)).collect();
    (conditions, status)
}

fn available() -> ServiceState {
    ServiceState {
        exists: true,
        up: true,
        started: true,
        ready: true,
        available: true,
        ready_pods: 1,
        desired_pods: 1,
        ..ServiceState::default()
    }
}

#[test]
fn ready_only_when_the_workloads_are() {
    let app =
        app(&json!({ "ingress": { "rules": [{ "name": "web", "port": 80, "hosts": ["a.example.com"] }] } }));
    let (conditions, status) =
        round(&app, Take::Ready { epoch: 3 }, &[("web", available()), ("db", available())]);
    assert_eq!(
        conditions,
        [
            "Ready=True/Ready",
            "Progressing=False/Ready",
            "Degraded=False/Ready",
            "ComposeValid=True/Ready",
            "DisksReady=True/Ready",
            "RoutesReady=False/WaitingForRoutes",
            "WorkloadsAvailable=True/Available",
        ]
    );
    assert_eq!(status.services_ready.as_deref(), Some("2/2"));
    assert_eq!(status.urls, ["http://a.example.com/"]);
    assert_eq!(status.volumes[0].epoch, Some(3));
    assert_eq!(status.selector.as_deref(), Some("kompox.dev/app=a"));

    let half =
        ServiceState { available: false, message: Some("pod db-0: ImagePullBackOff".into()), ..available() };
    let (conditions, status) = round(&app, Take::Ready { epoch: 3 }, &[("web", available()), ("db", half)]);
    assert_eq!(conditions[0], "Ready=False/WaitingForWorkloads");
    assert_eq!(status.services_ready.as_deref(), Some("1/2"));
    assert!(find(&status.conditions, "Ready").unwrap().message.contains("db: pod db-0: ImagePullBackOff"));
}

#[test]
fn what_stands_in_the_way_has_its_reason() {
    let obstacle = |reason| Obstacle { reason, message: "m".into() };
    let cases = [
        (
            Take::Wait(obstacle(Reason::DiskNotReady)),
            "Ready=False/WaitingForDisk",
            "Degraded=False/WaitingForDisk",
        ),
        (
            Take::Wait(obstacle(Reason::DiskNotFound)),
            "Ready=False/DiskNotFound",
            "Degraded=True/DiskNotFound",
        ),
        (
            Take::Refuse(obstacle(Reason::SwitchNotSupported)),
            "Ready=False/SwitchNotSupported",
            "Degraded=True/SwitchNotSupported",
        ),
    ];
    for (take, ready, degraded) in cases {
        let (conditions, _) = round(&app(&json!({})), take, &[("web", available()), ("db", available())]);
        assert_eq!((conditions[0].as_str(), conditions[2].as_str()), (ready, degraded));
    }
    let failed = ServiceState { failed: true, available: false, ..available() };
    let (conditions, _) =
        round(&app(&json!({})), Take::Ready { epoch: 1 }, &[("web", failed), ("db", available())]);
    assert_eq!(conditions[0], "Ready=False/WorkloadFailed");
}

#[test]
fn an_invalid_app_says_so_and_keeps_what_is_known() {
    let mut broken = app(&json!({ "volumes": [] }));
    broken.status =
        Some(KompoxAppStatus { services_ready: Some("2/2".into()), ..KompoxAppStatus::default() });
    let (conditions, status) = round(&broken, Take::Ready { epoch: 1 }, &[]);
    assert_eq!(conditions[0], "Ready=False/VolumeNotMapped");
    assert!(conditions.contains(&"ComposeValid=False/VolumeNotMapped".to_owned()));
    assert!(conditions.contains(&"Stalled=True/VolumeNotMapped".to_owned()));
    assert_eq!(status.services_ready.as_deref(), Some("2/2"));
    assert_eq!(status.diagnostics[0].severity, "error");
}

#[test]
fn what_is_left_out_degrades_an_app_that_runs() {
    let gateway =
        app(&json!({ "ingress": { "mode": "Gateway", "gateway": { "parentRefs": [{ "name": "g" }] } } }));
    let (conditions, _) =
        round(&gateway, Take::Ready { epoch: 1 }, &[("web", available()), ("db", available())]);
    assert_eq!(conditions[0], "Ready=False/NotSupported");
    assert!(conditions.contains(&"RoutesReady=False/NotSupported".to_owned()));
    assert!(conditions.contains(&"WorkloadsAvailable=True/Available".to_owned()));
}
