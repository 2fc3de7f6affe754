//! `depends_on`: which workloads may be made now. A workload is held back only before it first runs; one
//! that runs is kept up to date whatever its dependencies do, as Compose does.

use crate::app::validated::{Activity, Condition, ValidatedApp, ValidatedWorkload};
use std::collections::{BTreeMap, BTreeSet};

/// What was seen of a service's workload and pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceState {
    /// The workload object exists.
    pub exists: bool,
    /// The workload exists and is not scaled to 0 or suspended.
    pub up: bool,
    /// The containers of a pod run, or ran.
    pub started: bool,
    /// A pod is Ready.
    pub ready: bool,
    /// The pods that exist are those wanted, in their present form.
    pub current: bool,
    /// Every pod wanted is there in its present form; a Job is complete.
    pub available: bool,
    /// The Job ended with success.
    pub completed: bool,
    /// The Job gave up.
    pub failed: bool,
    /// Pods that are ready.
    pub ready_pods: i32,
    /// Pods wanted.
    pub desired_pods: i32,
    /// Why it is not available, where something says so.
    pub message: Option<String>,
}

impl ServiceState {
    /// Whether nothing more is to be expected of it.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.available || self.failed
    }
}

/// Whether a service's workload is applied in this step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Apply it.
    Apply,
    /// Leave it as it is: absent, scaled to 0, or as it last was.
    Wait {
        /// What is waited for, such as `service db`.
        on: String,
    },
    /// A one-shot service of a hibernated app that never ran: it is made when the app wakes up.
    Skip,
}

/// Decides for every workload, by its name. A service without an entry in `states` does not exist; a disk
/// that is not in `ready_disks` is not locked and bound, and no pod may be made or changed that mounts it.
#[must_use]
pub fn admit(
    app: &ValidatedApp,
    states: &BTreeMap<String, ServiceState>,
    ready_disks: &BTreeSet<String>,
) -> BTreeMap<String, Admission> {
    let admission = |workload| admit_one(app, workload, states, ready_disks);
    app.workloads.iter().map(|workload| (workload.name.clone(), admission(workload))).collect()
}

fn admit_one(
    app: &ValidatedApp,
    workload: &ValidatedWorkload,
    states: &BTreeMap<String, ServiceState>,
    ready_disks: &BTreeSet<String>,
) -> Admission {
    let own = || workload.services.iter().filter_map(|service| states.get(&service.name));
    // Stopping needs no disk.
    if app.activity == Activity::Hibernated {
        let skip = workload.kind.is_job() && !own().any(|state| state.exists);
        return if skip { Admission::Skip } else { Admission::Apply };
    }
    if let Some(disk) = workload.disks().into_iter().find(|disk| !ready_disks.contains(*disk)) {
        return Admission::Wait { on: format!("disk {disk}") };
    }
    if own().any(|state| state.up) {
        return Admission::Apply;
    }
    // Inside the pod the order of its containers does it. A dependency that is not part of the project
    // was checked to be optional.
    let dependencies = workload.services.iter().flat_map(|service| &service.depends_on);
    let mut outside = dependencies.filter(|dependency| {
        !workload.has(&dependency.service)
            && app.services().any(|(_, other)| other.name == dependency.service)
    });
    let missing = outside.find(|dependency| {
        let other = states.get(&dependency.service).cloned().unwrap_or_default();
        !holds(dependency.condition, &other)
    });
    missing.map_or(Admission::Apply, |dependency| Admission::Wait {
        on: format!("service {}", dependency.service),
    })
}

/// Docker counts a container that has run and ended as started.
fn holds(condition: Condition, state: &ServiceState) -> bool {
    match condition {
        Condition::Started => state.started || state.ready || state.completed,
        Condition::Healthy => state.ready,
        Condition::CompletedSuccessfully => state.completed,
    }
}

#[cfg(test)]
mod tests;
