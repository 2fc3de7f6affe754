//! `build`: a validated app → every object that carries it. Pure and total: the same app gives the same
//! objects in the same order, and nothing here can fail.
//!
//! One object kind per file below. Claims are not built here: they are handed over step by step, see
//! [`super::volume`].

mod affinity;
mod container;
mod copy_up;
pub(super) mod daemon_set;
mod deployment;
mod environment;
mod ingress;
mod job;
mod lifecycle;
mod network_policy;
mod no_network;
mod pod;
mod secret;
mod security;
mod service;
mod stateful_set;
mod volumes;

use crate::app::validated::{ValidatedApp, ValidatedWorkload, WorkloadKind};
use crate::resources::Prepared;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::marker::PhantomData;

/// Every object of an app but its claims. `State` says whether they are values or what the API server
/// returned. Not `Debug`: it holds Secrets.
#[derive(Clone)]
pub struct AppResources<State> {
    /// Environments.
    pub secrets: Vec<Secret>,
    /// Names and published ports.
    pub services: Vec<Service>,
    /// Isolation.
    pub network_policies: Vec<NetworkPolicy>,
    /// Services with disks.
    pub stateful_sets: Vec<StatefulSet>,
    /// Services without.
    pub deployments: Vec<Deployment>,
    /// Services on every node.
    pub daemon_sets: Vec<DaemonSet>,
    /// One-shot services.
    pub jobs: Vec<Job>,
    /// Routes.
    pub ingresses: Vec<Ingress>,
    /// Prepared or applied.
    pub state: PhantomData<State>,
}

impl<State> Default for AppResources<State> {
    fn default() -> Self {
        Self {
            secrets: Vec::new(),
            services: Vec::new(),
            network_policies: Vec::new(),
            stateful_sets: Vec::new(),
            deployments: Vec::new(),
            daemon_sets: Vec::new(),
            jobs: Vec::new(),
            ingresses: Vec::new(),
            state: PhantomData,
        }
    }
}

impl<State> AppResources<State> {
    /// Every object as a document, in the order in which they are applied: what others mount or resolve
    /// first. Holds the values of Secrets.
    ///
    /// # Errors
    /// When an object cannot be serialised.
    pub fn documents(&self) -> Result<Vec<Value>, serde_json::Error> {
        // Without `..`: a new kind of object must be added here too.
        let Self {
            secrets,
            services,
            network_policies,
            stateful_sets,
            deployments,
            daemon_sets,
            jobs,
            ingresses,
            state: _,
        } = self;
        let mut documents = Vec::new();
        extend(&mut documents, secrets)?;
        extend(&mut documents, services)?;
        extend(&mut documents, network_policies)?;
        extend(&mut documents, stateful_sets)?;
        extend(&mut documents, deployments)?;
        extend(&mut documents, daemon_sets)?;
        extend(&mut documents, jobs)?;
        extend(&mut documents, ingresses)?;
        Ok(documents)
    }

    /// Changes the metadata of every object.
    pub(crate) fn for_each_metadata(&mut self, change: impl Fn(&mut ObjectMeta)) {
        let Self {
            secrets,
            services,
            network_policies,
            stateful_sets,
            deployments,
            daemon_sets,
            jobs,
            ingresses,
            state: _,
        } = self;
        secrets.iter_mut().for_each(|object| change(&mut object.metadata));
        services.iter_mut().for_each(|object| change(&mut object.metadata));
        network_policies.iter_mut().for_each(|object| change(&mut object.metadata));
        stateful_sets.iter_mut().for_each(|object| change(&mut object.metadata));
        deployments.iter_mut().for_each(|object| change(&mut object.metadata));
        daemon_sets.iter_mut().for_each(|object| change(&mut object.metadata));
        jobs.iter_mut().for_each(|object| change(&mut object.metadata));
        ingresses.iter_mut().for_each(|object| change(&mut object.metadata));
    }
}

fn extend(documents: &mut Vec<Value>, objects: &[impl Serialize]) -> Result<(), serde_json::Error> {
    for object in objects {
        documents.push(serde_json::to_value(object)?);
    }
    Ok(())
}

/// Builds the objects. `finished` names the one-shot services whose Job is complete: their names leave
/// DNS, since the address of their pod may be given to another.
#[must_use]
pub fn build(app: &ValidatedApp, finished: &BTreeSet<String>) -> AppResources<Prepared> {
    let mut resources = AppResources {
        secrets: secret::build(app),
        network_policies: network_policy::build(app).into_iter().chain(no_network::build(app)).collect(),
        ingresses: ingress::build(app).into_iter().collect(),
        ..AppResources::default()
    };
    for workload in &app.workloads {
        for service in &workload.services {
            // Only the address of a Job's pod is given up: the others keep theirs.
            if !(workload.kind.is_job() && finished.contains(&service.name)) {
                resources.services.extend(service::build(app, workload, service));
            }
        }
        match workload.kind {
            WorkloadKind::StatefulSet => resources.stateful_sets.push(stateful_set::build(app, workload)),
            WorkloadKind::Deployment => resources.deployments.push(deployment::build(app, workload)),
            WorkloadKind::DaemonSet => resources.daemon_sets.push(daemon_set::build(app, workload)),
            WorkloadKind::Job { backoff_limit } => {
                resources.jobs.push(job::build(app, workload, backoff_limit));
            }
        }
    }
    resources
}

/// The name of a workload's object.
#[must_use]
pub fn workload_name(app: &ValidatedApp, workload: &ValidatedWorkload) -> String {
    match workload.kind {
        WorkloadKind::Job { backoff_limit } => job::name(app, workload, backoff_limit),
        _ => crate::naming::workload(&app.identity.name, &workload.name),
    }
}

/// `None` for an empty list: absent and empty mean the same, and absent is shorter.
fn some_if_any<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
