//! Puts into a fresh cluster what an installation would: the CRDs and the operator's namespace.

use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kompox_crds::names::{OPERATOR_NAMESPACE, labels};
use kube::ResourceExt as _;
use kube::api::Api;
use kube::runtime::wait::{await_condition, conditions};
use serde_json::json;

use crate::cluster::{Cluster, Conflicts};
use crate::failure::Failure;

/// Normal is a fraction of a second.
const ESTABLISHED_LIMIT: Duration = Duration::from_secs(60);

/// Applies everything and waits until the API serves our kinds.
///
/// # Errors
/// When the API server refuses something or does not serve a kind in time.
pub async fn run(cluster: &Cluster) -> Result<(), Failure> {
    let namespace = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": OPERATOR_NAMESPACE,
            "labels": {labels::MANAGED_BY: labels::MANAGED_BY_KOMPOX},
        },
    });
    cluster.apply(&namespace, Conflicts::Force).await?;
    let crds = kompox_crds::all();
    for crd in &crds {
        let object = serde_json::to_value(crd).map_err(|error| Failure::Output(error.to_string()))?;
        cluster.apply(&object, Conflicts::Force).await?;
    }
    for crd in &crds {
        established(cluster, &crd.name_any()).await?;
    }
    Ok(())
}

async fn established(cluster: &Cluster, name: &str) -> Result<(), Failure> {
    let api: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
    let wait = await_condition(api, name, conditions::is_crd_established());
    match tokio::time::timeout(ESTABLISHED_LIMIT, wait).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            Err(Failure::Dev(format!("failed to watch CustomResourceDefinition/{name}: {error}")))
        }
        Err(_) => Err(Failure::Timeout {
            what: format!("CustomResourceDefinition/{name}"),
            after: ESTABLISHED_LIMIT,
            state: "not Established".into(),
        }),
    }
}
