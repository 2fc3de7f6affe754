//! Rules of Ingresses as tables of requests.

use super::*;
use serde_json::{Value, json};

fn backend(service: &str) -> Value {
    json!({ "service": { "name": service, "port": { "number": 80 } } })
}

fn path(kind: &str, path: &str, service: &str) -> Value {
    json!({ "path": path, "pathType": kind, "backend": backend(service) })
}

fn rule(host: &str, paths: &[Value]) -> Value {
    json!({ "host": host, "http": { "paths": paths } })
}

fn ingress(name: &str, age: u32, spec: &Value) -> Arc<Ingress> {
    let metadata = json!({ "name": name, "namespace": format!("ns-{name}"),
        "creationTimestamp": format!("2026-01-01T00:00:{:02}Z", 30 - age) });
    Arc::new(serde_json::from_value(json!({ "metadata": metadata, "spec": spec })).unwrap())
}

/// The service that a request reaches, `-` for none.
fn reached(ingresses: &[Arc<Ingress>], host: &str, path: &str) -> String {
    let service = find(ingresses, host, path).and_then(|target| target.backend.service);
    service.map_or_else(|| "-".to_owned(), |service| service.name)
}

#[test]
fn paths_follow_the_documentation_of_kubernetes() {
    for (kind, wanted, asked, fits) in [
        ("Prefix", "/", "/anything", true),
        ("Exact", "/foo", "/foo", true),
        ("Exact", "/foo", "/foo/", false),
        ("Exact", "/foo/", "/foo", false),
        ("Prefix", "/foo", "/foo/", true),
        ("Prefix", "/foo/", "/foo", true),
        ("Prefix", "/aaa/bb", "/aaa/bbb", false),
        ("Prefix", "/aaa/bbb", "/aaa/bbb/ccc", true),
        ("Prefix", "/Foo", "/foo", false),
        ("ImplementationSpecific", "/fo", "/foo", true),
    ] {
        let entry: HTTPIngressPath = serde_json::from_value(path(kind, wanted, "s")).unwrap();
        assert_eq!(path_rank(&entry, asked).is_some(), fits, "{kind} {wanted}, asked for {asked}");
    }
}

#[test]
fn the_longest_path_wins_and_exact_before_prefix() {
    let paths = [
        path("Prefix", "/", "root"),
        path("Prefix", "/a", "prefix"),
        path("Exact", "/a", "exact"),
        path("Prefix", "/a/b", "deep"),
    ];
    let all = [ingress("one", 1, &json!({ "rules": [rule("h.example", &paths)] }))];
    for (asked, expected) in
        [("/", "root"), ("/a", "exact"), ("/a/", "prefix"), ("/a/b/c", "deep"), ("/ab", "root")]
    {
        assert_eq!(reached(&all, "h.example", asked), expected, "{asked}");
    }
}

#[test]
fn the_most_exact_host_wins_and_the_default_comes_last() {
    let all = [
        ingress("wild", 1, &json!({ "rules": [rule("*.example.com", &[path("Prefix", "/", "wild")])] })),
        ingress("exact", 1, &json!({ "rules": [rule("a.example.com", &[path("Prefix", "/x", "exact")])] })),
        ingress("rest", 1, &json!({ "defaultBackend": backend("rest") })),
    ];
    for (host, asked, expected) in [
        ("a.example.com", "/x", "exact"),
        ("a.example.com", "/y", "wild"),
        ("b.example.com", "/x", "wild"),
        ("b.c.example.com", "/", "rest"),
        ("example.com", "/", "rest"),
        ("other", "/", "rest"),
    ] {
        assert_eq!(reached(&all, host, asked), expected, "{host}{asked}");
    }
}

#[test]
fn a_host_without_paths_goes_to_the_default_backend() {
    let all = [
        ingress("one", 1, &json!({ "defaultBackend": backend("d"), "rules": [{ "host": "h" }] })),
        ingress("two", 2, &json!({ "rules": [{ "http": { "paths": [path("Prefix", "/", "any")] } }] })),
    ];
    assert_eq!(reached(&all, "h", "/"), "d");
    assert_eq!(reached(&all, "other", "/"), "any");
}

#[test]
fn an_app_is_found_by_its_name_below_localhost() {
    let hosts = [
        rule("git.example.com", &[path("Prefix", "/", "web")]),
        rule("admin.example.com", &[path("Prefix", "/", "admin")]),
    ];
    let own = [rule("shop.localhost", &[path("Prefix", "/", "shop")])];
    let all = [ingress("gitea", 1, &json!({ "rules": hosts })), ingress("x", 2, &json!({ "rules": own }))];
    for (host, expected) in [
        ("gitea.localhost", "web"),
        ("gitea.ns-gitea.localhost", "web"),
        ("gitea.other.localhost", "-"),
        ("admin.example.com.localhost", "admin"),
        ("shop.localhost", "shop"),
        ("gitea", "-"),
        ("localhost", "-"),
    ] {
        assert_eq!(reached(&all, host, "/"), expected, "{host}");
    }
    assert!(knows(&all, "gitea.localhost") && knows(&all, "git.example.com") && !knows(&all, "example.com"));
}

#[test]
fn among_equals_the_oldest_ingress_wins() {
    let spec = |service| json!({ "rules": [rule("h", &[path("Prefix", "/", service)])] });
    let all = [ingress("young", 1, &spec("young")), ingress("old", 9, &spec("old"))];
    assert_eq!(reached(&all, "h", "/"), "old");
}

#[test]
fn only_ingresses_of_the_class_are_served() {
    let with = |spec: Value, annotations: Value| -> Ingress {
        serde_json::from_value(json!({ "metadata": { "annotations": annotations }, "spec": spec })).unwrap()
    };
    assert!(is_served(&with(json!({ "ingressClassName": "traefik" }), json!({})), "traefik"));
    assert!(is_served(&with(json!({}), json!({ "kubernetes.io/ingress.class": "traefik" })), "traefik"));
    assert!(!is_served(&with(json!({ "ingressClassName": "nginx" }), json!({})), "traefik"));
    assert!(!is_served(&with(json!({}), json!({})), "traefik"));
}
