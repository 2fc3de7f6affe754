//! Live reads of what an app refers to and of what was made for it. Decides nothing, writes nothing.

use super::{namespace, selector};
use crate::{context::Context, controllers::Error, reads, refusal::Refusal};
use k8s_openapi::{
    ByteString,
    api::{
        apps::v1::{DaemonSet, Deployment, StatefulSet},
        batch::v1::Job,
        core::v1::{ConfigMap, Namespace, Pod, Secret, Service},
        networking::v1::{Ingress, NetworkPolicy},
    },
};
use kompox_core::app::{
    AppIdentity, Content, Facts, PodSecurity, References, SecretText, external_references,
    observe::Workloads, references,
};
use kompox_crds::KompoxApp;
use kube::{Resource, ResourceExt as _, api::ListParams};
use serde::de::DeserializeOwned;
use std::{collections::BTreeMap, fmt::Debug};

/// Everything that one round needs.
pub(super) struct Dereferenced {
    /// Content of ConfigMaps and Secrets.
    pub(super) facts: Facts,
    /// What the Compose files name besides the spec.
    pub(super) externals: References,
    /// Workloads and pods.
    pub(super) workloads: Workloads,
    /// All objects of the app.
    pub(super) owned: Owned,
}

/// The objects that have the app as their controller.
pub(super) struct Owned {
    pub(super) secrets: Vec<Secret>,
    pub(super) services: Vec<Service>,
    pub(super) network_policies: Vec<NetworkPolicy>,
    pub(super) stateful_sets: Vec<StatefulSet>,
    pub(super) deployments: Vec<Deployment>,
    pub(super) daemon_sets: Vec<DaemonSet>,
    pub(super) jobs: Vec<Job>,
    pub(super) ingresses: Vec<Ingress>,
}

/// Reads it all.
pub(super) async fn run(app: &KompoxApp, context: &Context) -> Result<Dereferenced, Error> {
    let identity = AppIdentity::of(app);
    let owned = owned(&identity, context).await?;
    let workloads = Workloads {
        stateful_sets: owned.stateful_sets.clone(),
        deployments: owned.deployments.clone(),
        daemon_sets: owned.daemon_sets.clone(),
        jobs: owned.jobs.clone(),
        pods: pods(&identity, context).await?,
    };
    let (facts, externals) = facts(app, context).await?;
    Ok(Dereferenced { facts, externals, workloads, owned })
}

/// Every object that has the app as its controller.
pub(super) async fn owned(app: &AppIdentity, context: &Context) -> Result<Owned, Error> {
    Ok(Owned {
        secrets: list_owned(app, context).await?,
        services: list_owned(app, context).await?,
        network_policies: list_owned(app, context).await?,
        stateful_sets: list_owned(app, context).await?,
        deployments: list_owned(app, context).await?,
        daemon_sets: list_owned(app, context).await?,
        jobs: list_owned(app, context).await?,
        ingresses: list_owned(app, context).await?,
    })
}

/// The pods of the app's services.
pub(super) async fn pods(app: &AppIdentity, context: &Context) -> Result<Vec<Pod>, Error> {
    let params = ListParams::default().labels(&selector(app));
    Ok(reads::list(&context.namespaced(&app.namespace), &params).await?)
}

async fn list_owned<K>(app: &AppIdentity, context: &Context) -> Result<Vec<K>, Error>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned,
{
    let params = ListParams::default().labels(&selector(app));
    let found = reads::list::<K>(&context.namespaced(&app.namespace), &params).await?;
    let is_ours = |object: &K| {
        object.owner_references().iter().any(|owner| owner.controller == Some(true) && owner.uid == app.uid)
    };
    Ok(found.into_iter().filter(is_ours).collect())
}

/// What the spec names, then what the Compose file read from there names.
async fn facts(app: &KompoxApp, context: &Context) -> Result<(Facts, References), Error> {
    let namespace = namespace(&app.metadata);
    let mut facts = Facts { pod_security: pod_security(namespace, context).await?, ..Facts::default() };
    read(references(app), namespace, &mut facts, context).await?;
    let externals = external_references(app, &facts);
    read(externals.clone(), namespace, &mut facts, context).await?;
    Ok((facts, externals))
}

async fn read(
    references: References,
    namespace: &str,
    facts: &mut Facts,
    context: &Context,
) -> Result<(), Error> {
    for name in references.config_maps {
        if facts.config_maps.contains_key(&name) {
            continue;
        }
        if let Some(map) = reads::find::<ConfigMap>(&context.namespaced(namespace), &name).await? {
            facts.config_maps.insert(name, content(map.data, map.binary_data));
        }
    }
    for name in references.secrets {
        if facts.secrets.contains_key(&name) {
            continue;
        }
        if let Some(secret) = reads::find::<Secret>(&context.namespaced(namespace), &name).await? {
            facts.secrets.insert(name, content(None, secret.data));
        }
    }
    Ok(())
}

/// What the namespace lets pods do. Whoever may not read namespaces takes it to be little.
async fn pod_security(namespace: &str, context: &Context) -> Result<PodSecurity, Error> {
    match reads::find::<Namespace>(&context.all(), namespace).await {
        Ok(found) => {
            let labels = found.and_then(|found| found.metadata.labels).unwrap_or_default();
            Ok(PodSecurity::of_labels(&labels))
        }
        Err(error) if error.refusal() == Refusal::Denied => Ok(PodSecurity::Baseline),
        Err(error) => Err(error.into()),
    }
}

fn content(text: Option<BTreeMap<String, String>>, bytes: Option<BTreeMap<String, ByteString>>) -> Content {
    let text = text.unwrap_or_default().into_iter().map(|(key, value)| (key, SecretText::new(value)));
    let bytes = bytes.unwrap_or_default().into_iter().map(|(key, value)| (key, SecretText::new(value.0)));
    text.chain(bytes).collect()
}
