//! `depends_on`: which workloads may be made now. A service is held back only before it first runs; one
//! that runs is kept up to date whatever its dependencies do, as Compose does.

use crate::app::validated::{Activity, Condition, ValidatedApp, ValidatedService};
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

/// Decides for every service. A service without an entry in `states` does not exist; a disk that is not
/// in `ready_disks` is not locked and bound, and no pod may be made or changed that mounts it.
#[must_use]
pub fn admit(
    app: &ValidatedApp,
    states: &BTreeMap<String, ServiceState>,
    ready_disks: &BTreeSet<String>,
) -> BTreeMap<String, Admission> {
    app.services
        .iter()
        .map(|service| (service.name.clone(), admit_one(app, service, states, ready_disks)))
        .collect()
}

fn admit_one(
    app: &ValidatedApp,
    service: &ValidatedService,
    states: &BTreeMap<String, ServiceState>,
    ready_disks: &BTreeSet<String>,
) -> Admission {
    let state = states.get(&service.name).cloned().unwrap_or_default();
    // Stopping needs no disk.
    if app.activity == Activity::Hibernated {
        let skip = !state.exists && service.workload.is_job();
        return if skip { Admission::Skip } else { Admission::Apply };
    }
    if let Some(disk) = service.disks().into_iter().find(|disk| !ready_disks.contains(*disk)) {
        return Admission::Wait { on: format!("disk {disk}") };
    }
    if state.up {
        return Admission::Apply;
    }
    // A dependency that is not part of the project was checked to be optional.
    let missing = service.depends_on.iter().find(|dependency| {
        let known = app.services.iter().any(|other| other.name == dependency.service);
        let other = states.get(&dependency.service).cloned().unwrap_or_default();
        known && !holds(dependency.condition, &other)
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
