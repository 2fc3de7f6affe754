//! Statuses as the API server would receive them.

use super::{Place, patch};
use crate::kubelet::stage::{Memory, Stage};
use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use serde_json::{Value, json};
use std::{net::Ipv4Addr, time::Instant};

fn pod(extra: &Value) -> Pod {
    let mut pod = json!({
        "metadata": { "name": "p", "uid": "u1", "generation": 3 },
        "spec": {
            "restartPolicy": "Never",
            "initContainers": [{ "name": "migrate" }, { "name": "proxy", "restartPolicy": "Always" }],
            "containers": [{ "name": "app", "image": "example/app" }],
        },
    });
    pod.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    serde_json::from_value(pod).unwrap()
}

/// The status at the last of `stages`.
fn status(pod: &Pod, stages: &[Stage]) -> Value {
    let now = Instant::now();
    let memory = stages
        .iter()
        .fold(Memory::adopt(pod, now), |memory, stage| memory.enter(*stage, now, Timestamp::UNIX_EPOCH));
    let place = Place { node: Ipv4Addr::new(192, 0, 2, 1), pod: Ipv4Addr::new(198, 18, 0, 1) };
    patch(pod, &memory, place, Timestamp::UNIX_EPOCH)
}

fn condition<'a>(patch: &'a Value, name: &str) -> &'a Value {
    let list = patch["status"]["conditions"].as_array().unwrap();
    &list.iter().find(|condition| condition["type"] == name).unwrap()["status"]
}

#[test]
fn a_pod_from_birth_to_end() {
    let pod = pod(&json!({}));
    let creating = status(&pod, &[Stage::Creating]);
    assert_eq!(creating["metadata"]["uid"], "u1");
    assert_eq!(creating["status"]["phase"], "Pending");
    assert_eq!(creating["status"]["podIP"], Value::Null);
    assert_eq!(
        creating.pointer("/status/containerStatuses/0/state/waiting/reason"),
        Some(&json!("PodInitializing"))
    );

    let ready = status(&pod, &[Stage::Creating, Stage::Running, Stage::Ready]);
    assert_eq!(ready["status"]["phase"], "Running");
    assert_eq!(ready["status"]["podIP"], "198.18.0.1");
    assert_eq!(condition(&ready, "Ready"), "True");
    let init = &ready["status"]["initContainerStatuses"];
    assert_eq!(init[0]["state"]["terminated"]["exitCode"], 0);
    assert!(init[1]["state"]["running"].is_object(), "a sidecar keeps running: {init}");

    let done = status(&pod, &[Stage::Creating, Stage::Running, Stage::Finished]);
    assert_eq!(done["status"]["phase"], "Succeeded");
    assert_eq!(condition(&done, "Ready"), "False");
    assert_eq!(done["status"]["initContainerStatuses"][1]["state"]["terminated"]["exitCode"], 0);
}

#[test]
fn every_container_of_a_stopped_pod_is_terminated() {
    let deletion = json!({ "metadata": { "uid": "u1", "deletionTimestamp": "2020-01-01T00:00:00Z",
        "deletionGracePeriodSeconds": 30 } });
    let pod = pod(&deletion);
    for (stages, code, phase) in [
        (&[Stage::Creating, Stage::Running, Stage::Stopping, Stage::Stopped][..], 0, "Succeeded"),
        (&[Stage::Creating, Stage::Stopping, Stage::Stopped][..], 137, "Failed"),
    ] {
        let stopped = status(&pod, stages);
        let lists = ["containerStatuses", "initContainerStatuses"];
        for container in lists.iter().flat_map(|list| stopped["status"][list].as_array().unwrap()) {
            assert!(container["state"]["terminated"].is_object(), "{container}");
            assert!(container["name"] == "migrate" || container["ready"] == false, "{container}");
        }
        assert_eq!(stopped["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"], code);
        assert_eq!(stopped["status"]["phase"], phase);
    }
}

#[test]
fn a_condition_keeps_the_time_of_its_last_change() {
    let pod = pod(&json!({ "status": { "conditions": [
        { "type": "Ready", "status": "False", "lastTransitionTime": "2001-01-01T00:00:00Z" },
        { "type": "PodScheduled", "status": "True", "lastTransitionTime": "2001-01-01T00:00:00Z" }] } }));
    let ready = status(&pod, &[Stage::Creating, Stage::Running, Stage::Ready]);
    let time = |name: &str| {
        let list = ready["status"]["conditions"].as_array().unwrap();
        list.iter().find(|c| c["type"] == name).unwrap()["lastTransitionTime"].clone()
    };
    assert_eq!(time("PodScheduled"), "2001-01-01T00:00:00Z");
    assert_eq!(time("Ready"), "1970-01-01T00:00:00Z");
}
