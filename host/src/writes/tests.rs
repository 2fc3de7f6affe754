//! What goes over the wire for each kind of write, and what is made of the answers.

use super::*;
use crate::testing::{self, Answer, Log, Sent, disk, refused};
use kompox_crds::{KompoxDisk, v1alpha1::KompoxDiskStatus};
use kube::Client;

const MANAGER: &str = "kompox-operator-disk";
const OURS: &str = "kompox.dev/disk";

fn writes() -> (Writes, Arc<Metrics>, Arc<Freshness>) {
    let (metrics, freshness) = (Arc::<Metrics>::default(), Arc::<Freshness>::default());
    (Writes::new(Arc::clone(&metrics), Arc::clone(&freshness)), metrics, freshness)
}

fn api(answer: impl FnMut(&Sent) -> Answer + Send + 'static) -> (Api<KompoxDisk>, Log) {
    let (client, log): (Client, _) = testing::client(answer);
    (Api::namespaced(client, "shop"), log)
}

fn stored(version: &str) -> KompoxDisk {
    serde_json::from_value(disk("data", version)).unwrap()
}

fn accept(_: &Sent) -> Answer {
    Answer::Json(200, disk("data", "11"))
}

fn only(log: &Log) -> Sent {
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 1, "{log:?}");
    log[0].clone()
}

#[tokio::test]
async fn an_apply_is_forced_and_names_its_manager() {
    let (api, log) = api(accept);
    let (writes, metrics, freshness) = writes();
    writes.apply(&api, &KompoxDisk::new("data", Default::default()), MANAGER).await.unwrap();
    let sent = only(&log);
    assert_eq!((sent.method.as_str(), sent.body["kind"].as_str()), ("PATCH", Some("KompoxDisk")));
    assert!(sent.query.contains("force=true") && sent.query.contains("fieldManager=kompox-operator-disk"));
    assert!(freshness.is_behind(&stored("10")), "the cache must see version 11 first");
    let line = "kompox_api_writes_total{kind=\"KompoxDisk\",verb=\"apply\",result=\"ok\"} 1";
    assert!(metrics.page().unwrap().contains(line));
}

#[tokio::test]
async fn a_name_that_is_taken_is_verified_and_never_overwritten() {
    for ours in [true, false] {
        let (api, log) = api(|sent| match sent.method.as_str() {
            "POST" => refused(409, "AlreadyExists"),
            _ => Answer::Json(200, disk("data", "7")),
        });
        let (writes, ..) = writes();
        let object = KompoxDisk::new("data", Default::default());
        let result = writes.create_or_verify(&api, &object, MANAGER, |_| ours).await;
        match result {
            Ok(Creation::Found(found)) => assert!(ours && found.metadata.uid.is_some()),
            Err(Error::NotOurs { object }) => assert!(!ours && object.kind() == "KompoxDisk"),
            other => panic!("{other:?}"),
        }
        let methods: Vec<_> = log.lock().unwrap().iter().map(|sent| sent.method.clone()).collect();
        assert_eq!(methods, ["POST", "GET"]);
    }
}

#[tokio::test]
async fn a_status_is_put_under_its_version_and_only_when_it_differs() {
    let (api, log) = api(accept);
    let (writes, ..) = writes();
    let status = KompoxDiskStatus { epoch: Some(1), ..Default::default() };
    let mut read = stored("10");
    writes.update_status(&api, &read, status.clone(), MANAGER).await.unwrap();
    let sent = only(&log);
    assert!(sent.path.ends_with("/namespaces/shop/kompoxdisks/data/status"), "{}", sent.path);
    assert_eq!(
        (sent.method.as_str(), sent.body["metadata"]["resourceVersion"].as_str()),
        ("PUT", Some("10"))
    );
    read.status = Some(status.clone());
    writes.update_status(&api, &read, status, MANAGER).await.unwrap();
    assert_eq!(log.lock().unwrap().len(), 1, "the same status again is no request");
}

#[tokio::test]
async fn finalizers_are_changed_one_at_a_time_under_uid_and_version() {
    let (api, log) = api(accept);
    let (writes, ..) = writes();
    writes.add_finalizer(&api, &stored("10"), OURS, MANAGER).await.unwrap();
    let metadata = only(&log).body["metadata"].clone();
    assert_eq!(
        metadata,
        json!({ "uid": "uid-of-data", "resourceVersion": "10", "finalizers": ["other.example/hold", OURS] })
    );
    let mut held = stored("11");
    held.finalizers_mut().push(OURS.to_owned());
    writes.add_finalizer(&api, &held, OURS, MANAGER).await.unwrap();
    assert_eq!(log.lock().unwrap().len(), 1, "it is there already");
    writes.remove_finalizer(&api, &held, OURS, MANAGER).await.unwrap();
    assert_eq!(log.lock().unwrap()[1].body["metadata"]["finalizers"], json!(["other.example/hold"]));
    writes.remove_finalizer(&api, &stored("12"), OURS, MANAGER).await.unwrap();
    assert_eq!(log.lock().unwrap().len(), 2, "it is not there any more");
}

#[tokio::test]
async fn what_is_gone_needs_no_finalizer_removed_and_no_deletion() {
    let (api, _) = api(|_| refused(404, "NotFound"));
    let (writes, ..) = writes();
    let mut held = stored("11");
    held.finalizers_mut().push(OURS.to_owned());
    writes.remove_finalizer(&api, &held, OURS, MANAGER).await.unwrap();
    assert_eq!(writes.delete(&api, &held).await.unwrap(), Deletion::Absent);
}

#[tokio::test]
async fn annotations_are_written_only_when_they_differ() {
    let (api, log) = api(accept);
    let (writes, ..) = writes();
    let mut read = stored("10");
    read.annotations_mut().insert("kompox.dev/a".to_owned(), "1".to_owned());
    let unchanged = BTreeMap::from([("kompox.dev/a", Some("1")), ("kompox.dev/b", None)]);
    writes.annotate(&api, &read, &unchanged, MANAGER).await.unwrap();
    assert!(log.lock().unwrap().is_empty());
    let changed = BTreeMap::from([("kompox.dev/a", None), ("kompox.dev/b", Some("2"))]);
    writes.annotate(&api, &read, &changed, MANAGER).await.unwrap();
    assert_eq!(
        only(&log).body["metadata"]["annotations"],
        json!({ "kompox.dev/a": null, "kompox.dev/b": "2" })
    );
}

#[tokio::test]
async fn a_deletion_is_of_this_object_in_this_version() {
    let (api, log) = api(accept);
    let (writes, ..) = writes();
    assert_eq!(writes.delete(&api, &stored("10")).await.unwrap(), Deletion::Requested);
    let body = only(&log).body;
    assert_eq!(body["preconditions"], json!({ "uid": "uid-of-data", "resourceVersion": "10" }));
    assert_eq!(body["propagationPolicy"], "Background");
}

#[tokio::test]
async fn nothing_is_changed_that_was_not_read() {
    let (api, log) = api(accept);
    let (writes, ..) = writes();
    let made_up = KompoxDisk::new("data", Default::default());
    let results = [
        writes.replace(&api, &made_up, MANAGER).await.map(drop),
        writes.update_status(&api, &made_up, KompoxDiskStatus::default(), MANAGER).await.map(drop),
        writes.add_finalizer(&api, &made_up, OURS, MANAGER).await.map(drop),
        writes.delete(&api, &made_up).await.map(drop),
    ];
    assert!(results.iter().all(|result| matches!(result, Err(Error::NotRead { .. }))), "{results:?}");
    assert!(log.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_refusal_names_operation_object_and_class() {
    let (api, _) = api(|_| refused(409, "Conflict"));
    let (writes, metrics, freshness) = writes();
    let error = writes.replace(&api, &stored("10"), MANAGER).await.unwrap_err();
    assert_eq!(error.to_string(), "failed to replace KompoxDisk shop/data: refused by the test");
    assert_eq!((error.refusal(), error.retry()), (Some(&Refusal::Stale), crate::backoff::RACE));
    assert!(!freshness.is_behind(&stored("1")), "a refused write is not waited for");
    assert!(metrics.page().unwrap().contains("verb=\"replace\",result=\"stale\"} 1"));
}
