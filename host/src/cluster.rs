//! The cluster at start: the client, the kinds the operator needs, and the cluster's identity. What is
//! not there yet is waited for: a Deployment may start before its CRDs, or before the API server.

use crate::{
    metrics::{Metrics, Served},
    refusal::Refusal,
    requests::{explain, limited},
};
use http::{HeaderValue, header::USER_AGENT};
use k8s_openapi::api::core::v1::Namespace;
use kompox_core::driver::ClusterIdentity;
use kompox_crds::{KompoxApp, KompoxDisk, KompoxDriver, KompoxSnapshot, names};
use kube::{Api, Client, Config, Resource as _, ResourceExt as _};
use std::{collections::BTreeSet, time::Duration};

/// The namespace every cluster has and none can delete: its uid is the cluster's.
const IDENTITY: &str = "kube-system";

/// How the operator names itself to the API server.
const USER: &str = concat!("kompox-operator/", env!("CARGO_PKG_VERSION"));

/// Pause between two looks at what is not there yet.
const PAUSE: Duration = Duration::from_secs(2);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No configuration was found.
    #[error(
        "failed to find a cluster: neither the service account of a pod nor a kubeconfig \
         (KUBECONFIG, ~/.kube/config) can be read: {source}"
    )]
    Infer {
        /// What the client says.
        source: Box<kube::config::InferConfigError>,
    },
    /// The configuration does not make a client.
    #[error("failed to make a client for the cluster: {source}")]
    Client {
        /// What the client says.
        source: Box<kube::Error>,
    },
}

/// A client that names itself in the API server's logs and metrics.
///
/// # Errors
/// When no cluster is configured, or its configuration cannot be used.
pub async fn connect() -> Result<Client, Error> {
    let mut config = Config::infer().await.map_err(|source| Error::Infer { source: Box::new(source) })?;
    config.headers.push((USER_AGENT, HeaderValue::from_static(USER)));
    Client::try_from(config).map_err(|source| Error::Client { source: Box::new(source) })
}

/// Ends when the API server serves every kind that is reconciled.
pub async fn wait_for_kinds(client: &Client, metrics: &Metrics) {
    metrics.crds(Served::NotAll);
    let mut told = String::new();
    loop {
        let missing = missing_kinds(client).await;
        let Some(reason) = missing else { break };
        if reason != told {
            tracing::warn!(reason, "waiting for the API server to serve the CRDs");
            told = reason;
        }
        tokio::time::sleep(PAUSE).await;
    }
    metrics.crds(Served::All);
}

/// Ends with the identity of the cluster.
pub async fn identify(client: &Client) -> ClusterIdentity {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let mut told = String::new();
    loop {
        let reason = match limited(namespaces.get_metadata(IDENTITY)).await {
            Ok(found) => match found.uid() {
                Some(uid) => return ClusterIdentity { uid, name: None, region: None },
                None => "the namespace has no uid".to_owned(),
            },
            Err(error) => explain(&error),
        };
        if reason != told {
            tracing::warn!(reason, "waiting for the namespace {IDENTITY}, whose uid identifies the cluster");
            told = reason;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Why the kinds are not all there; `None` when they are.
async fn missing_kinds(client: &Client) -> Option<String> {
    let served = match limited(client.list_api_group_resources(names::API_VERSION)).await {
        Ok(served) => served.resources.into_iter().map(|resource| resource.kind).collect::<BTreeSet<_>>(),
        Err(error) if Refusal::of(&error) == Refusal::Gone => BTreeSet::new(),
        Err(error) => return Some(explain(&error)),
    };
    let needed =
        [KompoxApp::kind(&()), KompoxDisk::kind(&()), KompoxDriver::kind(&()), KompoxSnapshot::kind(&())];
    let missing: Vec<_> = needed.into_iter().filter(|kind| !served.contains(kind.as_ref())).collect();
    (!missing.is_empty())
        .then(|| format!("not installed: {}; apply the CRDs of this version", missing.join(", ")))
}

#[cfg(test)]
mod tests;
