//! The order of containers in a pod, and of pods among each other.

use super::groups::Group;
use super::{Candidate, Findings, Run, at};
use crate::app::codes;
use crate::app::validated::{Condition, Role, ValidatedService, ValidatedWorkload};
use kompox_compose::Project;
use std::collections::{BTreeMap, BTreeSet};

/// Name → the names that come before it.
type Before = BTreeMap<String, BTreeSet<String>>;

/// The members in the order in which they start: dependencies first, else by name.
pub(super) fn sort(
    project: &Project,
    group: &Group,
    members: Vec<Candidate>,
    findings: &mut Findings,
) -> Vec<Candidate> {
    let mut before = Before::new();
    for member in &members {
        let name = &member.service.name;
        let awaited = member.service.depends_on.iter().map(|dependency| dependency.service.clone());
        let joined = group.joins.iter().filter(|(from, _)| from == name).map(|(_, to)| to.clone());
        let inside = awaited.chain(joined).filter(|other| group.services.contains(other));
        before.insert(name.clone(), inside.collect());
    }
    let (order, circle) = topological(before);
    if let Some(name) = circle.first() {
        let message = format!("{} wait for each other, in one pod", list(&circle));
        let diagnostic = at(project.services.get(name), "depends_on", &codes::JOINED_IN_A_CIRCLE, message);
        findings.diagnose(diagnostic.help("remove one of the dependencies"));
    }
    let place = |candidate: &Candidate| order.iter().position(|name| *name == candidate.service.name);
    let mut members = members;
    members.sort_by_key(|member| (place(member).unwrap_or(usize::MAX), member.service.name.clone()));
    members
}

/// The order, and what is left over because it waits for itself.
fn topological(mut before: Before) -> (Vec<String>, Vec<String>) {
    let mut order = Vec::new();
    loop {
        let free = before.iter().find(|(_, others)| others.is_empty()).map(|(name, _)| name.clone());
        let Some(name) = free else { break };
        before.remove(&name);
        before.values_mut().for_each(|others| {
            others.remove(&name);
        });
        order.push(name);
    }
    (order, before.into_keys().collect())
}

/// What another container of the pod waits for starts before it: to its end, or as a sidecar.
pub(super) fn assign_roles(
    services: &mut [(Run, ValidatedService)],
    joins: &BTreeSet<(String, String)>,
    pod_runs_on: bool,
) {
    let awaited: Vec<(String, Condition)> = services
        .iter()
        .flat_map(|(_, service)| &service.depends_on)
        .map(|dependency| (dependency.service.clone(), dependency.condition))
        .chain(joins.iter().map(|(_, to)| (to.clone(), Condition::Started)))
        .collect();
    for (run, service) in services {
        let conditions = awaited.iter().filter(|(name, _)| *name == service.name);
        let conditions: Vec<Condition> = conditions.map(|(_, condition)| *condition).collect();
        service.role = match run {
            Run::ToTheEnd { .. } if pod_runs_on || !conditions.is_empty() => Role::Init,
            Run::Forever if !conditions.is_empty() => {
                Role::Sidecar { until_healthy: conditions.contains(&Condition::Healthy) }
            }
            _ => Role::Main,
        };
    }
}

/// Pods that wait for each other never start. The reader has checked services, not pods.
pub(super) fn check_pods(project: &Project, workloads: &[ValidatedWorkload], findings: &mut Findings) {
    let owner: BTreeMap<&str, &str> = workloads
        .iter()
        .flat_map(|workload| workload.services.iter().map(|own| (own.name.as_str(), workload.name.as_str())))
        .collect();
    let mut before = Before::new();
    for workload in workloads {
        let dependencies = workload.services.iter().flat_map(|service| &service.depends_on);
        let others = dependencies.filter_map(|dependency| owner.get(dependency.service.as_str()));
        let others = others.filter(|other| **other != workload.name).map(|other| (*other).to_owned());
        before.insert(workload.name.clone(), others.collect());
    }
    let (_, circle) = topological(before);
    if let Some(name) = circle.first() {
        let message = format!("the pods of {} wait for each other", list(&circle));
        let diagnostic = at(project.services.get(name), "depends_on", &codes::JOINED_IN_A_CIRCLE, message);
        findings.diagnose(diagnostic.help("remove one of the dependencies, or share no pod"));
    }
}

fn list(names: &[String]) -> String {
    names.join(", ")
}
