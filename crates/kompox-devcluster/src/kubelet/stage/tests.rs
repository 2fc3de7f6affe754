//! The life of pods, step by step, with a clock that the test turns.

use super::{EXIT_CODE, Memory, NEVER_READY, Stage, Step, WAITING_REASON, Wish, decide};
use crate::kubelet::Delays;
use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn delays() -> Delays {
    Delays {
        start: ms(10),
        ready: ms(20),
        complete: ms(50),
        restart: ms(70),
        terminate: ms(30),
        delete: ms(5),
        ..Delays::default()
    }
}

fn pod(restart_policy: &str, annotations: &Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": { "name": "p", "annotations": annotations },
        "spec": { "restartPolicy": restart_policy, "containers": [{ "name": "c" }] },
    }))
    .unwrap()
}

fn deleted(mut pod: Pod, grace: i64) -> Pod {
    pod.metadata.deletion_timestamp =
        Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(Timestamp::UNIX_EPOCH));
    pod.metadata.deletion_grace_period_seconds = Some(grace);
    pod
}

/// Follows the steps until nothing is left to do; returns the stages with the time they began.
fn run(pod: &Pod, memory: &mut Memory, start: Instant, now: &mut Instant, most: usize) -> Vec<(Stage, u128)> {
    let mut seen = Vec::new();
    while seen.len() < most {
        match decide(&Wish::of(pod), memory, true, *now, &delays()) {
            Step::Report(stage) | Step::Enter(stage) => {
                *memory = memory.enter(stage, *now, Timestamp::UNIX_EPOCH);
                seen.push((stage, now.duration_since(start).as_millis()));
            }
            Step::Wait(rest) => *now += rest,
            Step::Delete => {
                *memory = memory.enter(Stage::Deleted, *now, Timestamp::UNIX_EPOCH);
                seen.push((Stage::Deleted, now.duration_since(start).as_millis()));
            }
            Step::AwaitVolumes | Step::Idle => break,
        }
    }
    seen
}

fn life(pod: &Pod, most: usize) -> Vec<(Stage, u128)> {
    let start = Instant::now();
    let mut memory = Memory::adopt(pod, start);
    run(pod, &mut memory, start, &mut start.clone(), most)
}

#[test]
fn lives() {
    use Stage::{Creating, Finished, Ready, Restarting, Running, Stuck};
    type Life<'a> = &'a [(Stage, u128)];
    let cases: [(&str, Value, Life<'_>); 7] = [
        ("Always", json!({}), &[(Creating, 0), (Running, 10), (Ready, 30)]),
        ("Always", json!({ NEVER_READY: "true" }), &[(Creating, 0), (Running, 10)]),
        ("Always", json!({ WAITING_REASON: "ImagePullBackOff" }), &[(Creating, 0), (Stuck, 0)]),
        ("Never", json!({}), &[(Creating, 0), (Running, 10), (Ready, 30), (Finished, 60)]),
        ("Never", json!({ EXIT_CODE: "3" }), &[(Creating, 0), (Running, 10), (Ready, 30), (Finished, 60)]),
        (
            "OnFailure",
            json!({ EXIT_CODE: "0" }),
            &[(Creating, 0), (Running, 10), (Ready, 30), (Finished, 60)],
        ),
        (
            "OnFailure",
            json!({ EXIT_CODE: "3" }),
            &[
                (Creating, 0),
                (Running, 10),
                (Ready, 30),
                (Restarting, 60),
                (Running, 130),
                (Ready, 150),
                (Restarting, 180),
            ],
        ),
    ];
    for (policy, annotations, want) in cases {
        let pod = pod(policy, &annotations);
        assert_eq!(life(&pod, 7), want, "{policy} {annotations}");
    }
}

#[test]
fn deletion_shows_the_end_before_it_removes_the_object() {
    use Stage::{Deleted, Stopped, Stopping};
    for (grace, want) in [
        (30, [(Stopping, 0), (Stopped, 30), (Deleted, 35)]),
        // A forced deletion leaves no time, but a finalizer keeps the object and so its status counts.
        (0, [(Stopping, 0), (Stopped, 0), (Deleted, 5)]),
    ] {
        let pod = deleted(pod("Always", &json!({})), grace);
        assert_eq!(life(&pod, 9), want, "grace {grace}");
    }
}

#[test]
fn a_finished_pod_is_removed_without_another_status() {
    let start = Instant::now();
    let mut now = start;
    let finished = pod("Never", &json!({}));
    let mut memory = Memory::adopt(&finished, start);
    run(&finished, &mut memory, start, &mut now, 9);
    let step = decide(&Wish::of(&deleted(finished, 30)), &memory, true, now, &delays());
    assert_eq!(step, Step::Enter(Stage::Stopped));
}

#[test]
fn volumes_hold_a_pod_back() {
    let pod = pod("Always", &json!({}));
    let start = Instant::now();
    let memory = Memory::adopt(&pod, start).enter(Stage::Creating, start, Timestamp::UNIX_EPOCH);
    let later = start + Duration::from_secs(60);
    assert_eq!(decide(&Wish::of(&pod), &memory, false, later, &delays()), Step::AwaitVolumes);
    assert_eq!(decide(&Wish::of(&pod), &memory, true, later, &delays()), Step::Report(Stage::Running));
}

#[test]
fn readiness_follows_the_annotation() {
    let start = Instant::now();
    let mut now = start;
    let healthy = pod("Always", &json!({}));
    let mut memory = Memory::adopt(&healthy, start);
    run(&healthy, &mut memory, start, &mut now, 9);
    assert_eq!(memory.stage, Stage::Ready);
    let sick = Wish::of(&pod("Always", &json!({ NEVER_READY: "true" })));
    assert_eq!(decide(&sick, &memory, true, now, &delays()), Step::Report(Stage::Running));
}

#[test]
fn a_restarted_kubelet_takes_pods_up_where_they_are() {
    for (status, want) in [
        (json!({ "phase": "Pending" }), Stage::Admitted),
        (json!({ "phase": "Running" }), Stage::Running),
        (json!({ "phase": "Succeeded" }), Stage::Finished),
        (json!({ "phase": "Failed" }), Stage::Finished),
        (
            json!({ "phase": "Running", "containerStatuses": [
                { "name": "c", "image": "", "imageID": "", "ready": true, "restartCount": 2 }] }),
            Stage::Ready,
        ),
    ] {
        let pod: Pod = serde_json::from_value(json!({ "status": status })).unwrap();
        let memory = Memory::adopt(&pod, Instant::now());
        assert_eq!(memory.stage, want, "{status}");
        assert_eq!(memory.restarts, if want == Stage::Ready { 2 } else { 0 });
    }
}

#[test]
fn stop_codes() {
    for (annotations, grace, want) in [
        (json!({}), 30, 0),
        (json!({}), 0, 137),
        (json!({ EXIT_CODE: "7" }), 30, 7),
        (json!({ EXIT_CODE: "999" }), 30, 0),
    ] {
        let wish = Wish::of(&deleted(pod("Always", &annotations), grace));
        assert_eq!(wish.stop_code(), want, "{annotations} {grace}");
    }
}
