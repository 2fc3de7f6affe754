//! Which requests events come to.

use super::*;
use crate::testing::{self, Answer, Log, Sent, disk, refused};
use kompox_crds::KompoxDisk;
use std::sync::atomic::{AtomicI64, Ordering};

fn subject() -> KompoxDisk {
    serde_json::from_value(disk("data", "10")).unwrap()
}

fn quota() -> Event {
    Event::warning(Reason::QuotaExceeded, "CreateDisk", "10 of 10 disks")
}

fn stored(count: Option<i32>) -> Answer {
    let series =
        count.map(|count| json!({ "count": count, "lastObservedTime": "2026-01-01T00:00:00.000000Z" }));
    Answer::Json(
        200,
        json!({ "apiVersion": "events.k8s.io/v1", "kind": "Event",
        "metadata": { "name": "e", "namespace": "shop" }, "eventTime": null, "series": series }),
    )
}

/// Publishes `events` about one disk, waits until all were handled, and returns the requests.
async fn requests(
    events: Vec<Event>,
    clock: fn() -> Timestamp,
    answer: impl FnMut(&Sent) -> Answer + Send + 'static,
) -> (Vec<Sent>, Arc<Metrics>) {
    let (client, log): (_, Log) = testing::client(answer);
    let metrics = Arc::<Metrics>::default();
    let (recorder, publisher) = channel(client, Arc::clone(&metrics), "pod-1", clock);
    for event in events {
        recorder.publish(&subject(), event);
    }
    drop(recorder);
    publisher.run().await;
    let sent = log.lock().unwrap().clone();
    (sent, metrics)
}

fn epoch() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

#[tokio::test]
async fn an_event_says_who_what_and_about_which_object() {
    let (sent, _) = requests(vec![quota()], epoch, |_| stored(None)).await;
    let [create] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(create.path, "/apis/events.k8s.io/v1/namespaces/shop/events");
    let body = &create.body;
    assert_eq!(body["regarding"]["uid"], "uid-of-data");
    assert_eq!(body["regarding"]["kind"], "KompoxDisk");
    assert!(body["regarding"].get("resourceVersion").is_none());
    let said = ["type", "reason", "action", "note", "reportingController", "reportingInstance"]
        .map(|key| body[key].as_str().unwrap_or_default());
    assert_eq!(said, ["Warning", "QuotaExceeded", "CreateDisk", "10 of 10 disks", CONTROLLER, "pod-1"]);
    assert!(body["metadata"]["name"].as_str().unwrap().starts_with("data."));
}

#[tokio::test]
async fn the_same_words_have_the_same_name_and_others_another() {
    let name_of = |event: Event| {
        let mut regarding = kube::Resource::object_ref(&subject(), &());
        regarding.resource_version = None;
        name(&Item { regarding, event })
    };
    assert_eq!(name_of(quota()), name_of(quota()));
    assert_ne!(name_of(quota()), name_of(Event { note: "11 of 11".into(), ..quota() }));
    assert_ne!(name_of(quota()), name_of(Event { reason: Reason::Throttled, ..quota() }));
}

static SECONDS: AtomicI64 = AtomicI64::new(0);

/// A clock that goes on by six minutes with each look.
fn hurrying() -> Timestamp {
    Timestamp::from_second(SECONDS.fetch_add(360, Ordering::Relaxed)).unwrap()
}

#[tokio::test]
async fn a_repetition_raises_the_count_and_survives_the_end_of_the_event() {
    let mut patches = 0;
    let (sent, metrics) = requests(vec![quota(), quota(), quota()], hurrying, move |sent| {
        patches += i32::from(sent.method == "PATCH");
        // The server dropped the event before the second repetition.
        if sent.method == "PATCH" && patches == 2 { refused(404, "NotFound") } else { stored(None) }
    })
    .await;
    let methods: Vec<_> = sent.iter().map(|sent| sent.method.as_str()).collect();
    assert_eq!(methods, ["POST", "PATCH", "PATCH", "POST"]);
    assert_eq!(sent[1].body["series"]["count"], 2);
    assert!(metrics.page().unwrap().contains("kompox_events_total{result=\"repeated\"} 1"));
}

#[tokio::test]
async fn repetitions_within_minutes_are_held() {
    let (sent, metrics) = requests(vec![quota(); 50], epoch, |_| stored(None)).await;
    assert_eq!(sent.len(), 1);
    assert!(metrics.page().unwrap().contains("kompox_events_total{result=\"held\"} 49"));
}

#[tokio::test]
async fn an_event_of_an_earlier_run_is_counted_on() {
    let (sent, _) = requests(vec![quota()], epoch, |sent| match sent.method.as_str() {
        "POST" => refused(409, "AlreadyExists"),
        _ => stored(Some(6)),
    })
    .await;
    let methods: Vec<_> = sent.iter().map(|sent| sent.method.as_str()).collect();
    assert_eq!(methods, ["POST", "GET", "PATCH"]);
    assert_eq!(sent[2].body["series"]["count"], 7);
}

#[tokio::test]
async fn a_refused_event_changes_nothing_and_is_tried_anew() {
    let (sent, metrics) = requests(vec![quota(), quota()], epoch, |_| refused(403, "Forbidden")).await;
    assert_eq!(sent.len(), 2);
    assert!(metrics.page().unwrap().contains("kompox_events_total{result=\"failed\"} 2"));
}

#[tokio::test]
async fn long_notes_are_cut_between_characters() {
    let event = Event { note: "ä".repeat(600), ..quota() };
    let (sent, _) = requests(vec![event], epoch, |_| stored(None)).await;
    assert_eq!(sent[0].body["note"].as_str().unwrap(), "ä".repeat(512));
}

#[test]
fn a_full_queue_drops_and_never_waits() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _entered = runtime.enter();
    let (client, _) = testing::client(|_| Answer::Never);
    let metrics = Arc::<Metrics>::default();
    let (recorder, _publisher) = channel(client, Arc::clone(&metrics), "pod-1", epoch);
    for _ in 0..QUEUE + 3 {
        recorder.publish(&subject(), quota());
    }
    assert!(metrics.page().unwrap().contains("kompox_events_total{result=\"dropped\"} 3"));
}
