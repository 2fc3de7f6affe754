//! The pod template of a service: Docker's defaults where Kubernetes has others.

use super::{affinity, container, some_if_any, volumes};
use crate::app::validated::{ValidatedApp, ValidatedService};
use crate::labels;
use k8s_openapi::api::core::v1::{PodSecurityContext, PodSpec, PodTemplateSpec, SeccompProfile, Sysctl};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kompox_crds::names::annotations::{ENV_HASH, RESTARTED_AT};

/// Kernel parameters that Docker sets for every container; both count as safe for the kubelet.
const DEFAULT_SYSCTLS: [(&str, &str); 2] =
    [("net.ipv4.ip_unprivileged_port_start", "0"), ("net.ipv4.ping_group_range", "0 2147483647")];

/// The template; `restart_policy` is `Always` or, for Jobs, `Never`.
pub(super) fn template(
    app: &ValidatedApp,
    service: &ValidatedService,
    restart_policy: &str,
) -> PodTemplateSpec {
    PodTemplateSpec { metadata: Some(metadata(app, service)), spec: Some(spec(app, service, restart_policy)) }
}

fn metadata(app: &ValidatedApp, service: &ValidatedService) -> ObjectMeta {
    let mut labels = labels::object_labels(&app.identity, Some(&service.name), &app.inherited);
    labels.extend(service.disks().into_iter().map(|disk| (affinity::disk_label(disk), "true".to_owned())));
    let mut annotations = service.pod.annotations.clone();
    annotations.extend(app.inherited.annotations.clone());
    if !service.environment.is_empty() {
        annotations.insert(ENV_HASH.to_owned(), service.environment_hash.clone());
    }
    // A restart must not run a finished one-shot service again.
    if let Some(at) = app.restarted_at.as_ref().filter(|_| !service.workload.is_job()) {
        annotations.insert(RESTARTED_AT.to_owned(), at.clone());
    }
    let annotations = (!annotations.is_empty()).then_some(annotations);
    ObjectMeta { labels: Some(labels), annotations, ..ObjectMeta::default() }
}

fn spec(app: &ValidatedApp, service: &ValidatedService, restart_policy: &str) -> PodSpec {
    let plan = &service.pod;
    let scheduling = &app.scheduling;
    PodSpec {
        affinity: affinity::build(app, service),
        automount_service_account_token: Some(false),
        containers: vec![container::build(app, service)],
        // Docker-style links (`DB_PORT=tcp://…`) break images that read variables of these names.
        enable_service_links: Some(false),
        hostname: plan.hostname.clone(),
        image_pull_secrets: some_if_any(scheduling.image_pull_secrets.clone()),
        node_selector: (!scheduling.node_selector.is_empty()).then(|| scheduling.node_selector.clone()),
        priority_class_name: scheduling.priority_class_name.clone(),
        restart_policy: Some(restart_policy.to_owned()),
        security_context: Some(security_context()),
        service_account_name: scheduling.service_account_name.clone(),
        share_process_namespace: plan.share_process_namespace.then_some(true),
        termination_grace_period_seconds: plan.termination_grace_period_seconds,
        tolerations: some_if_any(scheduling.tolerations.clone()),
        volumes: some_if_any(volumes::volumes(app, service)),
        ..PodSpec::default()
    }
}

/// Never `fsGroup`: it rewrites owners and modes on the disk, and servers that check their files' modes
/// then refuse to start.
fn security_context() -> PodSecurityContext {
    let sysctl = |(name, value): (&str, &str)| Sysctl { name: name.to_owned(), value: value.to_owned() };
    PodSecurityContext {
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
        sysctls: Some(DEFAULT_SYSCTLS.map(sysctl).into()),
        ..PodSecurityContext::default()
    }
}
