//! The fake kubelet's tasks and the streams between them. Decides nothing about pods.

use super::{
    Delays, KubeletOptions, MANAGER, attacher,
    attacher::Attacher,
    node::{self, LEASE_NAMESPACE, SIMULATED},
    pods::{self, Pods, Retry},
    volumes::{Awaited, Caches},
};
use futures::{
    Stream, StreamExt as _, TryStreamExt as _,
    channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
    future,
};
use k8s_openapi::{
    api::{
        coordination::v1::Lease,
        core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod},
        storage::v1::VolumeAttachment,
    },
    jiff::Timestamp,
};
use kube::{
    Api, Client, ResourceExt as _,
    api::{Patch, PatchParams},
    runtime::{
        Controller, WatchStreamExt as _,
        controller::{Action, Config},
        reflector::{self, ObjectRef, Store, store::Writer},
        watcher,
    },
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    future::Future,
    sync::Arc,
    time::Duration,
};
use tokio::{sync::watch, task::JoinSet, time::MissedTickBehavior};

/// Requests in flight at most, for pods and for attachments.
const CONCURRENCY: u16 = 32;
const RETRY: Duration = Duration::from_millis(500);

/// What the handle keeps of the started work.
pub(super) struct Work {
    pub(super) pods: Arc<Pods>,
    pub(super) wake_all: WakeAll,
}

/// Lets every object of a controller be looked at again.
#[derive(Clone)]
pub(super) struct WakeAll(UnboundedSender<()>);

impl WakeAll {
    pub(super) fn wake(&self) {
        // Fails only when the pods' task has ended, and then there is nobody to wake.
        let _ = self.0.unbounded_send(());
    }

    /// A cache shows the objects of a new list only when the list is complete, but the stream has
    /// handed them out one by one before: whoever looked then saw the old ones, or none.
    fn after_list<K>(&self, event: &watcher::Event<K>) {
        if matches!(event, watcher::Event::InitDone) {
            self.wake();
        }
    }
}

/// Starts every task; each ends when `stopped` turns true.
pub(super) async fn start(
    tasks: &mut JoinSet<()>,
    client: Client,
    options: &KubeletOptions,
    uids: Vec<String>,
    stopped: &watch::Receiver<bool>,
) -> Work {
    let (wake, woken) = unbounded();
    let (wake_all, all_woken) = unbounded();
    let (claims, claims_writer) = reflector::store();
    let (volumes, volumes_writer) = reflector::store();
    let (attachments, attachments_writer) = reflector::store();
    let (nodes, nodes_writer) = reflector::store();
    let caches = Caches { claims, volumes, attachments: attachments.clone(), nodes };
    let index = options.nodes.iter().enumerate().map(|(index, node)| (node.name.clone(), index)).collect();
    let pods = Pods::new(client.clone(), options.delays.clone(), options.csi_drivers.clone(), index, caches);
    let pods = Arc::new(pods);

    let wake_all = WakeAll(wake_all);
    let waker = Waker { pods: Arc::clone(&pods), wake, wake_all: wake_all.clone() };
    let follow = Follow { client: client.clone(), waker: waker.clone(), stopped: stopped.clone() };
    tasks.spawn(follow.cache::<PersistentVolumeClaim>(config(), claims_writer, |claim| Awaited::Claim {
        namespace: claim.namespace().unwrap_or_default(),
        name: claim.name_any(),
    }));
    tasks
        .spawn(follow.cache::<PersistentVolume>(config(), volumes_writer, |v| Awaited::Volume(v.name_any())));
    let ours = config().labels(&format!("{SIMULATED}=true"));
    tasks.spawn(follow.cache::<Node>(ours, nodes_writer, |node| Awaited::Node(node.name_any())));

    let attached = follow.stream::<VolumeAttachment>(config(), attachments_writer, |attachment| {
        Awaited::Attachment(attachment.name_any())
    });
    tasks.spawn(attach(attached, attachments, attacher(client, options), stopped.clone()));
    tasks.spawn(drive(Arc::clone(&pods), wake_all.clone(), woken, all_woken, stopped.clone()));
    tasks.spawn(until(stopped.clone(), heartbeats(Arc::clone(&pods), uids_by_node(options, uids))));
    tasks.spawn(until(stopped.clone(), volumes_in_use(Arc::clone(&pods))));
    Work { pods, wake_all }
}

/// One request for list and watch together.
fn config() -> watcher::Config {
    watcher::Config::default().streaming_lists()
}

fn uids_by_node(options: &KubeletOptions, uids: Vec<String>) -> BTreeMap<String, String> {
    options.nodes.iter().map(|node| node.name.clone()).zip(uids).collect()
}

fn attacher(client: Client, options: &KubeletOptions) -> Arc<Attacher> {
    let simulated = |driver: &&super::CsiDriverSpec| {
        driver.attach_required && driver.attacher == super::Attacher::Simulated
    };
    let attaching = options.csi_drivers.iter().filter(simulated);
    Arc::new(Attacher {
        client,
        drivers: attaching.map(|driver| driver.name.clone()).collect(),
        delays: options.delays.clone(),
        wanted: std::sync::Mutex::default(),
    })
}

/// Whether the scheduler would put pods on it.
pub(crate) fn takes_pods(node: &Node) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let ready = conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
    ready && !taints.iter().any(|taint| taint.key.starts_with("node.kubernetes.io/"))
}

#[derive(Clone)]
struct Waker {
    pods: Arc<Pods>,
    wake: UnboundedSender<ObjectRef<Pod>>,
    wake_all: WakeAll,
}

impl Waker {
    fn observe<K>(&self, event: &watcher::Event<K>, name: fn(&K) -> Awaited) {
        match event {
            watcher::Event::Apply(object) | watcher::Event::Delete(object) => {
                for pod in self.pods.waiting_for(&name(object)) {
                    let _ = self.wake.unbounded_send(pod);
                }
            }
            watcher::Event::Init | watcher::Event::InitApply(_) => {}
            watcher::Event::InitDone => self.wake_all.wake(),
        }
    }
}

/// Caches that wake pods.
struct Follow {
    client: Client,
    waker: Waker,
    stopped: watch::Receiver<bool>,
}

impl Follow {
    fn cache<K>(
        &self,
        config: watcher::Config,
        writer: Writer<K>,
        name: fn(&K) -> Awaited,
    ) -> impl Future<Output = ()> + use<K>
    where
        K: Cached,
    {
        until(self.stopped.clone(), self.stream(config, writer, name).for_each(|_| future::ready(())))
    }

    fn stream<K>(
        &self,
        config: watcher::Config,
        writer: Writer<K>,
        name: fn(&K) -> Awaited,
    ) -> impl Stream<Item = watcher::Result<watcher::Event<K>>> + Send + 'static + use<K>
    where
        K: Cached,
    {
        let waker = self.waker.clone();
        watcher(Api::<K>::all(self.client.clone()), config)
            .default_backoff()
            .modify(|object| object.meta_mut().managed_fields = None)
            .reflect(writer)
            .inspect_ok(move |event| waker.observe(event, name))
    }
}

/// Short for what a cached kind must be.
trait Cached:
    kube::Resource<DynamicType = ()> + Clone + Debug + serde::de::DeserializeOwned + Send + Sync + 'static
{
}

impl<K> Cached for K where
    K: kube::Resource<DynamicType = ()> + Clone + Debug + serde::de::DeserializeOwned + Send + Sync + 'static
{
}

async fn until(mut stopped: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        // An error means that the handle is gone.
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

/// Resolves when the handle asks for the end, or is gone.
async fn end(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

async fn attach(
    events: impl Stream<Item = watcher::Result<watcher::Event<VolumeAttachment>>> + Send + 'static,
    reader: Store<VolumeAttachment>,
    attacher: Arc<Attacher>,
    stopped: watch::Receiver<bool>,
) {
    let (wake_all, all_woken) = unbounded();
    let wake_all = WakeAll(wake_all);
    let stream = events.inspect_ok(move |event| wake_all.after_list(event)).applied_objects();
    Controller::for_stream(stream, reader)
        .with_config(Config::default().concurrency(CONCURRENCY))
        .reconcile_all_on(all_woken)
        .graceful_shutdown_on(end(stopped))
        .run(attacher::reconcile, |_, error, _| again(error), attacher)
        .for_each(|_| future::ready(()))
        .await;
}

async fn drive(
    pods: Arc<Pods>,
    wake_all: WakeAll,
    woken: UnboundedReceiver<ObjectRef<Pod>>,
    all_woken: UnboundedReceiver<()>,
    stopped: watch::Receiver<bool>,
) {
    let (reader, writer) = reflector::store();
    let observer = Arc::clone(&pods);
    // One watch for all nodes; pods without a node are not ours yet.
    let stream = watcher(Api::<Pod>::all(pods.client.clone()), config().fields("spec.nodeName!="))
        .default_backoff()
        .modify(|pod| pod.metadata.managed_fields = None)
        .inspect_ok(move |event| observer.observe(event))
        .reflect(writer)
        .inspect_ok(move |event| wake_all.after_list(event))
        .applied_objects();
    Controller::for_stream(stream, reader)
        .with_config(Config::default().concurrency(CONCURRENCY))
        .reconcile_on(woken)
        .reconcile_all_on(all_woken)
        .graceful_shutdown_on(end(stopped))
        .run(pods::reconcile, |_, error, _| again(error), pods)
        .for_each(|_| future::ready(()))
        .await;
}

fn again(error: &Retry) -> Action {
    tracing::debug!(error = %chain(error), "simulated node");
    Action::requeue(RETRY)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    if let Some(source) = error.source() {
        text = format!("{text}: {source}");
    }
    text
}

async fn heartbeats(pods: Arc<Pods>, uids: BTreeMap<String, String>) {
    let Delays { heartbeat, .. } = pods.delays;
    let leases: Api<Lease> = Api::namespaced(pods.client.clone(), LEASE_NAMESPACE);
    let mut ticks = tokio::time::interval(heartbeat);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for (name, uid) in &uids {
            if pods.is_lost(name) {
                continue;
            }
            let lease = node::lease(name, uid, Timestamp::now());
            let params = PatchParams::apply(MANAGER).force();
            if let Err(error) = leases.patch(name, &params, &Patch::Apply(lease)).await {
                tracing::debug!(node = name, %error, "failed to renew the lease");
                // Right after its start the API server has not made the namespace yet.
                ticks.reset_after(RETRY.min(heartbeat));
            }
        }
    }
}

/// Tells the attach/detach controller what is mounted: it detaches only what is not.
async fn volumes_in_use(pods: Arc<Pods>) {
    let nodes: Api<Node> = Api::all(pods.client.clone());
    let mut reported: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    loop {
        let mut failed = false;
        for (name, volumes) in pods.usage() {
            if reported.get(&name).unwrap_or(&BTreeSet::new()) == &volumes || pods.is_lost(&name) {
                continue;
            }
            let list = if volumes.is_empty() { json!(null) } else { json!(volumes) };
            let patch = json!({ "status": { "volumesInUse": list } });
            let params = PatchParams { field_manager: Some(MANAGER.into()), ..PatchParams::default() };
            match nodes.patch_status(&name, &params, &Patch::Merge(patch)).await {
                Ok(_) => {
                    reported.insert(name, volumes);
                }
                Err(error) => {
                    tracing::debug!(node = name, %error, "failed to report volumes in use");
                    failed = true;
                }
            }
        }
        if failed {
            tokio::time::sleep(RETRY).await;
        } else {
            pods.usage_changed.notified().await;
        }
    }
}
