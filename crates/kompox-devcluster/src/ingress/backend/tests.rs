//! Services and slices made by hand.

use super::*;
use serde_json::{Value, json};

fn objects(service: &Value, slices: &[Value]) -> Objects {
    let node = json!({ "metadata": { "name": "fake", "labels": { SIMULATED: "true" } } });
    Objects {
        service: Some(Arc::new(serde_json::from_value(service.clone()).unwrap())),
        slices: slices.iter().map(|slice| Arc::new(serde_json::from_value(slice.clone()).unwrap())).collect(),
        nodes: vec![Arc::new(serde_json::from_value(node).unwrap())],
    }
}

fn service() -> Value {
    json!({ "metadata": { "name": "web" }, "spec": { "ports": [
        { "name": "http", "port": 80 }, { "name": "admin", "port": 81 } ] } })
}

/// A slice with the port `http` at 8080 and `endpoints`.
fn slice(of: &str, endpoints: &Value) -> Value {
    json!({ "metadata": { "labels": { SERVICE_LABEL: of } }, "addressType": "IPv4", "endpoints": endpoints,
        "ports": [{ "name": "http", "port": 8080 }, { "name": "admin", "port": 9090 }] })
}

fn found(port: &Value, objects: &Objects) -> Result<Vec<String>, String> {
    let backend: IngressBackend =
        serde_json::from_value(json!({ "service": { "name": "web", "port": port } }))
            .map_err(|error| error.to_string())?;
    let found = addresses(&backend, objects);
    found.map(|all| all.iter().map(ToString::to_string).collect()).map_err(|error| error.to_string())
}

#[test]
fn ready_endpoints_of_all_slices_are_found_by_number_and_name() {
    let slices = [
        slice(
            "web",
            &json!([{ "addresses": ["10.0.0.2"] }, { "addresses": ["10.0.0.3"], "conditions": { "ready": false } }]),
        ),
        slice(
            "web",
            &json!([{ "addresses": ["10.0.0.1"], "conditions": { "ready": true }, "nodeName": "real" }]),
        ),
        slice("other", &json!([{ "addresses": ["10.0.0.9"] }])),
    ];
    let objects = objects(&service(), &slices);
    assert_eq!(found(&json!({ "number": 80 }), &objects).unwrap(), ["10.0.0.1:8080", "10.0.0.2:8080"]);
    assert_eq!(found(&json!({ "name": "admin" }), &objects).unwrap(), ["10.0.0.1:9090", "10.0.0.2:9090"]);
}

#[test]
fn why_nobody_answers_is_said() {
    let none = objects(&service(), &[]);
    let waiting = slice("web", &json!([{ "addresses": ["10.0.0.3"], "conditions": { "ready": false } }]));
    let fake = slice("web", &json!([{ "addresses": ["198.18.0.1"], "nodeName": "fake" }]));
    let external =
        json!({ "metadata": { "name": "web" }, "spec": { "type": "ExternalName", "externalName": "x" } });
    for (port, objects, expected) in [
        (json!({ "number": 99 }), none.clone(), "the Service web has no port 99"),
        (json!({ "number": 80 }), none.clone(), "no pod of the Service web is ready; it has 0 endpoints"),
        (json!({ "number": 80 }), objects(&service(), &[waiting]), "is ready; it has 1 endpoints"),
        (json!({ "number": 80 }), objects(&service(), &[fake]), "the pods of the Service web are simulated"),
        (json!({ "number": 80 }), objects(&external, &[]), "of the type ExternalName"),
        (json!({ "number": 80 }), Objects { service: None, ..none }, "there is no Service web"),
    ] {
        let error = found(&port, &objects).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_real_pod_is_asked_even_beside_a_simulated_one() {
    let both = json!([{ "addresses": ["198.18.0.1"], "nodeName": "fake" }, { "addresses": ["10.1.0.1"], "nodeName": "real" }]);
    let objects = objects(&service(), &[slice("web", &both)]);
    assert_eq!(found(&json!({ "number": 80 }), &objects).unwrap(), ["10.1.0.1:8080"]);
}
