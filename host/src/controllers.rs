//! What the controllers have in common: their watches, and the course of one reconciliation.
//!
//! A controller is a `reconcile(object, context)` in named steps and a `run(context, shutdown)` that
//! declares its watches on a [`Controller`]. Tracing, metrics, backoff, stale caches and the drain are
//! taken care of here; nothing of one kind is.

pub mod app;
pub mod disk;
pub mod driver;
mod error;
pub mod snapshot;
pub mod writer;

pub use error::Error;

use crate::{
    context::Context,
    drivers::Changes,
    metrics::Outcome,
    shutdown::Shutdown,
    watches::{self, Watched},
};
use futures::{FutureExt as _, Stream, StreamExt as _, channel::mpsc, future, stream};
use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope};
use kube::{
    Api, Resource, ResourceExt as _,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::{
        WatchStreamExt as _,
        controller::{self, Action, Config},
        reflector::{ObjectRef, Store},
        watcher::{self, Event},
    },
};
use std::{collections::BTreeSet, convert::Infallible, future::Future, sync::Arc, time::Duration};
use tracing::Instrument as _;

/// Changes that come in this close together are one: a write of ours and its echo, children in a row.
const DEBOUNCE: Duration = Duration::from_millis(50);

/// How long the cache gets to see our own last write before the object is looked at again.
const CATCH_UP: Duration = Duration::from_millis(100);

/// Tells that a list is complete. While a watch is listed anew, objects are handed out before the cache
/// has them: new ones would be dropped as not found, changed ones looked at in their old form, and nothing
/// would trigger them again. So all are looked at once more when the cache has the whole list.
type Relisted = mpsc::UnboundedReceiver<()>;

/// A controller under construction: the kind it reconciles and what else makes it look.
pub struct Controller<K: Watched> {
    context: Arc<Context>,
    name: &'static str,
    store: Store<K>,
    inner: controller::Controller<K>,
}

impl<K: Watched> std::fmt::Debug for Controller<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Controller").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<K> Controller<K>
where
    K: Watched + Resource<Scope = NamespaceResourceScope>,
{
    /// A controller of kind `K`, called `name` in logs and metrics. It looks at an object when its
    /// spec, labels, annotations, finalizers or deletion change, not when its status does.
    #[must_use]
    pub fn new(context: &Arc<Context>, name: &'static str) -> Self {
        Self::of_wishes(context, name, context.watched(), watches::config())
    }

    /// A controller of objects of kind `K` with these labels, which others made. It looks at an object
    /// at every change, its status included.
    #[must_use]
    pub fn of_labelled(context: &Arc<Context>, name: &'static str, selector: &str) -> Self {
        let (store, events, relisted) =
            Self::events(context, name, context.watched(), watches::labelled(selector));
        Self::over(context, name, store, events.applied_objects(), relisted)
    }
}

impl<K> Controller<K>
where
    K: Watched + Resource<Scope = ClusterResourceScope>,
{
    /// As [`Controller::new`], for a kind that belongs to the whole cluster.
    #[must_use]
    pub fn of_cluster(context: &Arc<Context>, name: &'static str, config: watcher::Config) -> Self {
        Self::of_wishes(context, name, context.all(), config)
    }
}

impl<K: Watched> Controller<K> {
    fn of_wishes(
        context: &Arc<Context>,
        name: &'static str,
        api: Api<DeserializeGuard<K>>,
        config: watcher::Config,
    ) -> Self {
        let (store, events, relisted) = Self::events(context, name, api, config);
        let wishes = events
            .applied_objects()
            .predicate_filter(watches::asked_for_something, kube::runtime::utils::PredicateConfig::default());
        Self::over(context, name, store, wishes, relisted)
    }

    fn events(
        context: &Arc<Context>,
        name: &'static str,
        api: Api<DeserializeGuard<K>>,
        config: watcher::Config,
    ) -> (Store<K>, impl Stream<Item = watcher::Result<Event<K>>> + Send + 'static + use<K>, Relisted) {
        let filled = context.readiness.expect(format!("{name}/{}", K::kind(&())));
        let (store, stream) = watches::cached(api, config, Arc::clone(&context.metrics), filled);
        let forgetful = Arc::clone(context);
        let (relists, relisted) = mpsc::unbounded();
        let stream = stream.inspect(move |event| {
            forget_deleted(&forgetful, event);
            if matches!(event, Ok(Event::InitDone)) {
                // The receiver ends with the controller.
                let _ = relists.unbounded_send(());
            }
        });
        (store, stream, relisted)
    }

    fn over(
        context: &Arc<Context>,
        name: &'static str,
        store: Store<K>,
        objects: impl Stream<Item = watcher::Result<K>> + Send + 'static,
        relisted: Relisted,
    ) -> Self {
        let config = Config::default().concurrency(context.concurrency).debounce(DEBOUNCE);
        let inner = controller::Controller::for_stream(objects, store.clone())
            .with_config(config)
            .trigger_backoff(watches::Unhindered)
            .reconcile_all_on(relisted);
        Self { context: Arc::clone(context), name, store, inner }
    }

    /// The cache of the reconciled kind, for mappings. It leaves out what cannot be decoded.
    #[must_use]
    pub fn store(&self) -> Store<K> {
        self.store.clone()
    }

    /// Looks at the object that owns a child (its `controller` owner reference) when the child changes
    /// or goes. `config` selects the children: [`watches::labelled`] where there are many others.
    #[must_use]
    pub fn owns<C: Watched>(self, api: Api<PartialObjectMeta<C>>, config: watcher::Config) -> Self {
        let stream = watches::touched(api, config, Arc::clone(&self.context.metrics), self.part::<C>());
        Self { inner: self.inner.owns_stream(stream), ..self }
    }

    /// Looks at the objects that `related` names when another object changes or goes. Only metadata is
    /// watched: enough for children known by their labels, and for what a spec refers to by name.
    #[must_use]
    pub fn relates<C: Watched>(
        self,
        api: Api<PartialObjectMeta<C>>,
        config: watcher::Config,
        related: impl Fn(&PartialObjectMeta<C>, &Store<K>) -> Vec<ObjectRef<K>> + Send + Sync + 'static,
    ) -> Self {
        let stream = watches::touched(api, config, Arc::clone(&self.context.metrics), self.part::<C>());
        let store = self.store.clone();
        let inner = self.inner.watches_stream(stream, move |other| related(&other, &store));
        Self { inner, ..self }
    }

    /// As [`Controller::relates`], with whole objects and a cache of them.
    #[must_use]
    pub fn caches<C: Watched>(
        self,
        api: Api<DeserializeGuard<C>>,
        config: watcher::Config,
        related: impl Fn(&C, &Store<K>) -> Vec<ObjectRef<K>> + Send + Sync + 'static,
    ) -> (Self, Store<C>) {
        let metrics = Arc::clone(&self.context.metrics);
        let (cache, stream) = watches::cached(api, config, metrics, self.part::<C>());
        let store = self.store.clone();
        let inner = self.inner.watches_stream(stream.touched_objects(), move |other| related(&other, &store));
        (Self { inner, ..self }, cache)
    }

    /// Looks at the objects for which `uses` says yes of the provider types whose driver came, went or
    /// changed.
    #[must_use]
    pub fn when_drivers_change(
        self,
        changes: Changes,
        uses: impl Fn(&K, &BTreeSet<String>) -> bool + Send + Sync + 'static,
    ) -> Self {
        let store = self.store.clone();
        let affected = changes.types().flat_map(move |types| {
            let found = store.state_filter(|object: &K| uses(object, &types));
            stream::iter(found.iter().map(|object| ObjectRef::from_obj(&**object)).collect::<Vec<_>>())
        });
        Self { inner: self.inner.reconcile_on(affected), ..self }
    }

    /// Runs until `shutdown`, then lets the running reconciliations end.
    pub async fn run<F, R>(self, reconcile: F, shutdown: &Shutdown)
    where
        F: Fn(Arc<K>, Arc<Context>) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Result<Action, Error>> + Send + 'static,
    {
        let name = self.name;
        let attempt = move |object: Arc<K>, context: Arc<Context>| {
            let reconcile = reconcile.clone();
            async move { Ok::<_, Infallible>(attempt(name, object, context, reconcile).await) }
        };
        let (store, context) = (self.store, self.context);
        let running = self
            .inner
            .graceful_shutdown_on(shutdown.requested())
            .run(attempt, |_, never, _| match *never {}, context)
            .for_each(|result| {
                // Failures were handled in `attempt`, interrupted watches where they are read. What is
                // left is an object that went between its trigger and its turn.
                if let Err(error) = result {
                    tracing::debug!(controller = name, %error, "nothing to reconcile");
                }
                future::ready(())
            });
        tokio::select! {
            () = running => {}
            () = never_began(&store, shutdown.requested()) => {}
        }
        tracing::info!(controller = name, "controller drained");
    }

    fn part<C: Resource<DynamicType = ()>>(&self) -> crate::readiness::Announcement {
        self.context.readiness.expect(format!("{}/{}", self.name, C::kind(&())))
    }
}

/// Returns at the request when no list is complete yet: nothing has been reconciled then, and the library would go on
/// waiting for a list that nobody reads any more.
async fn never_began<K: Watched>(store: &Store<K>, request: impl Future<Output = ()>) {
    request.await;
    let began = store.wait_until_ready().now_or_never().is_some_and(|ready| ready.is_ok());
    if began {
        future::pending::<()>().await;
    }
}

/// One reconciliation from its trigger to the answer when to come back.
async fn attempt<K, F, R>(name: &'static str, object: Arc<K>, context: Arc<Context>, reconcile: F) -> Action
where
    K: Watched,
    F: Fn(Arc<K>, Arc<Context>) -> R,
    R: Future<Output = Result<Action, Error>>,
{
    if context.freshness.is_behind(&*object) {
        context.metrics.reconciled(name, Outcome::Deferred, Duration::ZERO);
        return Action::requeue(CATCH_UP);
    }
    let uid = watches::uid(&*object);
    let span = tracing::info_span!(
        "reconcile",
        controller = name,
        object.namespace = object.namespace(),
        object.name = object.name_any(),
        object.uid = uid,
    );
    let running = context.metrics.reconciling(name);
    let started = std::time::Instant::now();
    let result = reconcile(object, Arc::clone(&context)).instrument(span.clone()).await;
    let took = started.elapsed();
    drop(running);
    span.in_scope(|| conclude(name, &uid, result, took, &context))
}

fn conclude(
    name: &'static str,
    uid: &str,
    result: Result<Action, Error>,
    took: Duration,
    context: &Context,
) -> Action {
    match result {
        Ok(action) => {
            tracing::debug!(?took, "reconciled");
            context.metrics.reconciled(name, Outcome::Done, took);
            context.backoff.reset(uid);
            action
        }
        Err(error) => {
            let reason = error.reason().as_str();
            if error.is_race() {
                tracing::debug!(%error, reason, "the object changed meanwhile; it is read again");
            } else {
                tracing::warn!(%error, reason, "reconciliation failed");
            }
            context.metrics.reconciled(name, Outcome::Failed(reason), took);
            context.backoff.failed(uid, error.retry())
        }
    }
}

/// A deleted object leaves nothing behind in memory.
fn forget_deleted<K: Resource>(context: &Context, event: &watcher::Result<Event<K>>) {
    if let Ok(Event::Delete(object)) = event {
        let uid = watches::uid(object);
        context.backoff.reset(&uid);
        context.freshness.forget(&uid);
    }
}

#[cfg(test)]
mod tests;
