//! Watches: what is asked of the API server, what is kept, and which changes matter.
//!
//! Every watch starts with a streaming list and recovers by itself. Objects that this version cannot
//! decode are logged, counted and left out; they never stop a stream. So "not in the cache" does not
//! mean "does not exist": steps that depend on absence read live (`reads`).

use crate::{metrics::Metrics, readiness::Announcement, requests::chain};
use futures::{Stream, StreamExt as _, future};
use kube::{
    Api, Resource, ResourceExt as _,
    core::{DeserializeGuard, ObjectMeta, error_boundary::InvalidObject},
    runtime::{
        Predicate as _, WatchStreamExt as _, predicates,
        reflector::{ObjectRef, Store, store::Writer},
        utils::{Backoff, ResetTimerBackoff},
        watcher::{self, Event, ExponentialBackoff},
    },
};
use serde::de::DeserializeOwned;
use std::{fmt::Debug, hash::Hash, sync::Arc, time::Duration};

/// kubectl's copy of the whole object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A kind known at compile time that can be watched.
pub trait Watched:
    Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static
{
}

impl<K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static> Watched for K {}

/// How long an interrupted watch waits, once and again. Shorter than the library's default of 30 s: after a restart of
/// the API server a watch meets several errors in a row, and meanwhile its users see nothing.
pub fn backoff() -> impl Backoff {
    const RESET_AFTER: Duration = Duration::from_secs(120);
    let growing = backon::ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(5))
        .with_factor(2.0)
        .with_jitter()
        .without_max_times();
    ResetTimerBackoff::new(ExponentialBackoff::from(growing), RESET_AFTER)
}

/// How long a controller waits after an interruption of one of its watches: not at all, since each watch waits by itself
/// ([`backoff`]). With the library's default, every interruption would hold up all watches of the controller, one after
/// the other and each time for longer, up to 30 s: after a restart of the API server some would see nothing for a minute.
#[derive(Debug)]
pub struct Unhindered;

impl Iterator for Unhindered {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(Duration::ZERO)
    }
}

impl Backoff for Unhindered {
    fn reset(&mut self) {}
}

/// What every watch of the operator uses: one request for list and watch, no paging.
#[must_use]
pub fn config() -> watcher::Config {
    watcher::Config::default().streaming_lists()
}

/// As [`config`], for objects with these labels only.
#[must_use]
pub fn labelled(selector: &str) -> watcher::Config {
    config().labels(selector)
}

/// A cache of whole objects, pruned, and the stream that fills it. The stream must be driven.
///
/// `filled` is announced when the first list is complete.
pub fn cached<K: Watched>(
    api: Api<DeserializeGuard<K>>,
    config: watcher::Config,
    metrics: Arc<Metrics>,
    filled: Announcement,
) -> (Store<K>, impl Stream<Item = watcher::Result<Event<K>>> + Send + 'static) {
    let writer = Writer::<K>::default();
    let store = writer.as_reader();
    let known = store.clone();
    let decoded = reported(watcher::watcher(api, config).backoff(backoff()), Arc::clone(&metrics))
        .filter_map(move |event| future::ready(decode(event, &known, &metrics)));
    let stream = announced(decoded.modify(prune).reflect(writer), filled);
    (store, stream)
}

/// Changes of objects of which only the metadata is wanted: nothing is cached, nothing else is decoded.
pub fn touched<K: Watched>(
    api: Api<K>,
    config: watcher::Config,
    metrics: Arc<Metrics>,
    filled: Announcement,
) -> impl Stream<Item = watcher::Result<K>> + Send + 'static {
    announced(reported(watcher::watcher(api, config).backoff(backoff()), metrics), filled).touched_objects()
}

/// Whether somebody asked for something: changes of spec, labels, annotations, finalizers and deletion.
/// The operator's own status writes do not pass.
pub fn asked_for_something<K: Resource>(object: &K) -> Option<u64> {
    let deletion = |object: &K| Some(u64::from(object.meta().deletion_timestamp.is_some()));
    predicates::generation
        .combine(predicates::labels)
        .combine(predicates::annotations)
        .combine(predicates::finalizers)
        .combine(deletion)
        .hash_property(object)
}

/// Drops from an object what nothing reads and what is often half of it.
pub fn prune<K: Resource>(object: &mut K) {
    object.meta_mut().managed_fields = None;
    if let Some(annotations) = object.meta_mut().annotations.as_mut() {
        annotations.remove(LAST_APPLIED);
    }
}

/// The object that the label `key` of a child names, in the child's namespace.
#[must_use]
pub fn named_by_label<K>(child: &ObjectMeta, key: &str) -> Option<ObjectRef<K>>
where
    K: Resource<DynamicType = ()>,
{
    let name = child.labels.as_ref()?.get(key)?;
    Some(ObjectRef::new(name).within(child.namespace.as_deref()?))
}

/// Counts and logs the interruptions of a watch; it recovers by itself.
fn reported<K: Watched, S>(stream: S, metrics: Arc<Metrics>) -> impl Stream<Item = S::Item> + Send + 'static
where
    S: Stream<Item = watcher::Result<Event<K>>> + Send + 'static,
{
    stream.inspect(move |event| {
        if let Err(error) = event {
            let kind = K::kind(&());
            metrics.watch_error(&kind);
            let error = chain(error);
            tracing::warn!(kind = %kind, error, "watch interrupted; it is taken up again");
        }
    })
}

/// Announces the first complete list. Not `Store::wait_until_ready`, which loses wake-ups when a
/// controller waits for the same store.
fn announced<K, S>(stream: S, filled: Announcement) -> impl Stream<Item = S::Item> + Send + 'static
where
    S: Stream<Item = watcher::Result<Event<K>>> + Send + 'static,
    K: 'static,
{
    stream.inspect(move |event| {
        if matches!(event, Ok(Event::InitDone)) {
            filled.ready();
        }
    })
}

/// Takes the guard off. An object that became undecodable leaves the cache: acting on what it was would
/// be acting on a guess.
fn decode<K: Watched>(
    event: watcher::Result<Event<DeserializeGuard<K>>>,
    known: &Store<K>,
    metrics: &Metrics,
) -> Option<watcher::Result<Event<K>>>
where
    K::DynamicType: Hash + Eq,
{
    let decoded = match event {
        Ok(event) => event,
        Err(error) => return Some(Err(error)),
    };
    let (guarded, rewrap): (_, fn(K) -> Event<K>) = match decoded {
        Event::Init => return Some(Ok(Event::Init)),
        Event::InitDone => return Some(Ok(Event::InitDone)),
        Event::InitApply(guarded) => (guarded, Event::InitApply),
        Event::Apply(guarded) => (guarded, Event::Apply),
        Event::Delete(guarded) => (guarded, Event::Delete),
    };
    match guarded.0 {
        Ok(object) => Some(Ok(rewrap(object))),
        Err(invalid) => leave_out(&invalid, known, metrics).map(|object| Ok(Event::Delete(object))),
    }
}

/// Reports an undecodable object and returns what the cache still holds of it.
fn leave_out<K: Watched>(invalid: &InvalidObject, known: &Store<K>, metrics: &Metrics) -> Option<K> {
    let kind = K::kind(&());
    let name = invalid.metadata.name.as_deref().unwrap_or_default();
    let namespace = invalid.metadata.namespace.as_deref();
    metrics.undecodable(&kind);
    tracing::error!(
        kind = %kind, object.namespace = namespace, object.name = name, error = %invalid.error,
        "object left out: this version of the operator cannot decode it"
    );
    let reference = ObjectRef::new(name);
    let reference = match namespace {
        Some(namespace) => reference.within(namespace),
        None => reference,
    };
    known.get(&reference).map(|object| K::clone(&object))
}

/// The uid of an object that came from the API server; empty for one that did not.
pub fn uid<K: Resource>(object: &K) -> String {
    object.uid().unwrap_or_default()
}

#[cfg(test)]
mod tests;
