//! The container of a service.

use super::{environment, lifecycle, some_if_any, volumes};
use crate::app::validated::{
    ContainerPlan, Healthcheck, InitContainer, Role, ValidatedApp, ValidatedService, ValidatedWorkload,
};
use crate::naming;
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, ExecAction, Probe, ResourceRequirements, SecurityContext,
};

/// No number of failures may restart a container that Docker would leave running.
const NEVER_GIVE_UP: i32 = i32::MAX;

/// The containers that start in order, before the others: sidecars, one-shot services, and what each service
/// wants to have run before it.
pub(super) fn init(app: &ValidatedApp, workload: &ValidatedWorkload) -> Vec<Container> {
    let mut containers = Vec::new();
    for service in &workload.services {
        let before = service.container.init.iter();
        containers.extend(before.map(|plan| before_start(app, workload, service, plan)));
        if service.role != Role::Main {
            containers.push(build(app, workload, service));
        }
    }
    containers
}

/// A container that runs before that of its service, with the same environment and mounts.
fn before_start(
    app: &ValidatedApp,
    workload: &ValidatedWorkload,
    service: &ValidatedService,
    plan: &InitContainer,
) -> Container {
    let mut env = environment::named(app, service);
    for (name, key) in &plan.variables {
        // The own value wins, and no name may come twice.
        env.retain(|variable| variable.name != *name);
        let secret = naming::environment_secret(&app.identity.name, &service.name);
        env.push(environment::variable(name, secret, key));
    }
    Container {
        name: plan.name.clone(),
        image: Some(plan.image.clone()),
        image_pull_policy: Some(service.container.image_pull_policy.clone()),
        command: some_if_any(plan.command.iter().map(|word| literal(word)).collect()),
        working_dir: plan.working_dir.clone(),
        env: some_if_any(env),
        env_from: environment::all(app, service),
        volume_mounts: some_if_any(volumes::mounts(workload, service)),
        security_context: (plan.security != SecurityContext::default()).then(|| plan.security.clone()),
        ..Container::default()
    }
}

/// The containers that start together when the others have started or ended.
pub(super) fn main(app: &ValidatedApp, workload: &ValidatedWorkload) -> Vec<Container> {
    let last = workload.services.iter().filter(|service| service.role == Role::Main);
    last.map(|service| build(app, workload, service)).collect()
}

/// The container; named after the service.
fn build(app: &ValidatedApp, workload: &ValidatedWorkload, service: &ValidatedService) -> Container {
    let plan = &service.container;
    // Probes are not allowed where the end is waited for.
    let healthcheck = plan.healthcheck.as_ref().filter(|_| service.role != Role::Init);
    // Without one, what comes after a sidecar starts as soon as it runs.
    let waited_for = service.role != (Role::Sidecar { until_healthy: false });
    Container {
        name: service.name.clone(),
        image: Some(plan.image.clone()),
        image_pull_policy: Some(plan.image_pull_policy.clone()),
        command: some_if_any(plan.entrypoint.iter().map(|word| literal(word)).collect()),
        args: some_if_any(plan.command.iter().map(|word| literal(word)).collect()),
        working_dir: plan.working_dir.clone(),
        env: some_if_any(environment::named(app, service)),
        env_from: environment::all(app, service),
        lifecycle: lifecycle::build(workload, plan),
        liveness_probe: healthcheck.filter(|check| check.restarts).map(readiness),
        ports: some_if_any(ports(service)),
        volume_mounts: some_if_any(volumes::mounts(workload, service)),
        readiness_probe: healthcheck.map(readiness),
        startup_probe: healthcheck.filter(|_| waited_for).map(startup),
        resources: resources(plan),
        stdin: plan.stdin.then_some(true),
        tty: plan.tty.then_some(true),
        restart_policy: matches!(service.role, Role::Sidecar { .. }).then(|| "Always".to_owned()),
        security_context: (plan.security != SecurityContext::default()).then(|| plan.security.clone()),
        ..Container::default()
    }
}

/// Kubernetes expands `$(NAME)` and folds `$$` in commands, arguments and exec probes; Compose has
/// already interpolated. A doubled `$` arrives as one.
fn literal(word: &str) -> String {
    word.replace('$', "$$")
}

fn resources(plan: &ContainerPlan) -> Option<ResourceRequirements> {
    (plan.resources != ResourceRequirements::default()).then(|| plan.resources.clone())
}

fn ports(service: &ValidatedService) -> Vec<ContainerPort> {
    service
        .container
        .ports
        .iter()
        .map(|port| ContainerPort {
            container_port: i32::from(port.number),
            host_ip: port.host.and_then(|host| host.address).map(|address| address.to_string()),
            host_port: port.host.map(|host| i32::from(host.number)),
            name: Some(port.name.clone()),
            protocol: Some(port.protocol.as_str().to_owned()),
        })
        .collect()
}

/// Docker never restarts an unhealthy container, so a health check is readiness; liveness, which is the same
/// check, only where the file asks for it.
fn readiness(check: &Healthcheck) -> Probe {
    Probe {
        failure_threshold: Some(check.retries),
        period_seconds: Some(check.interval_seconds),
        ..probe(check)
    }
}

/// Checks often until the first success; without it the first readiness check waits a whole interval.
fn startup(check: &Healthcheck) -> Probe {
    Probe {
        failure_threshold: Some(NEVER_GIVE_UP),
        period_seconds: Some(check.start_interval_seconds),
        ..probe(check)
    }
}

fn probe(check: &Healthcheck) -> Probe {
    let command = check.command.iter().map(|word| literal(word)).collect();
    Probe {
        exec: Some(ExecAction { command: Some(command) }),
        timeout_seconds: Some(check.timeout_seconds),
        ..Probe::default()
    }
}
