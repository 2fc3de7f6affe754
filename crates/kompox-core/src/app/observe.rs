//! What workloads and pods say about the services of an app. Reads objects, decides nothing.

use crate::app::waves::ServiceState;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kompox_crds::names::labels::SERVICE;
use std::collections::BTreeMap;

/// The workloads and pods of one app, as read.
#[derive(Clone, Debug, Default)]
pub struct Workloads {
    /// Services with disks.
    pub stateful_sets: Vec<StatefulSet>,
    /// Services without.
    pub deployments: Vec<Deployment>,
    /// One-shot services.
    pub jobs: Vec<Job>,
    /// Pods of all of them.
    pub pods: Vec<Pod>,
}

/// The states of the services, by name. `job_names` are the Jobs of the present spec: an older Job of
/// the same service says nothing about it.
#[must_use]
pub fn service_states(seen: &Workloads, job_names: &[String]) -> BTreeMap<String, ServiceState> {
    let mut states = BTreeMap::new();
    for set in &seen.stateful_sets {
        insert(&mut states, &set.metadata, stateful_set(set));
    }
    for deployment in &seen.deployments {
        insert(&mut states, &deployment.metadata, self::deployment(deployment));
    }
    let current = |job: &&Job| job.metadata.name.as_ref().is_some_and(|name| job_names.contains(name));
    for job in seen.jobs.iter().filter(current) {
        insert(&mut states, &job.metadata, self::job(job));
    }
    for pod in &seen.pods {
        let Some(state) = service_of(&pod.metadata).and_then(|service| states.get_mut(service)) else {
            continue;
        };
        state.started |= has_started(pod);
        if state.message.is_none() && !state.is_settled() {
            state.message = complaint(pod);
        }
    }
    states
}

fn insert(states: &mut BTreeMap<String, ServiceState>, metadata: &ObjectMeta, state: ServiceState) {
    if let Some(service) = service_of(metadata) {
        states.insert(service.to_owned(), state);
    }
}

fn service_of(metadata: &ObjectMeta) -> Option<&str> {
    metadata.labels.as_ref()?.get(SERVICE).map(String::as_str)
}

fn stateful_set(set: &StatefulSet) -> ServiceState {
    let desired = set.spec.replicas.unwrap_or(1);
    let status = set.status.clone().unwrap_or_default();
    let current = status.observed_generation >= set.metadata.generation
        && (status.update_revision.is_none() || status.updated_replicas.unwrap_or(0) >= desired);
    let ready = status.ready_replicas.unwrap_or(0);
    running(desired, ready, status.replicas, current)
}

fn deployment(deployment: &Deployment) -> ServiceState {
    let desired = deployment.spec.replicas.unwrap_or(1);
    let status = deployment.status.clone().unwrap_or_default();
    let current = status.observed_generation >= deployment.metadata.generation
        && status.updated_replicas.unwrap_or(0) >= desired;
    let ready = status.available_replicas.unwrap_or(0);
    running(desired, ready, status.replicas.unwrap_or(0), current)
}

fn running(desired: i32, ready: i32, existing: i32, current: bool) -> ServiceState {
    ServiceState {
        exists: true,
        up: desired > 0,
        ready: ready > 0,
        available: current && ready >= desired && existing == desired,
        ready_pods: ready,
        desired_pods: desired,
        ..ServiceState::default()
    }
}

fn job(job: &Job) -> ServiceState {
    let suspended = job.spec.as_ref().and_then(|JobSpec { suspend, .. }| *suspend).unwrap_or(false);
    let status = job.status.clone().unwrap_or_default();
    let holds = |type_: &str| {
        status
            .conditions
            .iter()
            .flatten()
            .any(|condition| condition.type_ == type_ && condition.status == "True")
    };
    let completed = holds("Complete");
    let failed = holds("Failed");
    ServiceState {
        exists: true,
        up: !suspended || completed || failed,
        ready: status.ready.unwrap_or(0) > 0,
        available: completed || suspended,
        completed,
        failed,
        ready_pods: i32::from(completed),
        desired_pods: 1,
        message: failed.then(|| "the one-shot service failed".to_owned()),
        ..ServiceState::default()
    }
}

/// Docker counts a container as started once it has run, however it ended.
fn has_started(pod: &Pod) -> bool {
    let statuses = container_statuses(pod);
    !statuses.is_empty()
        && statuses.iter().all(|status| {
            status.state.as_ref().is_some_and(|state| state.running.is_some() || state.terminated.is_some())
                || status.last_state.as_ref().is_some_and(|state| state.terminated.is_some())
        })
}

/// Why a pod does not run, in the words of the kubelet or the scheduler.
fn complaint(pod: &Pod) -> Option<String> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let waiting = container_statuses(pod)
        .iter()
        .filter_map(|status| status.state.as_ref()?.waiting.as_ref())
        .find_map(|waiting| waiting.reason.clone().filter(|reason| reason != "ContainerCreating"));
    let unschedulable = || {
        pod.status.as_ref()?.conditions.as_ref()?.iter().find_map(|condition| {
            let refused = condition.type_ == "PodScheduled" && condition.status == "False";
            refused.then(|| condition.message.clone())?
        })
    };
    let failed = || pod.status.as_ref()?.reason.clone();
    waiting.or_else(unschedulable).or_else(failed).map(|why| format!("pod {name}: {why}"))
}

fn container_statuses(pod: &Pod) -> &[ContainerStatus] {
    pod.status.as_ref().and_then(|status| status.container_statuses.as_deref()).unwrap_or_default()
}

/// Whether nothing of a pod that is being deleted can write any more: it never got a node, or every
/// container has ended or never began.
#[must_use]
pub fn has_ended(pod: &Pod) -> bool {
    let assigned = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
    if !assigned {
        return true;
    }
    let Some(status) = &pod.status else { return false };
    let lists =
        [&status.init_container_statuses, &status.container_statuses, &status.ephemeral_container_statuses];
    let mut statuses = lists.into_iter().flatten().flatten().peekable();
    if statuses.peek().is_none() {
        // The kubelet refused the pod, or has not looked at it yet: only the former is final.
        return matches!(status.phase.as_deref(), Some("Failed" | "Succeeded"));
    }
    statuses.all(|container| match &container.state {
        Some(ContainerState { terminated: Some(_), .. }) => true,
        Some(ContainerState { running: Some(_), .. }) => false,
        // Waiting: never begun, as opposed to between two starts.
        _ => container.restart_count == 0 && container.started != Some(true),
    })
}

#[cfg(test)]
mod tests;
