//! Waiting for what is not there yet.

use super::*;
use crate::testing::{self, Answer, refused};
use serde_json::{Value, json};

fn resources(kinds: &[&str]) -> Answer {
    let resources: Vec<Value> = kinds
        .iter()
        .map(
            |kind| json!({ "kind": kind, "name": kind, "singularName": "", "namespaced": true, "verbs": [] }),
        )
        .collect();
    Answer::Json(
        200,
        json!({ "kind": "APIResourceList", "apiVersion": "v1",
        "groupVersion": names::API_VERSION, "resources": resources }),
    )
}

#[tokio::test(start_paused = true)]
async fn the_kinds_are_waited_for_until_all_are_served() {
    let mut looks = 0;
    let (client, log) = testing::client(move |_| {
        looks += 1;
        match looks {
            1 => refused(503, "ServiceUnavailable"),
            2 => refused(404, "NotFound"),
            3 => resources(&["KompoxDisk"]),
            _ => resources(&["KompoxApp", "KompoxDisk", "KompoxDriver", "KompoxSnapshot"]),
        }
    });
    let metrics = Metrics::default();
    wait_for_kinds(&client, &metrics).await;
    let paths: Vec<_> = log.lock().unwrap().iter().map(|sent| sent.path.clone()).collect();
    assert_eq!(paths, ["/apis/k8s.kompox.dev/v1alpha1"; 4]);
    assert!(metrics.page().unwrap().contains("kompox_crds_ready 1"));
}

#[tokio::test(start_paused = true)]
async fn the_cluster_is_the_uid_of_its_oldest_namespace() {
    let mut looks = 0;
    let (client, log) = testing::client(move |_| {
        looks += 1;
        let metadata = match looks {
            1 => return refused(403, "Forbidden"),
            2 => json!({ "name": IDENTITY }),
            _ => json!({ "name": IDENTITY, "uid": "1f5e" }),
        };
        Answer::Json(
            200,
            json!({ "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
            "metadata": metadata }),
        )
    });
    assert_eq!(identify(&client).await.uid, "1f5e");
    assert_eq!(log.lock().unwrap().len(), 3);
}
