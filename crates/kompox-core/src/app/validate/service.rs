//! One service: its parts, put together.

use super::mounts::Contents;
use super::subject::Subject;
use super::workload::Run;
use super::{
    Findings, Given, command, environment, healthcheck, hooks, host, image, labels, mounts, placement, ports,
    pre_start, resolver, resources, seconds, security, workload,
};
use crate::app::codes;
use crate::app::validated::{
    Condition, ContainerPlan, Dependency, Mount, MountSource, PodPlan, Role, Rollout, ValidatedService,
};
use kompox_compose::Project;
use kompox_compose::model::{DependencyCondition, Service, SharedNamespace};
use std::collections::BTreeSet;

/// Where programs expect shared memory.
const SHARED_MEMORY: &str = "/dev/shm";

/// A service before it is known with which others it shares a pod.
pub(super) struct Candidate {
    /// What concerns its containers and names.
    pub(super) service: ValidatedService,
    /// What it asks of its pod.
    pub(super) pod: PodPlan,
    /// Whether it is restarted when it ends.
    pub(super) run: Run,
}

/// Validates one service.
pub(super) fn validate(
    given: &Given<'_>,
    contents: &Contents,
    subject: &Subject<'_>,
    findings: &mut Findings,
) -> Candidate {
    let service = subject.service;
    let (mut mounts, files_hash) = mounts::validate(given, contents, service, findings);
    let run = workload::run(given.project, service, on_disk(&mounts), findings);
    shared_memory(subject, &mut mounts, findings);
    let mut variables = hooks::Variables::new();
    let container = container(subject, given.project, &mut variables, findings);
    let environment = environment::validate(subject, variables, findings);
    workload::endpoint_mode(service, findings);
    resolver::domain_name(subject, findings);
    let pod = pod(subject, findings);
    let validated = ValidatedService {
        name: service.name.value.clone(),
        role: Role::Main,
        // Given when all names are known to be different.
        aliases: BTreeSet::new(),
        published: ports::published(subject, findings),
        depends_on: service.depends_on.iter().map(|(name, on)| dependency(name, on.condition)).collect(),
        container,
        environment: environment.plain,
        named_environment: environment.named,
        mounts,
        environment_hash: environment.hash,
        files_hash,
    };
    Candidate { service: validated, pod, run }
}

fn on_disk(mounts: &[Mount]) -> bool {
    mounts.iter().any(|mount| matches!(mount.source, MountSource::Disk { .. } | MountSource::Claim { .. }))
}

/// What concerns the container; variables that its hooks need are added to `variables`.
pub(super) fn container(
    subject: &Subject<'_>,
    project: &Project,
    variables: &mut hooks::Variables,
    findings: &mut Findings,
) -> ContainerPlan {
    let service = subject.service;
    let (entrypoint, command) = command::validate(service, findings);
    let image = image::reference(subject, findings);
    let security = security::validate(subject, findings);
    let sees_others = sees_other_processes(project, service);
    ContainerPlan {
        image_pull_policy: image::pull_policy(subject, findings).to_owned(),
        entrypoint,
        command,
        working_dir: service.working_dir.as_ref().map(|dir| dir.value.clone()),
        ports: ports::container_ports(subject, findings),
        healthcheck: healthcheck::validate(subject, findings),
        resources: resources::validate(subject, findings),
        post_start: hooks::post_start(subject, variables, findings),
        pre_stop: hooks::pre_stop(subject, variables, findings),
        stop_signal: hooks::stop_signal(subject, sees_others, findings),
        tty: service.tty.as_ref().is_some_and(|tty| tty.value),
        stdin: service.stdin_open.as_ref().is_some_and(|open| open.value),
        init: pre_start::validate(subject, &image, &security, variables, findings),
        image,
        security,
    }
}

/// Whether process 1, as the container sees it, is not its own.
fn sees_other_processes(project: &Project, service: &Service) -> bool {
    let init = service.init.as_ref().is_some_and(|init| init.value);
    let name = &service.name.value;
    let container = service.container_name.as_ref().map(|name| &name.value);
    let joins = |other: &Service| match other.pid.as_ref().map(|pid| &pid.value) {
        Some(SharedNamespace::Service(target)) => target == name,
        Some(SharedNamespace::Container(target)) => Some(target) == container,
        _ => false,
    };
    let shared = service.pid.as_ref().is_some_and(|pid| !matches!(pid.value, SharedNamespace::Own(_)));
    init || shared || project.services.values().any(joins)
}

/// What the service asks of its pod. Where several share one, `topology::merge` says what they get; what
/// depends on the kind of the workload is decided there too.
pub(super) fn pod(subject: &Subject<'_>, findings: &mut Findings) -> PodPlan {
    let host = host::namespaces(subject, findings);
    let grace = subject.service.stop_grace_period.as_ref();
    PodPlan {
        hostname: None,
        termination_grace_period_seconds: grace
            .map(|period| i64::from(seconds::whole(subject, "stop_grace_period", period, findings))),
        share_process_namespace: host::init(subject, host, findings),
        platform: image::platform(subject, findings),
        annotations: labels::of_pod(subject, findings),
        host,
        no_network: host::no_network(subject, findings),
        supplemental_groups: security::supplemental_groups(subject, findings),
        sysctls: host::sysctls(subject, host, findings),
        host_aliases: resolver::host_aliases(subject, findings),
        dns: resolver::dns(subject, findings),
        runtime_class: image::runtime_class(subject, findings),
        node_requirements: placement::constraints(subject, findings),
        spread_over: placement::spread_over(subject, findings),
        one_per_node: placement::one_per_node(subject, findings),
        workload_annotations: labels::of_workload(subject, findings),
        rollout: Rollout::default(),
    }
}

/// `shm_size`, unless the file itself mounts something there.
fn shared_memory(subject: &Subject<'_>, mounts: &mut Vec<Mount>, findings: &mut Findings) {
    let Some(size) = subject.service.shm_size.as_ref().filter(|size| size.value > 0) else { return };
    if mounts.iter().any(|mount| mount.target == SHARED_MEMORY) {
        return;
    }
    let message = "shared memory that is used counts to the memory of the container";
    findings.diagnose(subject.at(&codes::SHM_SIZE, "shm_size", &size.span, message));
    let source = MountSource::Tmpfs { size: Some(size.value) };
    mounts.push(Mount { target: SHARED_MEMORY.to_owned(), read_only: false, copy_up: false, source });
    mounts.sort_by(|a, b| a.target.cmp(&b.target));
}

fn dependency(name: &str, condition: DependencyCondition) -> Dependency {
    let condition = match condition {
        DependencyCondition::Started => Condition::Started,
        DependencyCondition::Healthy => Condition::Healthy,
        DependencyCondition::CompletedSuccessfully => Condition::CompletedSuccessfully,
    };
    Dependency { service: name.to_owned(), condition }
}

#[cfg(test)]
mod tests {
    use super::Service;

    /// Does not compile when the model gains a key: convert it, or say here why there is nothing to do.
    #[test]
    #[expect(clippy::too_many_lines, reason = "a line for each key")]
    fn every_key_is_dealt_with() {
        let _: fn(Service) = |service| {
            let Service {
                // By `validate` and the files beside this one.
                name: _,
                image: _,
                command: _,
                entrypoint: _,
                environment: _,
                ports: _,
                expose: _,
                mounts: _,
                depends_on: _,
                healthcheck: _,
                restart: _,
                replicas: _,
                user: _,
                working_dir: _,
                labels: _,
                stop_grace_period: _,
                container_name: _,
                hostname: _,
                init: _,
                read_only: _,
                cap_add: _,
                cap_drop: _,
                platform: _,
                pull_policy: _,
                // By the reader: the cluster is one flat network, and what profiles leave out is not here.
                networks: _,
                profiles: _,
                build: _,
                volumes_from: _,
                configs: _,
                secrets: _,
                links: _,
                deploy: _,
                resources: _,
                group_add: _,
                annotations: _,
                stop_signal: _,
                domainname: _,
                extra_hosts: _,
                dns: _,
                dns_search: _,
                dns_opt: _,
                privileged: _,
                security_opt: _,
                sysctls: _,
                shm_size: _,
                storage_opt: _,
                network_mode: _,
                pid: _,
                ipc: _,
                uts: _,
                userns_mode: _,
                cgroup: _,
                runtime: _,
                tty: _,
                stdin_open: _,
                pre_start: _,
                post_start: _,
                pre_stop: _,
                extension: _,
            } = service;
        };
    }
}
