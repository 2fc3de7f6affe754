//! What workloads and pods say about the services of an app. Reads objects, decides nothing.

use crate::app::build::{self, AppResources, daemon_set};
use crate::app::validated::{Role, ValidatedApp, ValidatedService, ValidatedWorkload, WorkloadKind};
use crate::app::waves::ServiceState;
use crate::naming;
use crate::resources::Applied;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
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
    /// Services on every node.
    pub daemon_sets: Vec<DaemonSet>,
    /// One-shot services.
    pub jobs: Vec<Job>,
    /// Pods of all of them.
    pub pods: Vec<Pod>,
}

impl AppResources<Applied> {
    /// The workloads as they were returned, together with `pods`.
    #[must_use]
    pub fn workloads(&self, pods: Vec<Pod>) -> Workloads {
        Workloads {
            stateful_sets: self.stateful_sets.clone(),
            deployments: self.deployments.clone(),
            daemon_sets: self.daemon_sets.clone(),
            jobs: self.jobs.clone(),
            pods,
        }
    }
}

/// The states of the app's services, by name. Of Jobs only those of the present spec count: an older Job
/// of the same service says nothing about it.
#[must_use]
pub fn service_states(seen: &Workloads, app: &ValidatedApp) -> BTreeMap<String, ServiceState> {
    let mut states = BTreeMap::new();
    for workload in &app.workloads {
        let Some(state) = workload_state(seen, app, workload) else { continue };
        let pods: Vec<_> = seen.pods.iter().filter(|pod| belongs(&pod.metadata, workload)).collect();
        for service in &workload.services {
            states.insert(service.name.clone(), service_state(workload, service, &state, &pods));
        }
    }
    states
}

/// What the object that keeps the pods says; `None`: it does not exist.
fn workload_state(
    seen: &Workloads,
    app: &ValidatedApp,
    workload: &ValidatedWorkload,
) -> Option<ServiceState> {
    match workload.kind {
        WorkloadKind::StatefulSet => {
            let found = seen.stateful_sets.iter().find(|set| belongs(&set.metadata, workload));
            found.map(stateful_set)
        }
        WorkloadKind::Deployment => {
            let found = seen.deployments.iter().find(|object| belongs(&object.metadata, workload));
            found.map(deployment)
        }
        WorkloadKind::DaemonSet => {
            let found = seen.daemon_sets.iter().find(|object| belongs(&object.metadata, workload));
            found.map(daemon_set)
        }
        WorkloadKind::Job { .. } => {
            let name = build::workload_name(app, workload);
            seen.jobs.iter().find(|job| job.metadata.name.as_ref() == Some(&name)).map(job)
        }
    }
}

fn belongs(metadata: &ObjectMeta, workload: &ValidatedWorkload) -> bool {
    let label = metadata.labels.as_ref().and_then(|labels| labels.get(SERVICE));
    label.is_some_and(|label| *label == naming::bounded(&workload.name, naming::MAX_LABEL))
}

/// The state of one service. Where it has the pod for itself, it is that of the workload; where it shares
/// the pod, its container's counts.
fn service_state(
    workload: &ValidatedWorkload,
    service: &ValidatedService,
    of_workload: &ServiceState,
    pods: &[&Pod],
) -> ServiceState {
    let mut state = of_workload.clone();
    if workload.is_shared() && !workload.kind.is_job() {
        let containers: Vec<_> = pods.iter().filter_map(|pod| container_status(pod, &service.name)).collect();
        share(&mut state, service, of_workload, &containers);
    }
    for pod in pods {
        state.started |= match workload.is_shared() {
            true => container_status(pod, &service.name).is_some_and(container_has_started),
            false => has_started(pod),
        };
        if state.message.is_none() && !state.is_settled() {
            state.message = complaint(pod);
        }
    }
    state
}

/// Replaces what the workload says of the whole pod by what the service's containers say.
fn share(
    state: &mut ServiceState,
    service: &ValidatedService,
    of_workload: &ServiceState,
    containers: &[&ContainerStatus],
) {
    let ended_well = |status: &ContainerStatus| {
        let ended = status.state.as_ref().and_then(|state| state.terminated.as_ref());
        ended.is_some_and(|ended| ended.exit_code == 0)
    };
    let counts = |status: &ContainerStatus| match service.role {
        Role::Init => ended_well(status),
        Role::Main | Role::Sidecar { .. } => status.ready,
    };
    let count = containers.iter().filter(|status| counts(status)).count();
    state.ready_pods = i32::try_from(count).unwrap_or(i32::MAX);
    state.completed = service.role == Role::Init && count > 0;
    state.ready = service.role != Role::Init && count > 0;
    // The workload is behind where its object is, even when the old pod's container is ready.
    state.available = of_workload.current && state.ready_pods >= of_workload.desired_pods;
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

/// A DaemonSet that sleeps wants no node; one that is awake and finds none has nothing to wait for.
fn daemon_set(set: &DaemonSet) -> ServiceState {
    let status = set.status.clone().unwrap_or_default();
    let desired = status.desired_number_scheduled;
    let seen = status.observed_generation >= set.metadata.generation;
    let updated = status.updated_number_scheduled.unwrap_or(0) >= desired;
    let ready = status.number_available.unwrap_or(0);
    let pod = set.spec.template.spec.as_ref();
    let asleep = pod
        .and_then(|spec| spec.node_selector.as_ref())
        .is_some_and(|selector| selector.contains_key(&daemon_set::nowhere()));
    ServiceState { up: !asleep, ..running(desired, ready, status.current_number_scheduled, seen && updated) }
}

fn running(desired: i32, ready: i32, existing: i32, current: bool) -> ServiceState {
    ServiceState {
        exists: true,
        up: desired > 0,
        ready: ready > 0,
        current: current && existing == desired,
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

fn has_started(pod: &Pod) -> bool {
    let statuses = container_statuses(pod);
    !statuses.is_empty() && statuses.iter().all(container_has_started)
}

/// Docker counts a container as started once it has run, however it ended.
fn container_has_started(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_some_and(|state| state.running.is_some() || state.terminated.is_some())
        || status.last_state.as_ref().is_some_and(|state| state.terminated.is_some())
}

/// Why a pod does not run, in the words of the kubelet or the scheduler.
fn complaint(pod: &Pod) -> Option<String> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let initial = pod.status.as_ref().and_then(|status| status.init_container_statuses.as_ref());
    let containers = container_statuses(pod).iter();
    // A pod whose init containers are under way says `PodInitializing` of the others.
    let ordinary = |reason: &String| matches!(reason.as_str(), "ContainerCreating" | "PodInitializing");
    let waiting = initial
        .into_iter()
        .flatten()
        .chain(containers)
        .filter_map(|status| status.state.as_ref()?.waiting.as_ref())
        .find_map(|waiting| waiting.reason.clone().filter(|reason| !ordinary(reason)));
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

/// The status of the container of this name, wherever it stands in the pod.
fn container_status<'a>(pod: &'a Pod, name: &str) -> Option<&'a ContainerStatus> {
    let status = pod.status.as_ref()?;
    let lists = [&status.container_statuses, &status.init_container_statuses];
    lists.into_iter().flatten().flatten().find(|container| container.name == name)
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
