//! The pod template of a workload: Docker's defaults where Kubernetes has others.

use super::{affinity, container, copy_up, network_policy, security, some_if_any, volumes};
use crate::app::validated::{ValidatedApp, ValidatedService, ValidatedWorkload};
use crate::hash::FieldHasher;
use crate::labels;
use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kompox_crds::names::annotations::{ENV_HASH, RESTARTED_AT};

/// Metadata of a workload object: `deploy.labels` become its annotations.
pub(super) fn workload_meta(app: &ValidatedApp, workload: &ValidatedWorkload, name: String) -> ObjectMeta {
    let mut metadata = labels::object_meta(&app.identity, name, Some(&workload.name), &app.inherited);
    for (key, value) in &workload.pod.workload_annotations {
        let annotations = metadata.annotations.get_or_insert_default();
        annotations.entry(key.clone()).or_insert_with(|| value.clone());
    }
    metadata
}

/// Annotation with the hash of the files that are mounted from objects of others.
const FILES_HASH: &str = "kompox.dev/files-hash";

/// The template; `restart_policy` is `Always` or, for Jobs, `Never`.
pub(super) fn template(
    app: &ValidatedApp,
    workload: &ValidatedWorkload,
    restart_policy: &str,
) -> PodTemplateSpec {
    PodTemplateSpec {
        metadata: Some(metadata(app, workload)),
        spec: Some(spec(app, workload, restart_policy)),
    }
}

fn metadata(app: &ValidatedApp, workload: &ValidatedWorkload) -> ObjectMeta {
    let mut labels = labels::object_labels(&app.identity, Some(&workload.name), &app.inherited);
    labels.extend(workload.disks().into_iter().map(|disk| (affinity::disk_label(disk), "true".to_owned())));
    let networks = app.network_policy.iter().flat_map(|policy| policy.networks_of(workload));
    labels.extend(networks.map(|network| (network_policy::label(network), "true".to_owned())));
    let mut annotations = workload.pod.annotations.clone();
    annotations.extend(app.inherited.annotations.clone());
    annotations.extend(environment_hash(workload).map(|hash| (ENV_HASH.to_owned(), hash)));
    annotations.extend(files_hash(workload).map(|hash| (FILES_HASH.to_owned(), hash)));
    // A restart must not run a finished one-shot service again.
    if let Some(at) = app.restarted_at.as_ref().filter(|_| !workload.kind.is_job()) {
        annotations.insert(RESTARTED_AT.to_owned(), at.clone());
    }
    let annotations = (!annotations.is_empty()).then_some(annotations);
    ObjectMeta { labels: Some(labels), annotations, ..ObjectMeta::default() }
}

fn spec(app: &ValidatedApp, workload: &ValidatedWorkload, restart_policy: &str) -> PodSpec {
    let plan = &workload.pod;
    let scheduling = &app.scheduling;
    PodSpec {
        affinity: affinity::build(app, workload),
        automount_service_account_token: Some(false),
        containers: container::main(app, workload),
        // Docker-style links (`DB_PORT=tcp://…`) break images that read variables of these names.
        enable_service_links: Some(false),
        dns_config: plan.dns.clone(),
        // The default sends pods of the host's network past the cluster's names.
        dns_policy: plan.host.network.then(|| "ClusterFirstWithHostNet".to_owned()),
        host_aliases: some_if_any(plan.host_aliases.clone()),
        host_ipc: plan.host.ipc.then_some(true),
        host_network: plan.host.network.then_some(true),
        host_pid: plan.host.pid.then_some(true),
        runtime_class_name: plan.runtime_class.clone(),
        topology_spread_constraints: some_if_any(affinity::spread(app, workload)),
        hostname: plan.hostname.clone(),
        image_pull_secrets: some_if_any(scheduling.image_pull_secrets.clone()),
        init_containers: some_if_any(init_containers(app, workload)),
        node_selector: (!scheduling.node_selector.is_empty()).then(|| scheduling.node_selector.clone()),
        priority_class_name: scheduling.priority_class_name.clone(),
        restart_policy: Some(restart_policy.to_owned()),
        security_context: Some(security::build(plan)),
        service_account_name: scheduling.service_account_name.clone(),
        share_process_namespace: plan.share_process_namespace.then_some(true),
        termination_grace_period_seconds: plan.termination_grace_period_seconds,
        tolerations: some_if_any(scheduling.tolerations.clone()),
        volumes: some_if_any(volumes::volumes(app, workload)),
        ..PodSpec::default()
    }
}

/// Directories are filled before anything runs.
fn init_containers(app: &ValidatedApp, workload: &ValidatedWorkload) -> Vec<Container> {
    copy_up::build(workload).into_iter().chain(container::init(app, workload)).collect()
}

/// A change of any environment replaces the pod. `None` when there is none.
fn environment_hash(workload: &ValidatedWorkload) -> Option<String> {
    let given: Vec<&ValidatedService> =
        workload.services.iter().filter(|service| has_environment(service)).collect();
    if let ([only], false) = (given.as_slice(), workload.is_shared()) {
        return Some(only.environment_hash.clone());
    }
    let mut hasher = FieldHasher::default();
    for service in &given {
        hasher.field(&service.name).field(&service.environment_hash);
    }
    (!given.is_empty()).then(|| hasher.hex())
}

fn has_environment(service: &ValidatedService) -> bool {
    !service.environment.is_empty() || !service.named_environment.is_empty()
}

/// A change of any mounted file replaces the pod. `None` when there is none.
fn files_hash(workload: &ValidatedWorkload) -> Option<String> {
    let mut hashes = workload.services.iter().filter_map(|service| service.files_hash.as_ref()).peekable();
    hashes.peek()?;
    let mut hasher = FieldHasher::default();
    hashes.for_each(|hash| {
        hasher.field(hash);
    });
    Some(hasher.hex())
}
