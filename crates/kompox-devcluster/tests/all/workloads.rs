//! Controllers of the real control plane on simulated pods.

use crate::support::{apply, eventually, merged, namespace, object, wait_for};
use anyhow::Result;
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::Pod,
    discovery::v1::EndpointSlice,
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Instant};

const FINALIZER: &str = "kompox.dev/writer";

/// A pod template with one container; `spec` is merged over it.
fn template(app: &str, spec: &Value) -> Value {
    let containers = json!({ "containers": [{ "name": "main", "image": "example/main" }] });
    let template = json!({ "metadata": { "labels": { "app": app } }, "spec": containers });
    merged(template, json!({ "spec": spec }))
}

/// A pod with one container; `metadata` is merged over it.
fn pod(namespace: &str, name: &str, metadata: &Value) -> Value {
    let pod = object("v1", "Pod", namespace, name, template(name, &json!({})));
    merged(pod, json!({ "metadata": metadata }))
}

fn ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

/// Reason and exit code of the first container's end.
fn ended(pod: &Pod) -> Option<(String, i32)> {
    let status = pod.status.as_ref()?.container_statuses.as_ref()?.first()?;
    let end = status.state.as_ref()?.terminated.as_ref()?;
    Some((end.reason.clone().unwrap_or_default(), end.exit_code))
}

pub(crate) async fn a_pod_runs(client: &Client, namespace_name: &str) -> Result<()> {
    let namespace = namespace(client, namespace_name).await?;
    apply(client, pod(&namespace, "p", &json!({}))).await?;
    wait_for(&Api::<Pod>::namespaced(client.clone(), &namespace), "p", ready).await?;
    Ok(())
}

pub(crate) async fn deployment(client: &Client) -> Result<()> {
    let namespace = namespace(client, "deployment").await?;
    let spec = |image: &str| {
        let containers = json!({ "containers": [{ "name": "main", "image": image }],
            "initContainers": [{ "name": "init", "image": "example/init" }] });
        json!({ "replicas": 3, "selector": { "matchLabels": { "app": "web" } }, "template": template("web", &containers) })
    };
    let service = json!({ "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80 }] } });
    apply(client, object("v1", "Service", &namespace, "web", service)).await?;
    let api: Api<Deployment> = Api::namespaced(client.clone(), &namespace);
    for image in ["example/one", "example/two"] {
        apply(client, object("apps/v1", "Deployment", &namespace, "web", json!({ "spec": spec(image) })))
            .await?;
        wait_for(&api, "web", |deployment| {
            let status = deployment.status.clone().unwrap_or_default();
            status.observed_generation == deployment.metadata.generation
                && (status.updated_replicas, status.ready_replicas, status.replicas)
                    == (Some(3), Some(3), Some(3))
        })
        .await?;
    }
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    let pods = pods.list(&ListParams::default()).await?;
    let live = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none());
    let addresses: BTreeSet<_> = live.filter_map(|pod| pod.status.as_ref()?.pod_ip.clone()).collect();
    assert_eq!(addresses.len(), 3, "addresses differ: {addresses:?}");
    let slices: Api<EndpointSlice> = Api::namespaced(client.clone(), &namespace);
    eventually("the Service has the pods' addresses", || async {
        let slices = slices.list(&ListParams::default()).await?;
        let endpoints = slices.iter().flat_map(|slice| slice.endpoints.iter().flatten());
        Ok(endpoints.flat_map(|e| e.addresses.clone()).collect::<BTreeSet<_>>() == addresses)
    })
    .await
}

pub(crate) async fn stateful_set(client: &Client) -> Result<()> {
    let namespace = namespace(client, "stateful-set").await?;
    let spec = json!({ "replicas": 2, "serviceName": "db", "selector": { "matchLabels": { "app": "db" } },
        "template": template("db", &json!({})) });
    apply(client, object("apps/v1", "StatefulSet", &namespace, "db", json!({ "spec": spec }))).await?;
    let api: Api<StatefulSet> = Api::namespaced(client.clone(), &namespace);
    let is_ready =
        |set: &StatefulSet| set.status.as_ref().is_some_and(|status| status.ready_replicas == Some(2));
    wait_for(&api, "db", is_ready).await?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    let first = pods.get("db-0").await?;
    pods.delete("db-0", &DeleteParams::default()).await?;
    let second = wait_for(&pods, "db-0", |pod| pod.uid() != first.uid() && ready(pod)).await?;
    assert_ne!(first.status.and_then(|s| s.pod_ip), second.status.and_then(|s| s.pod_ip));
    Ok(())
}

pub(crate) async fn jobs(client: &Client) -> Result<()> {
    let namespace = namespace(client, "jobs").await?;
    let api: Api<Job> = Api::namespaced(client.clone(), &namespace);
    for (name, policy, code, want) in [
        ("good", "Never", "0", "Complete"),
        ("bad", "Never", "3", "Failed"),
        ("flaky", "OnFailure", "4", "Failed"),
    ] {
        let annotations = json!({ "metadata": { "annotations": { "dev.kompox.dev/exit-code": code } } });
        let template = merged(template(name, &json!({ "restartPolicy": policy })), annotations);
        let spec = json!({ "backoffLimit": if policy == "Never" { 0 } else { 1 }, "template": template });
        apply(client, object("batch/v1", "Job", &namespace, name, json!({ "spec": spec }))).await?;
        wait_for(&api, name, |job| {
            let conditions = job.status.as_ref().and_then(|s| s.conditions.as_deref()).unwrap_or_default();
            conditions.iter().any(|condition| condition.type_ == want && condition.status == "True")
        })
        .await?;
    }
    Ok(())
}

pub(crate) async fn faults_on_request(client: &Client) -> Result<()> {
    let namespace = namespace(client, "faults").await?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    let annotated = |key: &str, value: &str| json!({ "annotations": { key: value } });
    apply(client, pod(&namespace, "sick", &annotated("dev.kompox.dev/never-ready", "true"))).await?;
    apply(client, pod(&namespace, "crash", &annotated("dev.kompox.dev/exit-code", "5"))).await?;
    let no_image = annotated("dev.kompox.dev/waiting-reason", "ImagePullBackOff");
    apply(client, pod(&namespace, "no-image", &no_image)).await?;

    let waits = |pod: &Pod, reason: &str| {
        let statuses = pod.status.as_ref().and_then(|s| s.container_statuses.as_deref()).unwrap_or_default();
        statuses
            .iter()
            .any(|c| c.state.as_ref().and_then(|s| s.waiting.as_ref()?.reason.as_deref()) == Some(reason))
    };
    wait_for(&pods, "no-image", |pod| waits(pod, "ImagePullBackOff")).await?;
    let crashed = wait_for(&pods, "crash", |pod| waits(pod, "CrashLoopBackOff")).await?;
    let last = crashed.status.and_then(|s| s.container_statuses?.first()?.last_state.clone()?.terminated);
    assert_eq!(last.map(|end| end.exit_code), Some(5));
    wait_for(&pods, "sick", |pod| phase(pod) == "Running" && !ready(pod)).await?;

    for name in ["sick", "no-image"] {
        let none = json!({ "metadata": { "annotations": null } });
        pods.patch(name, &PatchParams::default(), &Patch::Merge(none)).await?;
        wait_for(&pods, name, ready).await?;
    }
    Ok(())
}

/// What the operator's writer protection needs: the object stays, with every container terminated,
/// until the finalizer goes; also when the deletion was forced.
pub(crate) async fn finalizer_sees_terminated_containers(client: &Client) -> Result<()> {
    let namespace = namespace(client, "finalizer").await?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    let polite = DeleteParams::default();
    let forced = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
    for (name, deletion, reason) in [("polite", polite, ("Completed", 0)), ("forced", forced, ("Error", 137))]
    {
        apply(client, pod(&namespace, name, &json!({ "finalizers": [FINALIZER] }))).await?;
        wait_for(&pods, name, ready).await?;
        pods.delete(name, &deletion).await?;
        let stopped = wait_for(&pods, name, |pod| ended(pod).is_some()).await?;
        assert!(stopped.metadata.deletion_timestamp.is_some() && stopped.finalizers() == [FINALIZER]);
        assert_eq!(ended(&stopped), Some((reason.0.to_owned(), reason.1)), "{name}");
        // The kubelet's own deletion has been made when no grace is left.
        wait_for(&pods, name, |pod| pod.metadata.deletion_grace_period_seconds == Some(0)).await?;
        let none = json!({ "metadata": { "finalizers": null } });
        pods.patch(name, &PatchParams::default(), &Patch::Merge(none)).await?;
        eventually("the pod is gone", || async { Ok(pods.get_opt(name).await?.is_none()) }).await?;
    }
    Ok(())
}

pub(crate) async fn deleted_before_it_started(client: &Client) -> Result<()> {
    let namespace = namespace(client, "unborn").await?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    let stuck = json!({ "annotations": { "dev.kompox.dev/waiting-reason": "ErrImagePull" },
        "finalizers": [FINALIZER] });
    apply(client, pod(&namespace, "p", &stuck)).await?;
    wait_for(&pods, "p", |pod| pod.status.as_ref().is_some_and(|s| s.container_statuses.is_some())).await?;
    pods.delete("p", &DeleteParams::default()).await?;
    let stopped = wait_for(&pods, "p", |pod| ended(pod).is_some()).await?;
    assert_eq!(ended(&stopped), Some(("ContainerStatusUnknown".into(), 137)));
    assert_eq!(phase(&stopped), "Failed");
    Ok(())
}

pub(crate) async fn hundreds_of_pods(client: &Client) -> Result<()> {
    const PODS: i32 = 300;
    let namespace = namespace(client, "many").await?;
    let started = Instant::now();
    let spec = json!({ "replicas": PODS, "selector": { "matchLabels": { "app": "many" } },
        "template": template("many", &json!({})) });
    apply(client, object("apps/v1", "Deployment", &namespace, "many", json!({ "spec": spec }))).await?;
    let api: Api<Deployment> = Api::namespaced(client.clone(), &namespace);
    let all = |deployment: &Deployment| {
        deployment.status.as_ref().is_some_and(|status| status.ready_replicas == Some(PODS))
    };
    wait_for(&api, "many", all).await?;
    println!("{PODS} pods ready in {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}
