//! One controller on recorded watches: what is reconciled, how failures come back, how it ends.

use super::*;
use crate::{
    backoff::Backoff,
    context::Scope,
    events,
    freshness::Freshness,
    metrics::Metrics,
    readiness::Readiness,
    shutdown,
    testing::{self, Answer, Sent, disk, event, listed},
    writes::Writes,
};
use k8s_openapi::{api::core::v1::Secret, jiff::Timestamp};
use kompox_core::{
    cloud::{Problem, Retry},
    driver::{ClusterIdentity, Driver, Drivers},
};
use kompox_crds::{KompoxDisk, Reason};
use serde_json::json;
use tokio::sync::mpsc;

struct NoDrivers;

impl Drivers for NoDrivers {
    fn for_type(&self, _: &str) -> Option<Arc<dyn Driver>> {
        None
    }

    fn all(&self) -> Vec<Arc<dyn Driver>> {
        Vec::new()
    }
}

fn context(answer: impl FnMut(&Sent) -> Answer + Send + 'static) -> Arc<Context> {
    let (client, _) = testing::client(answer);
    let (metrics, freshness) = (Arc::<Metrics>::default(), Arc::<Freshness>::default());
    let (events, _) =
        events::channel(client.clone(), Arc::clone(&metrics), "pod-1", || Timestamp::UNIX_EPOCH);
    Arc::new(Context {
        writes: Writes::new(Arc::clone(&metrics), Arc::clone(&freshness)),
        client,
        drivers: Arc::new(NoDrivers),
        events,
        metrics,
        backoff: Backoff::default(),
        freshness,
        readiness: Readiness::default(),
        operator_namespace: "k4x-system".to_owned(),
        cluster: ClusterIdentity::default(),
        scope: Scope::Cluster,
        concurrency: 4,
        apps: kompox_core::app::Settings::default(),
        clock: || Timestamp::UNIX_EPOCH,
    })
}

fn disks(names: &[&str]) -> Answer {
    let mut events: Vec<_> = names.iter().map(|name| event("ADDED", &disk(name, "5"))).collect();
    events.push(listed("KompoxDisk"));
    Answer::Watch(events)
}

fn watched_disks(sent: &Sent, names: &[&str]) -> Answer {
    if sent.path.ends_with("/kompoxdisks") { disks(names) } else { Answer::Never }
}

#[tokio::test]
async fn a_failure_is_tried_again_and_does_not_hold_up_others() {
    let context = context(|sent| watched_disks(sent, &["bad", "good"]));
    let (stop, shutdown) = shutdown::channel();
    let (done, mut seen) = mpsc::unbounded_channel();
    let reconcile = move |disk: Arc<KompoxDisk>, _: Arc<Context>| {
        let done = done.clone();
        async move {
            let name = disk.name_any();
            let _ = done.send(name.clone());
            if name == "good" {
                return Ok(Action::await_change());
            }
            let soon = Retry::After(Duration::from_millis(1));
            Err(Problem::passing(Reason::QuotaExceeded, "10 of 10 disks", soon).into())
        }
    };
    let controller = Controller::<KompoxDisk>::new(&context, "disk");
    let running = tokio::spawn(async move { controller.run(reconcile, &shutdown).await });
    let mut counts = std::collections::BTreeMap::new();
    while counts.get("good") != Some(&1) || counts.get("bad").is_none_or(|count| *count < 3) {
        *counts.entry(seen.recv().await.unwrap()).or_insert(0) += 1;
    }
    stop.now();
    running.await.unwrap();
    assert!(context.readiness.missing().is_empty());
    let page = context.metrics.page().unwrap();
    assert!(page.contains("reason=\"QuotaExceeded\""), "{page}");
}

#[tokio::test]
async fn a_drain_lets_the_running_reconciliation_end() {
    let context = context(|sent| watched_disks(sent, &["data"]));
    let (stop, shutdown) = shutdown::channel();
    let (begun, mut began) = mpsc::unbounded_channel();
    let (go, gate) = tokio::sync::watch::channel(false);
    let (ended, mut end) = mpsc::unbounded_channel();
    let reconcile = move |_: Arc<KompoxDisk>, _: Arc<Context>| {
        let (begun, ended, mut gate) = (begun.clone(), ended.clone(), gate.clone());
        async move {
            let _ = begun.send(());
            let _ = gate.wait_for(|open| *open).await;
            let _ = ended.send(());
            Ok(Action::await_change())
        }
    };
    let controller = Controller::<KompoxDisk>::new(&context, "disk");
    let running = tokio::spawn(async move { controller.run(reconcile, &shutdown).await });
    began.recv().await.unwrap();
    stop.now();
    go.send_replace(true);
    running.await.unwrap();
    assert_eq!(end.recv().await, Some(()));
}

#[tokio::test]
async fn an_object_is_reconciled_when_what_it_refers_to_changes() {
    let context = context(|sent| match sent.path.as_str() {
        "/api/v1/secrets" => Answer::Watch(vec![
            event(
                "ADDED",
                &json!({ "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
                "metadata": { "name": "cloud", "namespace": "shop", "resourceVersion": "9" } }),
            ),
            listed("PartialObjectMetadata"),
        ]),
        _ => watched_disks(sent, &["data"]),
    });
    let (stop, shutdown) = shutdown::channel();
    let (done, mut seen) = mpsc::unbounded_channel();
    let reconcile = move |disk: Arc<KompoxDisk>, _: Arc<Context>| {
        let _ = done.send(disk.name_any());
        async { Ok(Action::await_change()) }
    };
    let (mapped, mut mappings) = mpsc::unbounded_channel();
    let controller = Controller::<KompoxDisk>::new(&context, "disk").relates::<Secret>(
        context.watched(),
        watches::config(),
        move |secret, disks| {
            let _ = mapped.send(secret.name_any());
            disks.state().iter().map(|disk| ObjectRef::from_obj(&**disk)).collect()
        },
    );
    let running = tokio::spawn(async move { controller.run(reconcile, &shutdown).await });
    assert_eq!(mappings.recv().await.as_deref(), Some("cloud"));
    assert_eq!(seen.recv().await.as_deref(), Some("data"));
    stop.now();
    running.await.unwrap();
    assert!(context.readiness.missing().is_empty());
}

/// On a clock that stands still until everybody waits for it.
#[tokio::test(start_paused = true)]
async fn an_interrupted_watch_does_not_hold_up_the_others() {
    let mut asked = 0;
    let context = context(move |sent| {
        let disks = sent.path.ends_with("/kompoxdisks");
        asked += usize::from(disks);
        // The Secrets cannot be watched at all, the disks at the fourth time.
        if disks && asked > 3 {
            watched_disks(sent, &["data"])
        } else {
            testing::refused(500, "InternalError")
        }
    });
    let (stop, shutdown) = shutdown::channel();
    let (done, mut seen) = mpsc::unbounded_channel();
    let reconcile = move |disk: Arc<KompoxDisk>, _: Arc<Context>| {
        let _ = done.send(disk.name_any());
        async { Ok(Action::await_change()) }
    };
    let controller = Controller::<KompoxDisk>::new(&context, "disk").relates::<Secret>(
        context.watched(),
        watches::config(),
        |_, _| Vec::new(),
    );
    let start = tokio::time::Instant::now();
    let running = tokio::spawn(async move { controller.run(reconcile, &shutdown).await });
    assert_eq!(seen.recv().await.as_deref(), Some("data"));
    // Its own waits: 0.5, 1 and 2 s, each up to twice as long.
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    stop.now();
    running.await.unwrap();
}

#[tokio::test]
async fn a_copy_from_before_our_own_write_is_not_reconciled() {
    let context = context(|_| Answer::Never);
    let object = |version: &str| -> Arc<KompoxDisk> {
        Arc::new(serde_json::from_value(disk("data", version)).unwrap())
    };
    context.freshness.wrote(&*object("7"));
    let refuse = |_: Arc<KompoxDisk>, _: Arc<Context>| async { panic!("must not be called") };
    let action = attempt("disk", object("6"), Arc::clone(&context), refuse).await;
    assert_eq!(action, Action::requeue(CATCH_UP));
    let done = |_: Arc<KompoxDisk>, _: Arc<Context>| async { Ok(Action::await_change()) };
    assert_eq!(attempt("disk", object("7"), Arc::clone(&context), done).await, Action::await_change());
}

#[tokio::test]
async fn a_controller_without_a_complete_list_ends_when_asked() {
    let mut writer = kube::runtime::reflector::store::Writer::<KompoxDisk>::default();
    let store = writer.as_reader();
    assert_eq!(never_began(&store, future::pending()).now_or_never(), None);
    assert_eq!(never_began(&store, future::ready(())).now_or_never(), Some(()));
    writer.apply_watcher_event(&Event::Init);
    writer.apply_watcher_event(&Event::InitDone);
    assert_eq!(never_began(&store, future::ready(())).now_or_never(), None);
}
