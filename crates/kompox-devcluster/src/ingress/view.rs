//! The objects that decide where requests go, as the API server has them at the moment.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, future};
use k8s_openapi::api::{
    core::v1::{Node, Service},
    discovery::v1::EndpointSlice,
    networking::v1::{Ingress, IngressBackend},
};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::backend::Objects;
use super::{Error, route};

/// Caches that follow the API server. Clones share them.
#[derive(Clone)]
pub(super) struct View {
    class: Arc<str>,
    ingresses: Store<Ingress>,
    services: Store<Service>,
    slices: Store<EndpointSlice>,
    nodes: Store<Node>,
    /// Called after each change of an Ingress.
    pub(super) changed: Arc<Notify>,
}

impl View {
    /// Begins to follow; the tasks never end by themselves.
    pub(super) fn start(client: &Client, class: &str, tasks: &mut JoinSet<()>) -> Self {
        let changed = Arc::new(Notify::new());
        Self {
            class: class.into(),
            ingresses: follow(client, tasks, Some(Arc::clone(&changed))),
            services: follow(client, tasks, None),
            slices: follow(client, tasks, None),
            nodes: follow(client, tasks, None),
            changed,
        }
    }

    /// Waits until every cache has been filled once.
    pub(super) async fn wait(&self, limit: Duration) -> Result<(), Error> {
        let filled = async {
            tokio::try_join!(
                self.ingresses.wait_until_ready(),
                self.services.wait_until_ready(),
                self.slices.wait_until_ready(),
                self.nodes.wait_until_ready(),
            )
        };
        match tokio::time::timeout(limit, filled).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Error::NotSynced { waited: limit }),
        }
    }

    /// The Ingresses of the class.
    pub(super) fn served(&self) -> Vec<Arc<Ingress>> {
        self.ingresses.state_filter(|ingress| route::is_served(ingress, &self.class))
    }

    /// What is needed to find the pods of a backend.
    pub(super) fn objects(&self, namespace: &str, backend: &IngressBackend) -> Objects {
        let name = backend.service.as_ref().map(|service| service.name.as_str()).unwrap_or_default();
        Objects {
            service: self.services.get(&ObjectRef::new(name).within(namespace)),
            slices: self.slices.state_filter(|slice| slice.namespace().as_deref() == Some(namespace)),
            nodes: self.nodes.state(),
        }
    }
}

fn follow<K>(client: &Client, tasks: &mut JoinSet<()>, changed: Option<Arc<Notify>>) -> Store<K>
where
    K: kube::Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    let (store, writer) = reflector::store();
    let objects = watcher(Api::<K>::all(client.clone()), watcher::Config::default().streaming_lists())
        .default_backoff()
        .modify(|object| object.meta_mut().managed_fields = None)
        .reflect(writer)
        .inspect_err(|error| tracing::debug!(%error, kind = %K::kind(&()), "the ingress watches again"));
    tasks.spawn(objects.for_each(move |_| {
        if let Some(changed) = &changed {
            changed.notify_one();
        }
        future::ready(())
    }));
    store
}
