//! Kubernetes events (`events.k8s.io/v1`): what happened to an object, for people.
//!
//! Best effort by design: [`Recorder::publish`] never waits and never fails, and a lost event changes
//! nothing. The name of an event is a hash of what it says, so that a repetition, also after a restart,
//! raises the count of the one object (`series`) instead of making another. Notes never hold secrets:
//! that is up to those who write them.

mod throttle;

use crate::{
    metrics::Metrics,
    refusal::Refusal,
    requests::limited,
    writes::{Kind, ObjectName},
};
use k8s_openapi::{
    api::{
        core::v1::ObjectReference,
        events::v1::{Event as Stored, EventSeries},
    },
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kompox_crds::Reason;
use kube::{
    Api, Client,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::{fmt::Write as _, sync::Arc};
use throttle::{Decision, Throttle};
use tokio::sync::mpsc;

/// `reportingController` of every event, and its field manager.
pub const CONTROLLER: &str = "kompox.dev/operator";

/// Longest note that the API server takes, in bytes.
const NOTE_MAX: usize = 1024;
/// Longest part of the object's name in the event's name; the hash and a dot follow.
const NAME_MAX: usize = 200;
/// Events that wait to be sent; beyond it they are dropped.
const QUEUE: usize = 1024;
/// Where events of cluster-scoped objects go, as Kubernetes does it.
const CLUSTER_EVENTS: &str = "default";

/// How an event is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// It is as it should be.
    Normal,
    /// It should be looked at.
    Warning,
}

/// Something that happened to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// How it is shown.
    pub type_: Type,
    /// The same word as in conditions.
    pub reason: Reason,
    /// What the operator did or tried, CamelCase, such as `CreateDisk`.
    pub action: &'static str,
    /// One sentence for people. Cut to 1,024 bytes.
    pub note: String,
}

impl Event {
    /// Something went as it should.
    pub fn normal(reason: Reason, action: &'static str, note: impl Into<String>) -> Self {
        Self { type_: Type::Normal, reason, action, note: note.into() }
    }

    /// Something should be looked at.
    pub fn warning(reason: Reason, action: &'static str, note: impl Into<String>) -> Self {
        Self { type_: Type::Warning, reason, action, note: note.into() }
    }
}

/// Takes events from controllers.
#[derive(Clone, Debug)]
pub struct Recorder {
    queue: mpsc::Sender<Item>,
    metrics: Arc<Metrics>,
}

/// Sends to the API server what its [`Recorder`]s took.
pub struct Publisher {
    queue: mpsc::Receiver<Item>,
    client: Client,
    metrics: Arc<Metrics>,
    instance: String,
    throttle: Throttle,
    clock: fn() -> Timestamp,
}

#[derive(Debug)]
struct Item {
    regarding: ObjectReference,
    event: Event,
}

/// A recorder, to be cloned, and its publisher. `instance` is this process, such as the pod's name.
#[must_use]
pub fn channel(
    client: Client,
    metrics: Arc<Metrics>,
    instance: &str,
    clock: fn() -> Timestamp,
) -> (Recorder, Publisher) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let recorder = Recorder { queue: sender, metrics: Arc::clone(&metrics) };
    let throttle = Throttle::default();
    let instance = bounded(instance, 128);
    (recorder, Publisher { queue: receiver, client, metrics, instance, throttle, clock })
}

impl Recorder {
    /// Says that `event` happened to `object`. Never waits: when too many are waiting, it is dropped
    /// and counted.
    pub fn publish<K: Kind>(&self, object: &K, event: Event) {
        let mut regarding = object.object_ref(&());
        // Part of the identity of the object, not of one of its versions.
        regarding.resource_version = None;
        let log = (ObjectName::of(object), event.reason, event.type_);
        if self.queue.try_send(Item { regarding, event }).is_err() {
            self.metrics.event("dropped");
            tracing::debug!(object = %log.0, reason = %log.1, "event dropped: too many are waiting");
        }
    }
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl Publisher {
    /// Sends events until every recorder is gone and the queue is empty.
    pub async fn run(mut self) {
        while let Some(item) = self.queue.recv().await {
            let result = self.publish(&item).await.unwrap_or_else(|error| {
                tracing::debug!(%error, reason = %item.event.reason, "event not stored");
                "failed"
            });
            self.metrics.event(result);
        }
    }

    async fn publish(&mut self, item: &Item) -> kube::Result<&'static str> {
        let now = (self.clock)();
        let name = name(item);
        let uid = item.regarding.uid.as_deref().unwrap_or_default();
        let namespace = item.regarding.namespace.as_deref().unwrap_or(CLUSTER_EVENTS);
        let api: Api<Stored> = Api::namespaced(self.client.clone(), namespace);
        let outcome = match self.throttle.decide(&name, uid, now) {
            Decision::Hold => return Ok("held"),
            Decision::Create => self.create(&api, &name, item, now).await,
            Decision::Repeat(count) => match repeat(&api, &name, count, now).await {
                // The API server drops events after an hour.
                Err(error) if Refusal::of(&error) == Refusal::Gone => {
                    self.create(&api, &name, item, now).await
                }
                other => other,
            },
        };
        if outcome.is_err() {
            self.throttle.forget(&name);
        }
        outcome
    }

    async fn create(
        &mut self,
        api: &Api<Stored>,
        name: &str,
        item: &Item,
        now: Timestamp,
    ) -> kube::Result<&'static str> {
        let event = self.stored(name, api.namespace(), item, now);
        let params = PostParams { field_manager: Some(CONTROLLER.to_owned()), ..PostParams::default() };
        match limited(api.create(&params, &event)).await {
            Ok(_) => Ok("stored"),
            // Of an earlier run of the operator: go on counting.
            Err(error) if Refusal::of(&error) == Refusal::AlreadyExists => {
                let series = limited(api.get(name)).await?.series;
                let count = series.map_or(1, |series| series.count).saturating_add(1);
                self.throttle.resume(name, count, now);
                repeat(api, name, count, now).await
            }
            Err(error) => Err(error),
        }
    }

    fn stored(&self, name: &str, namespace: Option<&str>, item: &Item, now: Timestamp) -> Stored {
        let event = &item.event;
        let type_ = match event.type_ {
            Type::Normal => "Normal",
            Type::Warning => "Warning",
        };
        Stored {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                namespace: namespace.map(str::to_owned),
                ..ObjectMeta::default()
            },
            action: Some(event.action.to_owned()),
            event_time: Some(MicroTime(now)),
            note: Some(bounded(&event.note, NOTE_MAX)),
            reason: Some(event.reason.as_str().to_owned()),
            regarding: Some(item.regarding.clone()),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            type_: Some(type_.to_owned()),
            ..Stored::default()
        }
    }
}

async fn repeat(api: &Api<Stored>, name: &str, count: i32, now: Timestamp) -> kube::Result<&'static str> {
    let series = EventSeries { count, last_observed_time: MicroTime(now) };
    let params = PatchParams { field_manager: Some(CONTROLLER.to_owned()), ..PatchParams::default() };
    limited(api.patch(name, &params, &Patch::Merge(json!({ "series": series })))).await?;
    Ok("repeated")
}

/// The same words about the same object have the same name.
fn name(item: &Item) -> String {
    let mut hash = Sha256::new();
    let uid = item.regarding.uid.as_deref().unwrap_or_default();
    for part in [uid, item.event.reason.as_str(), item.event.action, &item.event.note] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut name = bounded(item.regarding.name.as_deref().unwrap_or("object"), NAME_MAX);
    // A part of a DNS subdomain does not end with these.
    name.truncate(name.trim_end_matches(['-', '.']).len());
    name.push('.');
    for byte in hash.finalize().iter().take(8) {
        // Writing to a String does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// At most `max` bytes, cut between characters.
fn bounded(text: &str, max: usize) -> String {
    text.get(..text.floor_char_boundary(max)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
