//! The container of a service.

use super::{some_if_any, volumes};
use crate::app::validated::{Healthcheck, ValidatedApp, ValidatedService};
use crate::naming;
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvFromSource, ExecAction, Probe, SecretEnvSource, SecurityContext,
};

/// No number of failures may restart a container that Docker would leave running.
const NEVER_GIVE_UP: i32 = i32::MAX;

/// The container; named after the service.
pub(super) fn build(app: &ValidatedApp, service: &ValidatedService) -> Container {
    let plan = &service.container;
    Container {
        name: service.name.clone(),
        image: Some(plan.image.clone()),
        image_pull_policy: Some(plan.image_pull_policy.clone()),
        command: some_if_any(plan.entrypoint.iter().map(|word| literal(word)).collect()),
        args: some_if_any(plan.command.iter().map(|word| literal(word)).collect()),
        working_dir: plan.working_dir.clone(),
        env_from: environment(app, service),
        ports: some_if_any(ports(service)),
        volume_mounts: some_if_any(volumes::mounts(service)),
        readiness_probe: plan.healthcheck.as_ref().map(readiness),
        startup_probe: plan.healthcheck.as_ref().map(startup),
        security_context: (plan.security != SecurityContext::default()).then(|| plan.security.clone()),
        ..Container::default()
    }
}

/// Kubernetes expands `$(NAME)` and folds `$$` in commands, arguments and exec probes; Compose has
/// already interpolated. A doubled `$` arrives as one.
fn literal(word: &str) -> String {
    word.replace('$', "$$")
}

/// `envFrom` takes values as they are, and keeps them out of the pod template.
fn environment(app: &ValidatedApp, service: &ValidatedService) -> Option<Vec<EnvFromSource>> {
    (!service.environment.is_empty()).then(|| {
        vec![EnvFromSource {
            secret_ref: Some(SecretEnvSource {
                name: naming::environment_secret(&app.identity.name, &service.name),
                optional: None,
            }),
            ..EnvFromSource::default()
        }]
    })
}

fn ports(service: &ValidatedService) -> Vec<ContainerPort> {
    service
        .container
        .ports
        .iter()
        .map(|&(number, protocol)| ContainerPort {
            container_port: i32::from(number),
            name: Some(protocol.port_name(number)),
            protocol: Some(protocol.as_str().to_owned()),
            ..ContainerPort::default()
        })
        .collect()
}

/// Docker never restarts an unhealthy container, so a health check is readiness, not liveness.
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
