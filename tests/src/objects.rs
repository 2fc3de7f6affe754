//! Objects of the API server in tests and the demo: apply from YAML, wait for conditions, list.

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client, ResourceExt as _,
    api::{DynamicObject, Patch, PatchParams, ValidationDirective},
    core::{ApiResource, GroupVersionKind},
    discovery::{self, Scope},
};
use serde_json::Value;
use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

/// Field manager of everything that tests apply.
const MANAGER: &str = "kompox-tests";
/// How often a condition is looked at. Waiting ends with a deadline, never with a count.
const POLL: Duration = Duration::from_millis(100);

/// Installs the CRDs and waits until they are served.
///
/// # Errors
/// If the API server refuses one.
pub async fn install_crds(client: &Client) -> Result<()> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in kompox_crds::all() {
        let name = crd.name_any();
        api.patch(&name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(&crd)).await?;
        let established = kube::runtime::conditions::is_crd_established();
        let waiting = kube::runtime::wait::await_condition(api.clone(), &name, established);
        tokio::time::timeout(Duration::from_secs(30), waiting).await.context("the CRD is not served")??;
    }
    Ok(())
}

/// Applies every document of `yaml`; `namespace` is set where the kind has one.
///
/// # Errors
/// The first refusal, with the object named.
pub async fn apply(client: &Client, namespace: &str, yaml: &str) -> Result<()> {
    for mut object in documents(yaml)? {
        object["metadata"]["namespace"] = namespace.into();
        apply_value(client, object).await?;
    }
    Ok(())
}

/// The documents of a YAML stream.
///
/// # Errors
/// If it is no YAML.
pub fn documents(yaml: &str) -> Result<Vec<Value>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).context("failed to read YAML")?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// Asks the API server whether it would take `object` in `namespace`, with every field known to it. Nothing
/// is kept.
///
/// # Errors
/// Its refusal, with the object named.
pub async fn would_take(client: &Client, namespace: &str, mut object: Value) -> Result<()> {
    object["metadata"]["namespace"] = namespace.into();
    let parameters =
        PatchParams { field_validation: Some(ValidationDirective::Strict), ..PatchParams::apply(MANAGER) };
    patch(client, object, &parameters.force().dry_run()).await
}

async fn apply_value(client: &Client, object: Value) -> Result<()> {
    patch(client, object, &PatchParams::apply(MANAGER).force()).await
}

async fn patch(client: &Client, object: Value, parameters: &PatchParams) -> Result<()> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, name, namespace) = (text("/kind"), text("/metadata/name"), text("/metadata/namespace"));
    let (resource, scope) = resource(client, &text("/apiVersion"), &kind).await?;
    let api: Api<DynamicObject> = match scope {
        Scope::Namespaced => Api::namespaced_with(client.clone(), &namespace, &resource),
        Scope::Cluster => Api::all_with(client.clone(), &resource),
    };
    let mut object = object;
    if scope == Scope::Cluster
        && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
    {
        metadata.remove("namespace");
    }
    api.patch(&name, parameters, &Patch::Apply(&object))
        .await
        .with_context(|| format!("failed to apply {kind} {name}"))?;
    Ok(())
}

async fn resource(client: &Client, api_version: &str, kind: &str) -> Result<(ApiResource, Scope)> {
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    let gvk = GroupVersionKind::gvk(group, version, kind);
    let (resource, capabilities) = discovery::pinned_kind(client, &gvk).await?;
    Ok((resource, capabilities.scope))
}

/// Waits until `done` says yes of the object, at most `patience`.
///
/// # Errors
/// When the time is over: the last state of the object is shown.
pub async fn wait_for<K>(api: &Api<K>, name: &str, patience: Duration, done: impl Fn(&K) -> bool) -> Result<K>
where
    K: Clone + Debug + serde::de::DeserializeOwned + serde::Serialize,
{
    let deadline = Instant::now() + patience;
    loop {
        let object = api.get_opt(name).await?;
        match object {
            Some(object) if done(&object) => return Ok(object),
            other if Instant::now() > deadline => {
                let state = other.map(|object| serde_json::to_string_pretty(&object).unwrap_or_default());
                bail!(
                    "`{name}` did not get there within {patience:?}: {}",
                    state.unwrap_or_else(|| "absent".into())
                )
            }
            _ => tokio::time::sleep(POLL).await,
        }
    }
}

/// Waits until there is no object of this name.
///
/// # Errors
/// When the time is over.
pub async fn wait_gone<K>(api: &Api<K>, name: &str, patience: Duration) -> Result<()>
where
    K: Clone + Debug + serde::de::DeserializeOwned + serde::Serialize,
{
    let deadline = Instant::now() + patience;
    while let Some(object) = api.get_opt(name).await? {
        if Instant::now() > deadline {
            bail!("`{name}` is still there after {patience:?}: {}", serde_json::to_string_pretty(&object)?);
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// The status of a condition, or the empty text.
#[must_use]
pub fn condition<'a>(object: &'a Value, type_: &str, field: &str) -> &'a str {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let found = conditions.into_iter().flatten().find(|condition| condition["type"] == type_);
    found.and_then(|condition| condition[field].as_str()).unwrap_or_default()
}

/// Every object of the namespace whose kind can be listed, as JSON: for looking through all of it.
///
/// # Errors
/// If discovery or a list fails.
pub async fn everything(client: &Client, namespace: &str) -> Result<Vec<Value>> {
    let discovery = discovery::Discovery::new(client.clone()).run().await?;
    let kinds: Vec<ApiResource> = discovery
        .groups()
        .flat_map(kube::discovery::ApiGroup::recommended_resources)
        .filter(|(_, capabilities)| {
            capabilities.scope == Scope::Namespaced && capabilities.supports_operation(discovery::verbs::LIST)
        })
        .map(|(resource, _)| resource)
        .collect();
    let lists = futures::stream::iter(kinds).map(|kind| async move {
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &kind);
        let items = api.list(&kube::api::ListParams::default()).await?.items;
        items.iter().map(|item| Ok(serde_json::to_value(item)?)).collect::<Result<Vec<_>>>()
    });
    Ok(lists.buffer_unordered(8).try_collect::<Vec<_>>().await?.into_iter().flatten().collect())
}
