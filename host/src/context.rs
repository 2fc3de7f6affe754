//! What every controller is given: clients, drivers, the recorder, metrics, and who we are. Nothing of
//! one controller alone, and no configuration that only `run` needs.

use crate::{
    backoff::Backoff, events::Recorder, freshness::Freshness, metrics::Metrics, readiness::Readiness,
    writes::Writes,
};
use k8s_openapi::{NamespaceResourceScope, jiff::Timestamp};
use kompox_core::{
    app::Settings,
    driver::{ClusterIdentity, Drivers},
};
use kube::{Api, Client, Resource, core::PartialObjectMeta};
use std::{fmt, sync::Arc};

/// Where the operator looks for objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// In every namespace.
    #[default]
    Cluster,
    /// In this one.
    Namespace(String),
}

/// Shared by all controllers; cheap to clone behind its `Arc`.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// The loaded drivers.
    pub drivers: Arc<dyn Drivers>,
    /// Kubernetes events; never fails.
    pub events: Recorder,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The one way to write.
    pub writes: Writes,
    /// Failures in a row, per object.
    pub backoff: Backoff,
    /// Our own writes that the caches have not seen.
    pub freshness: Arc<Freshness>,
    /// Which parts are ready.
    pub readiness: Readiness,
    /// Namespace the operator runs in: drivers' Secrets and parked claims are there.
    pub operator_namespace: String,
    /// The cluster the operator runs in.
    pub cluster: ClusterIdentity,
    /// Where objects are looked for.
    pub scope: Scope,
    /// Reconciliations that each controller runs at once.
    pub concurrency: u16,
    /// What apps get that do not say otherwise.
    pub apps: Settings,
    /// The wall clock.
    pub clock: fn() -> Timestamp,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("cluster", &self.cluster)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl Context {
    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The objects of a namespaced kind that the operator looks after: in all namespaces, or in its one.
    #[must_use]
    pub fn watched<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        match &self.scope {
            Scope::Cluster => Api::all(self.client.clone()),
            Scope::Namespace(namespace) => Api::namespaced(self.client.clone(), namespace),
        }
    }

    /// The objects of a namespaced kind in `namespace`.
    #[must_use]
    pub fn namespaced<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The metadata of the objects of a namespaced kind in `namespace`.
    #[must_use]
    pub fn namespaced_metadata<K>(&self, namespace: &str) -> Api<PartialObjectMeta<K>>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The objects of a cluster-scoped kind, or of a namespaced one in every namespace.
    #[must_use]
    pub fn all<K: Resource<DynamicType = ()>>(&self) -> Api<K> {
        Api::all(self.client.clone())
    }
}
