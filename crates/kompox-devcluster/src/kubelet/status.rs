//! The status that a kubelet reports for each stage of a pod, as a strategic merge patch. Pure.

use super::stage::{KILLED, Memory, Stage, Wish};
use k8s_openapi::{
    api::core::v1::{Container, Pod},
    apimachinery::pkg::apis::meta::v1::Time,
    jiff::Timestamp,
};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

const CREATING: &str = "simulated pod: waiting, no container will run";
const RAN: &str = "simulated pod: no container ran";

/// What a pod's status says about the place it runs on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) node: Ipv4Addr,
    /// The node's own for pods in its network.
    pub(super) pod: Ipv4Addr,
}

/// The patch that takes `pod` to `stage`; `memory` is already that of the new stage.
pub(super) fn patch(pod: &Pod, memory: &Memory, place: Place, now: Timestamp) -> Value {
    let view = View { pod, wish: Wish::of(pod), memory, now };
    let mut status = json!({
        "phase": view.phase(),
        "hostIP": place.node.to_string(),
        "hostIPs": [{ "ip": place.node.to_string() }],
        "conditions": view.conditions(),
        "startTime": pod.status.as_ref().and_then(|s| s.start_time.clone()).unwrap_or(Time(now)),
        "containerStatuses": view.containers(),
        "observedGeneration": pod.metadata.generation,
    });
    if let Some(fields) = status.as_object_mut() {
        let init = view.init_containers();
        if !init.is_empty() {
            fields.insert("initContainerStatuses".into(), init.into());
        }
        if memory.started_at.is_some() {
            fields.insert("podIP".into(), json!(place.pod.to_string()));
            fields.insert("podIPs".into(), json!([{ "ip": place.pod.to_string() }]));
        }
    }
    // The uid makes the patch fail for a namesake that came in between, as the real kubelet does.
    json!({ "metadata": { "uid": pod.metadata.uid }, "status": status })
}

struct View<'a> {
    pod: &'a Pod,
    wish: Wish,
    memory: &'a Memory,
    now: Timestamp,
}

/// The states a container is shown in.
enum State {
    Waiting {
        reason: String,
    },
    Running,
    Exited {
        code: i32,
    },
    /// Ended before it was ever started: the kubelet cannot say how it went.
    Unknown,
}

impl View<'_> {
    fn started(&self) -> bool {
        self.memory.started_at.is_some()
    }

    fn phase(&self) -> &'static str {
        match self.memory.stage {
            Stage::Admitted | Stage::Creating | Stage::Stuck => "Pending",
            Stage::Running | Stage::Ready | Stage::Restarting | Stage::Stopping => "Running",
            Stage::Finished | Stage::Stopped | Stage::Deleted if self.exit_code() == 0 => "Succeeded",
            Stage::Finished | Stage::Stopped | Stage::Deleted => "Failed",
        }
    }

    /// Of a pod whose containers ended.
    fn exit_code(&self) -> i32 {
        match self.memory.stage {
            Stage::Finished | Stage::Restarting => self.wish.exit_code.unwrap_or(0),
            _ if self.started() => self.wish.stop_code(),
            _ => KILLED,
        }
    }

    fn main_state(&self) -> State {
        match self.memory.stage {
            Stage::Running | Stage::Ready | Stage::Stopping => State::Running,
            Stage::Restarting => State::Waiting { reason: "CrashLoopBackOff".into() },
            Stage::Finished | Stage::Stopped | Stage::Deleted if self.started() => {
                State::Exited { code: self.exit_code() }
            }
            Stage::Finished | Stage::Stopped | Stage::Deleted => State::Unknown,
            Stage::Admitted | Stage::Creating if self.has_init_containers() => {
                State::Waiting { reason: "PodInitializing".into() }
            }
            Stage::Admitted | Stage::Creating => State::Waiting { reason: "ContainerCreating".into() },
            Stage::Stuck => State::Waiting { reason: self.wish.waiting_reason.clone().unwrap_or_default() },
        }
    }

    fn has_init_containers(&self) -> bool {
        self.pod.spec.as_ref().and_then(|s| s.init_containers.as_ref()).is_some_and(|list| !list.is_empty())
    }

    fn containers(&self) -> Vec<Value> {
        let list = self.pod.spec.as_ref().map(|spec| spec.containers.as_slice()).unwrap_or_default();
        let ready = self.memory.stage == Stage::Ready;
        list.iter().map(|container| self.container(container, &self.main_state(), ready)).collect()
    }

    /// Init containers have exited when the others run, except sidecars, which run beside them
    /// (Kubernetes documentation, "Sidecar Containers").
    fn init_containers(&self) -> Vec<Value> {
        let list =
            self.pod.spec.as_ref().and_then(|spec| spec.init_containers.as_deref()).unwrap_or_default();
        list.iter()
            .map(|container| {
                let sidecar = container.restart_policy.as_deref() == Some("Always");
                let (state, ready) = match (self.started(), sidecar, self.main_state()) {
                    (true, false, _) => (State::Exited { code: 0 }, true),
                    (true, true, State::Exited { .. }) => (State::Exited { code: 0 }, false),
                    (true, true, _) => (State::Running, true),
                    (false, _, State::Unknown) => (State::Unknown, false),
                    (false, _, _) => (State::Waiting { reason: "PodInitializing".into() }, false),
                };
                self.container(container, &state, ready)
            })
            .collect()
    }

    fn container(&self, container: &Container, state: &State, ready: bool) -> Value {
        let restarts = self.memory.restarts;
        let uid = self.pod.metadata.uid.as_deref().unwrap_or_default();
        let id = format!("simulated://{uid}/{}/{restarts}", container.name);
        let last = match state {
            State::Running | State::Waiting { .. } if restarts > 0 => {
                json!({ "terminated": self.terminated(self.wish.exit_code.unwrap_or(0), &id) })
            }
            _ => json!({}),
        };
        json!({
            "name": container.name,
            "image": container.image.as_deref().unwrap_or_default(),
            "imageID": if self.started() { "simulated" } else { "" },
            "containerID": self.started().then_some(&id),
            "ready": ready,
            "started": matches!(state, State::Running),
            "restartCount": restarts,
            "state": self.state(state, &id),
            "lastState": last,
        })
    }

    fn state(&self, state: &State, id: &str) -> Value {
        match state {
            State::Waiting { reason } => json!({ "waiting": { "reason": reason, "message": CREATING } }),
            State::Running => json!({ "running": { "startedAt": self.memory.started_at.map(Time) } }),
            State::Exited { code } => json!({ "terminated": self.terminated(*code, id) }),
            State::Unknown => json!({ "terminated": {
                "exitCode": KILLED, "reason": "ContainerStatusUnknown",
                "message": "The container could not be located when the pod was terminated" } }),
        }
    }

    fn terminated(&self, code: i32, id: &str) -> Value {
        json!({
            "exitCode": code,
            "reason": if code == 0 { "Completed" } else { "Error" },
            "message": RAN,
            "startedAt": self.memory.started_at.map(Time),
            "finishedAt": Time(self.now),
            "containerID": id,
        })
    }

    fn conditions(&self) -> Vec<Value> {
        let running = matches!(self.memory.stage, Stage::Running | Stage::Ready | Stage::Restarting);
        let ready = self.memory.stage == Stage::Ready;
        let why = match self.memory.stage {
            Stage::Finished | Stage::Stopped if self.exit_code() == 0 => "PodCompleted",
            Stage::Finished | Stage::Stopped => "PodFailed",
            _ => "ContainersNotReady",
        };
        let initialised = if self.started() { None } else { Some("ContainersNotInitialized") };
        let containers = (!ready).then_some(why);
        [
            ("PodScheduled", None),
            ("PodReadyToStartContainers", (!running).then_some("")),
            ("Initialized", initialised),
            ("ContainersReady", containers),
            ("Ready", containers),
        ]
        .into_iter()
        .map(|(name, wrong)| self.condition(name, wrong))
        .collect()
    }

    fn current(&self, name: &str) -> Option<(&str, Option<&Time>)> {
        let conditions = self.pod.status.as_ref()?.conditions.as_deref()?;
        let condition = conditions.iter().find(|condition| condition.type_ == name)?;
        Some((condition.status.as_str(), condition.last_transition_time.as_ref()))
    }

    fn condition(&self, name: &str, wrong: Option<&str>) -> Value {
        let status = if wrong.is_some() { "False" } else { "True" };
        let since = self.current(name).filter(|(now, _)| *now == status).and_then(|(_, time)| time);
        json!({
            "type": name,
            "status": status,
            "reason": wrong.filter(|reason| !reason.is_empty()),
            "lastTransitionTime": since.cloned().unwrap_or(Time(self.now)),
            "observedGeneration": self.pod.metadata.generation,
        })
    }
}

#[cfg(test)]
mod tests;
