//! Which services share a pod, what the pod becomes, and in which order its containers start.
//!
//! A service has a pod for itself, unless it joins another's network, process or IPC namespace, or the
//! spec wants one pod for all.

mod groups;
mod merge;
mod order;

use super::Findings;
use super::rollout;
use super::service::Candidate;
use super::workload::{self, Run};
use crate::app::codes;
use crate::app::validated::{MountSource, Protocol, Role, ValidatedWorkload, WorkloadKind};
use groups::Group;
use kompox_compose::model::Service;
use kompox_compose::{Code, Diagnostic, Project};
use kompox_crds::v1alpha1::app::PodLayout;
use std::collections::BTreeMap;

/// The workloads, sorted by name.
pub(super) fn assemble(
    layout: PodLayout,
    project: &Project,
    candidates: Vec<Candidate>,
    findings: &mut Findings,
) -> Vec<ValidatedWorkload> {
    let mut left: BTreeMap<String, Candidate> =
        candidates.into_iter().map(|candidate| (candidate.service.name.clone(), candidate)).collect();
    let groups = groups::find(layout, project, findings);
    let mut workloads: Vec<_> = groups
        .iter()
        .map(|group| {
            let members = group.services.iter().filter_map(|name| left.remove(name)).collect();
            one(layout, project, group, members, findings)
        })
        .collect();
    workloads.sort_by(|a, b| a.name.cmp(&b.name));
    order::check_pods(project, &workloads, findings);
    workloads
}

fn one(
    layout: PodLayout,
    project: &Project,
    group: &Group,
    members: Vec<Candidate>,
    findings: &mut Findings,
) -> ValidatedWorkload {
    let members = order::sort(project, group, members, findings);
    let runs: Vec<Run> = members.iter().map(|member| member.run).collect();
    let kind = kind(&members, &runs);
    if group.is_shared() {
        check_runs(layout, project, &members, &runs, findings);
        check_ports(layout, project, group, &members, findings);
    }
    let services = || members.iter().filter_map(|member| project.services.get(&member.service.name));
    let replicas = replicas(group, services().collect(), kind, findings);
    let mut pod = merge::pods(project, &members, findings);
    pod.hostname = merge::hostname(group.root.as_ref(), services().collect(), kind, findings);
    // With the processes of the node a pod already shares more; the API refuses both.
    pod.share_process_namespace = (pod.share_process_namespace || group.shares_processes) && !pod.host.pid;
    let ports = members.iter().flat_map(|member| &member.service.container.ports);
    let alone = pod.one_per_node || pod.host.network || ports.into_iter().any(|port| port.host.is_some());
    if let Some(service) = services().next() {
        pod.rollout = rollout::validate(service, kind, alone, findings);
    }
    let runs_on = !kind.is_job();
    let mut services: Vec<_> = members.into_iter().map(|member| (member.run, member.service)).collect();
    order::assign_roles(&mut services, &group.joins, runs_on);
    let services: Vec<_> = services.into_iter().map(|(_, service)| service).collect();
    if layout == PodLayout::SinglePod && !services.iter().any(|service| service.role == Role::Main) {
        let last = services.last().and_then(|service| project.services.get(&service.name));
        let message = "in one pod nothing would run on after this one-shot service";
        findings
            .diagnose(at(last, "restart", &codes::NOTHING_RUNS_ON, message).help("use podLayout PerService"));
    }
    ValidatedWorkload {
        name: group.name.clone(),
        kind,
        replicas,
        governing_service: group.root.clone(),
        pod,
        services,
    }
}

/// Any disk makes a StatefulSet of what runs on; what all ends is a Job; one service that runs on every node
/// takes the others of its pod with it.
fn kind(members: &[Candidate], runs: &[Run]) -> WorkloadKind {
    if runs.contains(&Run::Everywhere) {
        return WorkloadKind::DaemonSet;
    }
    let limits: Option<Vec<i32>> = runs
        .iter()
        .map(|run| match run {
            Run::ToTheEnd { backoff_limit } => Some(*backoff_limit),
            Run::Forever | Run::Everywhere => None,
        })
        .collect();
    if let Some(limits) = limits {
        return WorkloadKind::Job { backoff_limit: limits.into_iter().max().unwrap_or(0) };
    }
    let is_kept =
        |source: &MountSource| matches!(source, MountSource::Disk { .. } | MountSource::Claim { .. });
    let mut mounts = members.iter().flat_map(|member| &member.service.mounts);
    if mounts.any(|mount| is_kept(&mount.source)) {
        WorkloadKind::StatefulSet
    } else {
        WorkloadKind::Deployment
    }
}

/// One restart policy per pod. In a pod of all services, one-shot services run before the others.
fn check_runs(
    layout: PodLayout,
    project: &Project,
    members: &[Candidate],
    runs: &[Run],
    findings: &mut Findings,
) {
    let Some(first) = runs.first() else { return };
    let all_end = runs.iter().all(|run| matches!(run, Run::ToTheEnd { .. }));
    for (member, run) in members.iter().zip(runs).filter(|_| !all_end || runs.iter().any(|run| run != first))
    {
        let service = project.services.get(&member.service.name);
        let ends = matches!(run, Run::ToTheEnd { .. });
        if layout == PodLayout::SinglePod && !all_end {
            if ends {
                let message = "it runs again whenever the pod starts, until it succeeds";
                findings.diagnose(at(service, "restart", &codes::RUN_AGAIN, message));
            }
            continue;
        }
        if run != first {
            let message = "the services that share its pod are restarted in another way";
            findings.diagnose(
                at(service, "restart", &codes::RESTART_SHARED, message)
                    .help("give all services that share a pod the same `restart`"),
            );
        }
    }
}

/// Containers of one pod have one set of ports. A service that joins another's network often documents
/// with `expose` the port that the other publishes for it: there only `ports` count.
fn check_ports(
    layout: PodLayout,
    project: &Project,
    group: &Group,
    members: &[Candidate],
    findings: &mut Findings,
) {
    let mut taken: BTreeMap<(u16, Protocol), &str> = BTreeMap::new();
    for member in members {
        let name = member.service.name.as_str();
        let exposed = (layout == PodLayout::SinglePod || !group.shares_network(name))
            .then_some(&member.service.container.ports);
        let exposed = exposed.into_iter().flatten().map(|port| (port.number, port.protocol));
        let published = member.service.published.iter().map(|port| (port.target, port.protocol));
        let own: std::collections::BTreeSet<_> = exposed.chain(published).collect();
        for port in own {
            let Some(other) = taken.insert(port, name) else { continue };
            let message =
                format!("port {}/{} is also that of {other}, in the same pod", port.0, port.1.as_str());
            let service = project.services.get(name);
            findings.diagnose(
                at(service, "ports", &codes::PORT_SHARED, message)
                    .help("let one of the two listen elsewhere"),
            );
        }
    }
}

/// Pods of the workload: the one service's, or one.
fn replicas(group: &Group, services: Vec<&Service>, kind: WorkloadKind, findings: &mut Findings) -> i32 {
    if let ([service], false) = (services.as_slice(), group.is_shared()) {
        return workload::replicas(service, kind, findings);
    }
    for service in services {
        let Some(replicas) = service.replicas.as_ref().filter(|replicas| replicas.value != 1) else {
            continue;
        };
        let message = format!("it shares a pod, of which there is one, and asks for {}", replicas.value);
        findings.diagnose(
            Diagnostic::new(&codes::REPLICAS_SHARED, message)
                .at(&replicas.span)
                .path(format!("services.{}.deploy.replicas", service.name.value))
                .help("remove the number of replicas"),
        );
    }
    1
}

/// A finding about a key of a service; where the key has no span of its own, about the service.
fn at(service: Option<&Service>, key: &str, code: &'static Code, message: impl Into<String>) -> Diagnostic {
    let diagnostic = Diagnostic::new(code, message);
    let Some(service) = service else { return diagnostic };
    let span = match key {
        "restart" => service.restart.as_ref().map(|restart| &restart.span),
        "ports" => service.ports.first().map(|port| &port.span),
        "hostname" => service.hostname.as_ref().map(|hostname| &hostname.span),
        "platform" => service.platform.as_ref().map(|platform| &platform.span),
        "stop_grace_period" => service.stop_grace_period.as_ref().map(|period| &period.span),
        _ => None,
    };
    diagnostic.at(span.unwrap_or(&service.name.span)).path(format!("services.{}.{key}", service.name.value))
}

#[cfg(test)]
mod tests;
