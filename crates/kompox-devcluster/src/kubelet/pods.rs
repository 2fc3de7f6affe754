//! Carries out what [`stage`](super::stage) decides for each pod: status patches and deletions.

use super::{
    Delays, MANAGER,
    addresses::{self, PodAddresses},
    node::CsiDriverSpec,
    stage::{Memory, Stage, Step, Wish, decide},
    status::{self, Place},
    volumes::{Awaited, Caches, Volumes},
};
use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use kube::{
    Api, Client, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
    runtime::{controller::Action, reflector::ObjectRef, watcher},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// A wake-up that was lost between a look at the caches and the wait costs this much at most.
const RECHECK: Duration = Duration::from_secs(1);

/// A request failed in a way that another try may mend.
#[derive(Debug, thiserror::Error)]
#[error("failed to write a simulated status")]
pub(super) struct Retry(#[source] kube::Error);

impl Retry {
    /// `None` if the object is gone, another one has its name, or there is a newer version of it:
    /// then the watch brings what counts.
    pub(super) fn unless_gone<T>(result: Result<T, kube::Error>) -> Result<Option<T>, Self> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(None),
            Err(error) => Err(Self(error)),
        }
    }
}

/// Everything the pods' reconciler works with.
pub(super) struct Pods {
    pub(super) client: Client,
    pub(super) delays: Delays,
    pub(super) drivers: Vec<CsiDriverSpec>,
    /// Index of each node of ours by name.
    pub(super) nodes: BTreeMap<String, usize>,
    pub(super) caches: Caches,
    /// Told when a node's set of volumes in use has changed.
    pub(super) usage_changed: Notify,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    pods: BTreeMap<String, Entry>,
    addresses: PodAddresses,
    /// While the watch lists anew: the pods it has shown so far.
    listing: BTreeSet<String>,
    lost: BTreeSet<String>,
}

struct Entry {
    pod: ObjectRef<Pod>,
    node: String,
    memory: Memory,
    in_use: BTreeSet<String>,
    awaited: Option<Awaited>,
}

impl Pods {
    pub(super) fn new(
        client: Client,
        delays: Delays,
        drivers: Vec<CsiDriverSpec>,
        nodes: BTreeMap<String, usize>,
        caches: Caches,
    ) -> Self {
        let (usage_changed, known) = (Notify::new(), Mutex::default());
        Self { client, delays, drivers, nodes, caches, usage_changed, known }
    }

    /// Forgets pods whose objects are gone, also those that went while the watch was down.
    pub(super) fn observe(&self, event: &watcher::Event<Pod>) {
        let mut known = self.known();
        match event {
            watcher::Event::Init => known.listing.clear(),
            watcher::Event::InitApply(pod) => {
                known.listing.extend(pod.uid());
            }
            watcher::Event::InitDone => {
                let listed = std::mem::take(&mut known.listing);
                let gone: Vec<_> = known.pods.keys().filter(|uid| !listed.contains(*uid)).cloned().collect();
                for uid in gone {
                    self.forget(&mut known, &uid);
                }
            }
            watcher::Event::Apply(_) => {}
            watcher::Event::Delete(pod) => self.forget(&mut known, &pod.uid().unwrap_or_default()),
        }
    }

    fn forget(&self, known: &mut Known, uid: &str) {
        known.addresses.release(uid);
        if known.pods.remove(uid).is_some_and(|entry| !entry.in_use.is_empty()) {
            self.usage_changed.notify_one();
        }
    }

    /// The pods that wait for the object that has just changed.
    pub(super) fn waiting_for(&self, changed: &Awaited) -> Vec<ObjectRef<Pod>> {
        let known = self.known();
        let waiting = known.pods.values().filter(|entry| entry.awaited.as_ref() == Some(changed));
        waiting.map(|entry| entry.pod.clone()).collect()
    }

    /// Volumes in use by node, nodes without any included.
    pub(super) fn usage(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut usage: BTreeMap<_, BTreeSet<_>> =
            self.nodes.keys().map(|node| (node.clone(), BTreeSet::new())).collect();
        for entry in self.known().pods.values() {
            usage.entry(entry.node.clone()).or_default().extend(entry.in_use.iter().cloned());
        }
        usage
    }

    /// A lost node drives no pods and renews no Lease until it is back.
    pub(super) fn set_lost(&self, node: &str, lost: Presence) {
        let mut known = self.known();
        match lost {
            Presence::Lost => known.lost.insert(node.to_owned()),
            Presence::Present => known.lost.remove(node),
        };
    }

    pub(super) fn is_lost(&self, node: &str) -> bool {
        self.known().lost.contains(node)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings what is remembered up to date with the object; returns it and whether to wait.
    fn remember(&self, pod: &Pod, node: &str, uid: &str, volumes: Volumes) -> Memory {
        let mut known = self.known();
        let entry = known.pods.entry(uid.to_owned()).or_insert_with(|| Entry {
            pod: ObjectRef::from_obj(pod),
            node: node.to_owned(),
            memory: Memory::adopt(pod, Instant::now()),
            in_use: BTreeSet::new(),
            awaited: None,
        });
        entry.awaited = volumes.missing;
        let in_use = if entry.memory.uses_volumes() { volumes.in_use } else { BTreeSet::new() };
        if entry.in_use != in_use {
            entry.in_use = in_use;
            self.usage_changed.notify_one();
        }
        entry.memory.clone()
    }

    fn enter(&self, uid: &str, memory: Memory) {
        if let Some(entry) = self.known().pods.get_mut(uid) {
            entry.memory = memory;
        }
    }

    fn place(&self, pod: &Pod, node: &str, uid: &str) -> Option<Place> {
        let host = addresses::of_node(*self.nodes.get(node)?);
        let own = pod.spec.as_ref().and_then(|spec| spec.host_network).unwrap_or(false);
        let former = pod.status.as_ref().and_then(|status| status.pod_ip.as_ref()?.parse::<Ipv4Addr>().ok());
        let address = if own { Some(host) } else { self.known().addresses.get(uid, former) };
        Some(Place { node: host, pod: address? })
    }

    fn api(&self, pod: &Pod) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &pod.namespace().unwrap_or_default())
    }

    async fn report(&self, pod: &Pod, memory: &Memory, node: &str) -> Result<Option<Pod>, Retry> {
        let uid = pod.uid().unwrap_or_default();
        let Some(place) = self.place(pod, node, &uid) else {
            tracing::warn!(pod = %pod.name_any(), "no address is left for simulated pods");
            return Ok(None);
        };
        let patch = status::patch(pod, memory, place, Timestamp::now());
        let params = PatchParams { field_manager: Some(MANAGER.into()), ..PatchParams::default() };
        let result = self.api(pod).patch_status(&pod.name_any(), &params, &Patch::Strategic(patch)).await;
        Retry::unless_gone(result)
    }

    /// As the kubelet does: no grace left, and only this very pod.
    async fn delete(&self, pod: &Pod) -> Result<(), Retry> {
        let params = DeleteParams {
            grace_period_seconds: Some(0),
            preconditions: Some(Preconditions { uid: pod.uid(), resource_version: None }),
            ..DeleteParams::default()
        };
        Retry::unless_gone(self.api(pod).delete(&pod.name_any(), &params).await).map(drop)
    }
}

/// Whether a node takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Present,
    Lost,
}

/// Takes one pod as far as it gets without waiting.
pub(super) async fn reconcile(pod: Arc<Pod>, pods: Arc<Pods>) -> Result<Action, Retry> {
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default();
    if !pods.nodes.contains_key(&node) || pods.is_lost(&node) {
        return Ok(Action::await_change());
    }
    let mut pod = Pod::clone(&pod);
    let uid = pod.uid().unwrap_or_default();
    loop {
        let volumes = pods.caches.of(&pod, &node, &pods.drivers);
        let volumes_ready = volumes.missing.is_none();
        let memory = pods.remember(&pod, &node, &uid, volumes);
        let now = Instant::now();
        let next = |stage: Stage| memory.enter(stage, now, Timestamp::now());
        match decide(&Wish::of(&pod), &memory, volumes_ready, now, &pods.delays) {
            Step::Report(stage) => match pods.report(&pod, &next(stage), &node).await? {
                Some(updated) => {
                    pods.enter(&uid, next(stage));
                    pod = updated;
                }
                None => return Ok(Action::await_change()),
            },
            Step::Enter(stage) => pods.enter(&uid, next(stage)),
            Step::Wait(rest) => return Ok(Action::requeue(rest)),
            Step::AwaitVolumes => return Ok(Action::requeue(RECHECK)),
            Step::Delete => {
                pods.delete(&pod).await?;
                pods.enter(&uid, next(Stage::Deleted));
                return Ok(Action::await_change());
            }
            Step::Idle => return Ok(Action::await_change()),
        }
    }
}
