use super::*;
use crate::app::facts::{Facts, Settings};
use crate::app::secret_text::SecretText;
use crate::app::validate::validate;
use serde_json::{Value, json};

fn pod(value: Value) -> Pod {
    serde_json::from_value(value).unwrap()
}

fn assigned(status: &Value) -> Pod {
    pod(
        json!({ "metadata": { "name": "p" }, "spec": { "nodeName": "node", "containers": [] }, "status": status }),
    )
}

#[test]
fn only_what_has_ended_is_released() {
    let running = json!({ "name": "a", "image": "", "imageID": "", "ready": true, "restartCount": 0, "state": { "running": {} } });
    let ended = json!({ "name": "b", "image": "", "imageID": "", "ready": false, "restartCount": 0,
        "state": { "terminated": { "exitCode": 0 } } });
    let waiting = |restarts: i32| {
        json!({ "name": "c", "image": "", "imageID": "", "ready": false, "restartCount": restarts,
            "state": { "waiting": { "reason": "X" } } })
    };
    let with = |statuses: Vec<Value>| assigned(&json!({ "phase": "Running", "containerStatuses": statuses }));
    let cases = [
        ("never got a node", pod(json!({ "spec": { "containers": [] } })), true),
        ("nobody has looked at it", assigned(&json!({ "phase": "Pending" })), false),
        (
            "refused by the kubelet",
            assigned(&json!({ "phase": "Failed", "reason": "SysctlForbidden" })),
            true,
        ),
        ("running", with(vec![running.clone()]), false),
        ("one of two running", with(vec![ended.clone(), running.clone()]), false),
        ("ended", with(vec![ended.clone()]), true),
        ("never begun", with(vec![waiting(0)]), true),
        ("between two starts", with(vec![waiting(3)]), false),
        ("ended and never begun", with(vec![ended.clone(), waiting(0)]), true),
        (
            "an init container runs",
            assigned(
                &json!({ "phase": "Pending", "initContainerStatuses": [running], "containerStatuses": [waiting(0)] }),
            ),
            false,
        ),
    ];
    for (what, pod, expected) in cases {
        assert_eq!(has_ended(&pod), expected, "{what}");
    }
}

/// db on a disk and the one-shot job.
const COMPOSE: &str = "
services:
  db: {image: 'db:1', volumes: ['data:/data']}
  job: {image: 'job:1', restart: 'no'}
volumes: {data: }
";

fn app(compose: &str, layout: &str) -> ValidatedApp {
    let object = json!({
        "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxApp",
        "metadata": { "name": "a", "namespace": "n", "uid": "u" },
        "spec": { "compose": { "configMapRef": { "name": "c" } }, "deployment": { "podLayout": layout },
            "volumes": [{ "name": "data", "diskRef": { "name": "disk" } }] },
    });
    let content = BTreeMap::from([("compose.yml".to_owned(), SecretText::new(compose))]);
    let facts = Facts { config_maps: BTreeMap::from([("c".to_owned(), content)]), ..Facts::default() };
    let validation = validate(&serde_json::from_value(object).unwrap(), &facts, &Settings::default());
    assert!(validation.app.is_some(), "{:?}", validation.problems);
    validation.app.unwrap()
}

fn states(set: &Value, job: &Value, job_name: &str, pods: Vec<Value>) -> BTreeMap<String, ServiceState> {
    let app = app(COMPOSE, "PerService");
    let job_name = match job_name {
        "" => build::workload_name(&app, &app.workloads[1]),
        other => other.to_owned(),
    };
    let labels = json!({ "kompox.dev/service": "db" });
    let job_labels = json!({ "kompox.dev/service": "job" });
    let selector = json!({ "matchLabels": {} });
    let template = json!({ "spec": { "containers": [] } });
    let set = json!({ "metadata": { "name": "db", "generation": 2, "labels": labels },
        "spec": { "replicas": 1, "selector": selector, "template": template }, "status": set });
    let job = json!({ "metadata": { "name": job_name, "labels": job_labels },
        "spec": { "template": template }, "status": job });
    let seen = Workloads {
        stateful_sets: vec![serde_json::from_value(set).unwrap()],
        deployments: Vec::new(),
        daemon_sets: Vec::new(),
        jobs: vec![serde_json::from_value(job).unwrap()],
        pods: pods.into_iter().map(pod).collect(),
    };
    service_states(&seen, &app)
}

#[test]
fn a_stateful_set_is_available_when_its_present_form_is_ready() {
    let cases = [
        (json!({ "replicas": 1, "readyReplicas": 1, "observedGeneration": 2 }), true),
        (json!({ "replicas": 1, "readyReplicas": 1, "observedGeneration": 1 }), false),
        (json!({ "replicas": 1, "readyReplicas": 0, "observedGeneration": 2 }), false),
        (
            json!({ "replicas": 1, "readyReplicas": 1, "observedGeneration": 2, "updateRevision": "b", "updatedReplicas": 0 }),
            false,
        ),
    ];
    for (status, expected) in cases {
        let states = states(&status, &json!({}), "", Vec::new());
        assert_eq!(states["db"].available, expected, "{status}");
    }
}

#[test]
fn a_job_counts_under_its_present_name_only() {
    let done = json!({ "conditions": [{ "type": "Complete", "status": "True" }] });
    let of = |name| states(&json!({ "replicas": 1 }), &done, name, Vec::new());
    assert!(of("")["job"].completed);
    assert!(!of("job-2").contains_key("job"));
}

#[test]
fn pods_say_whether_something_started_and_what_is_wrong() {
    let status = |state: Value| {
        json!({ "metadata": { "name": "db-0", "labels": { "kompox.dev/service": "db" } },
            "spec": { "containers": [] },
            "status": { "containerStatuses": [{ "name": "db", "image": "", "imageID": "", "ready": false,
                "restartCount": 0, "state": state }] } })
    };
    let state = |pod: Value| states(&json!({ "replicas": 1 }), &json!({}), "", vec![pod])["db"].clone();
    assert!(state(status(json!({ "running": {} }))).started);
    let pulling = state(status(json!({ "waiting": { "reason": "ImagePullBackOff" } })));
    assert_eq!((pulling.started, pulling.message.as_deref()), (false, Some("pod db-0: ImagePullBackOff")));
    assert_eq!(state(status(json!({ "waiting": { "reason": "ContainerCreating" } }))).message, None);
}

/// In a shared pod each service has the state of its own container.
#[test]
fn containers_of_one_pod_count_for_their_services() {
    let compose = "
services:
  db: {image: 'db:1', healthcheck: {test: 'true'}}
  migrate: {image: 'job:1', depends_on: {db: {condition: service_healthy}}}
  web: {image: 'web:1', depends_on: {migrate: {condition: service_completed_successfully}}}
";
    let app = app(compose, "SinglePod");
    let status = |name: &str, ready: bool, state: Value| json!({ "name": name, "image": "", "imageID": "", "ready": ready, "restartCount": 0, "state": state });
    let seen = |existing: i32, initial: Vec<Value>, main: Value| Workloads {
        deployments: vec![
            serde_json::from_value(json!({
                "metadata": { "name": "a-pod", "labels": { "kompox.dev/service": "pod" } },
                "spec": { "replicas": 1, "selector": {}, "template": { "spec": { "containers": [] } } },
                "status": { "replicas": existing, "updatedReplicas": existing },
            }))
            .unwrap(),
        ],
        pods: vec![pod(json!({
            "metadata": { "name": "p", "labels": { "kompox.dev/service": "pod" } }, "spec": { "containers": [] },
            "status": { "initContainerStatuses": initial, "containerStatuses": [main] },
        }))],
        ..Workloads::default()
    };
    let waiting = status("web", false, json!({ "waiting": { "reason": "PodInitializing" } }));
    let running = || json!({ "running": {} });
    let under_way =
        seen(1, vec![status("db", true, running()), status("migrate", false, running())], waiting);
    let found = service_states(&under_way, &app);
    let facts = |name: &str| {
        let state = &found[name];
        (state.started, state.ready, state.completed, state.available)
    };
    assert_eq!(facts("db"), (true, true, false, true));
    assert_eq!(facts("migrate"), (true, false, false, false));
    assert_eq!(facts("web"), (false, false, false, false));
    assert_eq!(found["web"].message, None);

    let ended = status("migrate", false, json!({ "terminated": { "exitCode": 0 } }));
    let web = status("web", true, running());
    let done = seen(1, vec![status("db", true, running()), ended.clone()], web.clone());
    let found = service_states(&done, &app);
    assert!(found.values().all(|state| state.available), "{found:?}");
    assert!(found["migrate"].completed);
    // An old pod beside the new one: not there yet.
    let found = service_states(&seen(2, vec![status("db", true, running()), ended], web), &app);
    assert!(found.values().all(|state| !state.available));
}
