//! One service: a function per key, each with the findings about it.

use super::{Findings, command, environment, mounts, names, ports, security, workload};
use crate::app::codes;
use crate::app::validated::{
    Condition, ContainerPlan, Dependency, Healthcheck, Platform, PodPlan, ValidatedService, WorkloadKind,
};
use kompox_compose::model::{
    DependencyCondition, Healthcheck as ComposeHealthcheck, HealthcheckTest, PullPolicy, Service,
};
use kompox_compose::{Diagnostic, Project, Spanned};
use kompox_crds::KompoxApp;
use std::collections::BTreeMap;
use std::time::Duration;

/// Validates one service.
pub(super) fn validate(
    app: &KompoxApp,
    project: &Project,
    service: &Service,
    findings: &mut Findings,
) -> ValidatedService {
    let mounts = mounts::validate(app, project, service, findings);
    let workload = workload::kind(project, service, &mounts, findings);
    let (environment, environment_hash) = environment::validate(service, findings);
    let depends_on = service.depends_on.iter();
    ValidatedService {
        name: service.name.value.clone(),
        workload,
        replicas: workload::replicas(service, workload, findings),
        aliases: names::aliases(service),
        published: ports::published(service, findings),
        depends_on: depends_on.map(|(name, on)| dependency(name, on.condition)).collect(),
        container: container(service, findings),
        pod: pod(service, workload, findings),
        environment,
        mounts,
        environment_hash,
    }
}

fn container(service: &Service, findings: &mut Findings) -> ContainerPlan {
    let (entrypoint, command) = command::validate(service, findings);
    let check = service.healthcheck.as_ref();
    ContainerPlan {
        image: service.image.value.clone(),
        image_pull_policy: pull(service.pull_policy.as_ref()).to_owned(),
        entrypoint,
        command,
        working_dir: service.working_dir.as_ref().map(|dir| dir.value.clone()),
        ports: ports::container_ports(service),
        healthcheck: check.and_then(|check| healthcheck(&service.name.value, &check.value, findings)),
        security: security::validate(service, findings),
    }
}

fn pod(service: &Service, workload: WorkloadKind, findings: &mut Findings) -> PodPlan {
    let name = &service.name.value;
    let grace = service.stop_grace_period.as_ref();
    PodPlan {
        hostname: workload::hostname(service, workload, findings),
        termination_grace_period_seconds: grace
            .map(|period| i64::from(whole_seconds(name, "stop_grace_period", period, findings))),
        share_process_namespace: service.init.as_ref().is_some_and(|init| init.value),
        platform: platform(name, service.platform.as_ref(), findings),
        annotations: annotations(name, &service.labels, findings),
    }
}

fn dependency(name: &str, condition: DependencyCondition) -> Dependency {
    let condition = match condition {
        DependencyCondition::Started => Condition::Started,
        DependencyCondition::Healthy => Condition::Healthy,
        DependencyCondition::CompletedSuccessfully => Condition::CompletedSuccessfully,
    };
    Dependency { service: name.to_owned(), condition }
}

/// Compose pulls what is missing, also for `latest`.
fn pull(policy: Option<&Spanned<PullPolicy>>) -> &'static str {
    match policy.map(|policy| policy.value) {
        Some(PullPolicy::Always) => "Always",
        Some(PullPolicy::Never) => "Never",
        Some(PullPolicy::Missing) | None => "IfNotPresent",
    }
}

fn healthcheck(service: &str, check: &ComposeHealthcheck, findings: &mut Findings) -> Option<Healthcheck> {
    let command = match &check.test {
        HealthcheckTest::Disabled => return None,
        HealthcheckTest::Exec(words) => words.clone(),
        HealthcheckTest::Shell(text) => vec!["/bin/sh".to_owned(), "-c".to_owned(), text.clone()],
    };
    for (key, given) in [
        ("interval", &check.interval),
        ("timeout", &check.timeout),
        ("start_interval", &check.start_interval),
    ] {
        if let Some(duration) = given {
            whole_seconds(service, &format!("healthcheck.{key}"), duration, findings);
        }
    }
    Some(Healthcheck {
        command,
        interval_seconds: ceil(check.interval()),
        timeout_seconds: ceil(check.timeout()),
        retries: i32::try_from(check.retries()).unwrap_or(i32::MAX),
        start_interval_seconds: ceil(check.start_interval()),
    })
}

/// Kubernetes counts whole seconds, from 1.
fn ceil(duration: Duration) -> i32 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i32::try_from(seconds.max(1)).unwrap_or(i32::MAX)
}

fn whole_seconds(service: &str, key: &str, duration: &Spanned<Duration>, findings: &mut Findings) -> i32 {
    let seconds = ceil(duration.value);
    if duration.value.subsec_nanos() > 0 {
        let message = format!("{:?} is rounded up to {seconds} s", duration.value);
        findings.diagnose(
            Diagnostic::new(&codes::ROUNDED_DURATION, message)
                .at(&duration.span)
                .path(format!("services.{service}.{key}")),
        );
    }
    seconds
}

/// Node labels for `os[/arch[/variant]]`; nodes do not tell variants apart.
fn platform(service: &str, platform: Option<&Spanned<String>>, findings: &mut Findings) -> Platform {
    let Some(given) = platform else { return Platform::default() };
    let mut parts = given.value.split('/');
    let os = parts.next().unwrap_or_default();
    let arch = match parts.next() {
        Some("x86_64" | "x86-64") => Some("amd64"),
        Some("aarch64") => Some("arm64"),
        Some("armhf" | "armel") => Some("arm"),
        other => other,
    };
    let known =
        arch.is_none_or(|arch| matches!(arch, "amd64" | "arm64" | "arm" | "ppc64le" | "s390x" | "riscv64"));
    if os != "linux" || !known {
        let message = format!("no node can have the platform `{}`", given.value);
        findings.diagnose(
            Diagnostic::new(&codes::PLATFORM, message)
                .at(&given.span)
                .path(format!("services.{service}.platform"))
                .help("use a platform such as `linux/amd64` or `linux/arm64`"),
        );
    }
    Platform { os: Some(os.to_owned()), arch: arch.map(str::to_owned) }
}

/// Labels of containers become annotations of pods: their values may be longer than a label's.
fn annotations(
    service: &str,
    labels: &BTreeMap<String, Spanned<String>>,
    findings: &mut Findings,
) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::new();
    for (key, value) in labels {
        if is_qualified_name(key) && !key.contains("kompox.dev/") {
            annotations.insert(key.clone(), value.value.clone());
            continue;
        }
        findings.diagnose(
            Diagnostic::new(&codes::LABEL_DROPPED, format!("the label `{key}` cannot be an annotation"))
                .at(&value.span)
                .path(format!("services.{service}.labels"))
                .help("remove it, or use at most 63 letters, digits, `-`, `_` and `.`"),
        );
    }
    annotations
}

/// `[prefix/]name` as Kubernetes wants keys of labels and annotations.
fn is_qualified_name(key: &str) -> bool {
    let (prefix, name) = key.rsplit_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    let name_fits = (1..=63).contains(&name.len())
        && name.starts_with(alphanumeric)
        && name.ends_with(alphanumeric)
        && name.chars().all(|c| alphanumeric(c) || "-_.".contains(c));
    let prefix_fits =
        prefix.is_none_or(|prefix| prefix.len() <= 253 && prefix.split('.').all(names::is_dns_label));
    name_fits && prefix_fits
}

#[cfg(test)]
mod tests {
    use super::Service;

    /// Does not compile when the model gains a key: convert it, or say here why there is nothing to do.
    #[test]
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
                volumes: _,
                tmpfs: _,
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
            } = service;
        };
    }
}
