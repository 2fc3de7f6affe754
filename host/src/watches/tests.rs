//! What reaches a cache and a controller.

use super::*;
use crate::{
    readiness::Readiness,
    testing::{self, Answer, disk, event, listed},
};
use futures::TryStreamExt as _;
use kompox_crds::KompoxDisk;
use serde_json::{Value, json};

fn stored(change: impl FnOnce(&mut Value)) -> KompoxDisk {
    let mut value = disk("data", "1");
    change(&mut value);
    serde_json::from_value(value).unwrap()
}

#[test]
fn only_what_somebody_asked_for_passes() {
    let base = asked_for_something(&stored(|_| ()));
    let passes = |change: fn(&mut Value)| asked_for_something(&stored(change)) != base;
    assert!(!passes(|disk| disk["status"] = json!({ "epoch": 4 })));
    assert!(!passes(|disk| disk["metadata"]["resourceVersion"] = "2".into()));
    assert!(passes(|disk| disk["metadata"]["generation"] = 2.into()));
    assert!(passes(|disk| disk["metadata"]["labels"] = json!({ "a": "b" })));
    assert!(passes(|disk| disk["metadata"]["annotations"] = json!({ "kompox.dev/protect": "true" })));
    assert!(passes(|disk| disk["metadata"]["finalizers"] = json!([])));
    assert!(passes(|disk| disk["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into()));
}

#[test]
fn pruning_keeps_what_is_read() {
    let mut object = stored(|disk| {
        disk["metadata"]["managedFields"] = json!([{ "manager": "kubectl" }]);
        disk["metadata"]["annotations"] = json!({ LAST_APPLIED: "{}", "kompox.dev/protect": "true" });
    });
    prune(&mut object);
    assert!(object.managed_fields().is_empty());
    assert_eq!(object.annotations().keys().collect::<Vec<_>>(), ["kompox.dev/protect"]);
}

#[test]
fn a_child_names_its_object_by_label() {
    let child: ObjectMeta =
        serde_json::from_value(json!({ "namespace": "shop", "labels": { "kompox.dev/disk": "data" } }))
            .unwrap();
    let expected = ObjectRef::<KompoxDisk>::new("data").within("shop");
    assert_eq!(named_by_label(&child, "kompox.dev/disk"), Some(expected));
    assert_eq!(named_by_label::<KompoxDisk>(&child, "kompox.dev/app"), None);
}

/// A KompoxDisk of a newer version: `size` is not what this one knows.
fn from_the_future(name: &str) -> Value {
    let mut value = disk(name, "2");
    value["spec"]["size"] = json!({ "amount": 1 });
    value
}

#[tokio::test]
async fn what_cannot_be_decoded_is_left_out_and_stops_nothing() {
    let (client, log) = testing::client(|_| {
        Answer::Watch(vec![
            event("ADDED", &disk("a", "1")),
            event("ADDED", &from_the_future("b")),
            listed("KompoxDisk"),
            event("MODIFIED", &from_the_future("a")),
            event("ADDED", &disk("c", "3")),
        ])
    });
    let (metrics, readiness) = (Arc::<Metrics>::default(), Readiness::default());
    let filled = readiness.expect("disks");
    let (store, stream) = cached::<KompoxDisk>(Api::all(client), config(), Arc::clone(&metrics), filled);
    let mut stream = std::pin::pin!(stream);
    while readiness.missing() == ["disks"] {
        stream.try_next().await.unwrap();
    }
    let names = |store: &Store<KompoxDisk>| {
        let mut names: Vec<_> = store.state().iter().map(|disk| disk.name_any()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&store), ["a"]);
    while names(&store) != ["c"] {
        stream.try_next().await.unwrap();
    }
    assert!(metrics.page().unwrap().contains("undecodable_objects_total{kind=\"KompoxDisk\"} 2"));
    let query = log.lock().unwrap()[0].query.clone();
    assert!(query.contains("sendInitialEvents=true") && query.contains("watch=true"), "{query}");
}
