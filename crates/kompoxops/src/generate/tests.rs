//! The objects against a golden file, and against the API's own types.

use kompox_crds::{KompoxApp, KompoxDisk};
use serde::{Serialize, de::DeserializeOwned};

use super::*;

fn request() -> Request {
    let map =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    Request {
        name: "gitea".into(),
        workspace: "acme".into(),
        namespace: Namespace::Own("k4x-acme-app-9785b19289".into()),
        compose: ComposeText {
            file_name: "compose.yml".into(),
            text: "services:\n  web:\n    image: gitea # pinned\n".into(),
        },
        overrides: Vec::new(),
        profiles: vec!["prod".into()],
        variables: map(&[("TAG", "1")]),
        files: map(&[("./gitea.env", "A=b\n"), ("conf/db.env", "P=secret\n")]),
        named: Vec::new(),
        disk: Some(DiskRequest {
            size: "10Gi".into(),
            zone: Some("us-west-2a".into()),
            provider: Some("eks".into()),
            config: map(&[("region", "us-west-2")]),
            credentials_secret: Some("aws".into()),
            options: map(&[("sku", "gp3")]),
            deletion: Deletion::Delete,
        }),
        routes: vec![
            Route { host: "git.example.com".into(), port: 3000 },
            Route { host: "admin.example.com".into(), port: 2000 },
            Route { host: "code.example.com".into(), port: 3000 },
        ],
        domain: Some("apps.example.com".into()),
        ingress_class: Some("traefik".into()),
    }
}

fn minimal() -> Request {
    Request {
        namespace: Namespace::Existing("team".into()),
        profiles: Vec::new(),
        variables: BTreeMap::new(),
        files: BTreeMap::new(),
        named: Vec::new(),
        disk: None,
        routes: Vec::new(),
        domain: None,
        ingress_class: None,
        ..request()
    }
}

#[test]
fn everything_a_user_can_say_is_in_the_objects() {
    insta::assert_snapshot!(crate::output::to_yaml_stream(&objects(&request()).into_all()).unwrap());
}

#[test]
fn what_was_not_said_is_not_in_the_objects() {
    insta::assert_snapshot!(crate::output::to_yaml_stream(&objects(&minimal()).into_all()).unwrap());
}

/// Every member we write is one the API knows: read by its type and written again it is still there.
fn survives<K: DeserializeOwned + Serialize>(object: &Value) {
    let again = serde_json::to_value(serde_json::from_value::<K>(object.clone()).unwrap()).unwrap();
    let mut pending = vec![(object, &again)];
    while let Some((ours, theirs)) = pending.pop() {
        match ours {
            Value::Object(members) => {
                pending.extend(members.iter().map(|(key, value)| (value, &theirs[key])));
            }
            Value::Array(items) => {
                pending.extend(items.iter().enumerate().map(|(at, item)| (item, &theirs[at])));
            }
            scalar => assert_eq!(scalar, theirs),
        }
    }
}

#[test]
fn the_api_knows_every_member() {
    for request in [request(), minimal()] {
        let objects = objects(&request);
        survives::<KompoxApp>(&objects.app);
        objects.disk.iter().for_each(survives::<KompoxDisk>);
    }
}

#[test]
fn neither_status_nor_replicas_is_ever_written() {
    let app = objects(&request()).app;
    assert_eq!(app.get("status"), None);
    assert_eq!(app.pointer("/spec/replicas"), None);
}

#[test]
fn a_namespace_of_the_user_is_not_ours_to_apply() {
    let objects = objects(&minimal());
    assert_eq!((objects.namespace.as_str(), objects.namespace_object), ("team", None));
}
