use super::*;
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

fn workloads(set: &Value, job: &Value, pods: Vec<Value>) -> Workloads {
    let labels = json!({ "kompox.dev/service": "db" });
    let job_labels = json!({ "kompox.dev/service": "job" });
    let selector = json!({ "matchLabels": {} });
    let template = json!({ "spec": { "containers": [] } });
    let set = json!({ "metadata": { "name": "db", "generation": 2, "labels": labels },
        "spec": { "replicas": 1, "selector": selector, "template": template }, "status": set });
    let job = json!({ "metadata": { "name": "job-1", "labels": job_labels },
        "spec": { "template": template }, "status": job });
    Workloads {
        stateful_sets: vec![serde_json::from_value(set).unwrap()],
        deployments: Vec::new(),
        jobs: vec![serde_json::from_value(job).unwrap()],
        pods: pods.into_iter().map(pod).collect(),
    }
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
        let states = service_states(&workloads(&status, &json!({}), Vec::new()), &[]);
        assert_eq!(states["db"].available, expected, "{status}");
    }
}

#[test]
fn a_job_counts_under_its_present_name_only() {
    let done = json!({ "conditions": [{ "type": "Complete", "status": "True" }] });
    let seen = workloads(&json!({ "replicas": 1 }), &done, Vec::new());
    assert!(service_states(&seen, &["job-1".into()])["job"].completed);
    assert!(!service_states(&seen, &["job-2".into()]).contains_key("job"));
}

#[test]
fn pods_say_whether_something_started_and_what_is_wrong() {
    let status = |state: Value| {
        json!({ "metadata": { "name": "db-0", "labels": { "kompox.dev/service": "db" } },
            "spec": { "containers": [] },
            "status": { "containerStatuses": [{ "name": "db", "image": "", "imageID": "", "ready": false,
                "restartCount": 0, "state": state }] } })
    };
    let state = |pod: Value| {
        service_states(&workloads(&json!({ "replicas": 1 }), &json!({}), vec![pod]), &[])["db"].clone()
    };
    assert!(state(status(json!({ "running": {} }))).started);
    let pulling = state(status(json!({ "waiting": { "reason": "ImagePullBackOff" } })));
    assert_eq!((pulling.started, pulling.message.as_deref()), (false, Some("pod db-0: ImagePullBackOff")));
    assert_eq!(state(status(json!({ "waiting": { "reason": "ContainerCreating" } }))).message, None);
}
