//! Each check against a workspace that violates it, and one that does not.

use serde_json::json;

use super::*;

fn workspace(packages: &serde_json::Value) -> Workspace {
    serde_json::from_value(
        json!({"workspace_root": "/w", "target_directory": "/w/target", "packages": packages}),
    )
    .unwrap()
}

fn package(name: &str, dependencies: &serde_json::Value) -> serde_json::Value {
    json!({"name": name, "manifest_path": format!("/w/{name}/Cargo.toml"), "dependencies": dependencies})
}

fn violations(name: &str, dependencies: &serde_json::Value) -> Vec<String> {
    workspace(&json!([package(name, dependencies)])).packages.iter().flat_map(declared).collect()
}

fn member(name: &str, kind: Option<&str>) -> serde_json::Value {
    json!({"name": name, "kind": kind, "path": format!("/w/{name}")})
}

#[test]
fn an_upward_dependency_is_a_violation() {
    assert_eq!(
        violations("kompox-core", &json!([member("kompox-driver-runtime", None)])),
        ["kompox-core may not use kompox-driver-runtime (/w/kompox-core/Cargo.toml)"]
    );
    assert_eq!(violations("kompox-core", &json!([member("kompox-crds", None)])), [""; 0]);
}

#[test]
fn the_cli_may_not_use_the_operator_nor_the_operator_the_compose_parser() {
    assert_eq!(violations("kompoxops", &json!([member("kompox-operator", None)])).len(), 1);
    assert_eq!(violations("kompox-operator", &json!([member("kompox-compose", None)])).len(), 1);
}

#[test]
fn drivers_are_found_by_pattern_and_see_only_the_sdk() {
    assert_eq!(violations("kompox-driver-acme", &json!([member("kompox-driver-sdk", None)])), [""; 0]);
    assert_eq!(violations("kompox-driver-acme", &json!([member("kompox-core", None)])).len(), 1);
    // The runtime and the SDK have rules of their own, which stand before the pattern.
    assert_eq!(violations("kompox-driver-runtime", &json!([member("kompox-driver-sdk", None)])).len(), 1);
}

#[test]
fn tests_may_use_siblings_but_never_the_top() {
    let runtime = member("kompox-driver-runtime", Some("dev"));
    assert_eq!(violations("kompox-core", &json!([runtime])), [""; 0]);
    assert_eq!(
        violations("kompox-core", &json!([member("kompox-operator", Some("dev"))])),
        ["kompox-core may not use kompox-operator in its tests (/w/kompox-core/Cargo.toml)"]
    );
    // A build script is part of the product.
    assert_eq!(violations("kompox-core", &json!([member("kompox-driver-runtime", Some("build"))])).len(), 1);
}

#[test]
fn an_unknown_member_is_a_violation_and_a_registry_package_is_not() {
    assert_eq!(violations("kompox-new", &json!([])).len(), 1);
    assert_eq!(
        violations("kompox-crds", &json!([{"name": "kompox-core", "kind": null, "path": null}])),
        [""; 0]
    );
}

#[test]
fn a_package_that_is_reached_indirectly_is_found() {
    let names = package_names("kompox-core v0.1.0 (/w)\nserde v1.0.0\n\ntokio v1.9.0 (*)\nserde v1.0.0\n");
    assert_eq!(names, ["kompox-core", "serde", "tokio"]);
    assert_eq!(
        reached("kompox-core", &["tokio", "hyper"], &names),
        ["kompox-core may not depend on tokio, not even indirectly: see `cargo tree -i tokio`"]
    );
}

#[test]
fn lints_count_only_in_their_own_table() {
    assert_eq!(lints("a", "[package]\n[lints]\nworkspace = true\n"), None);
    for manifest in ["[package]\nworkspace = true\n", "[lints]\n[x]\nworkspace = true\n", "[lints]\n", ""] {
        assert!(lints("a", manifest).is_some(), "{manifest}");
    }
}

#[test]
fn a_pure_member_repeats_the_root_and_adds_its_bans() {
    let root = "# why = because\nallow-unwrap-in-tests = true\n";
    let bans: String = PURE_BANS.iter().map(|path| format!("{{ path = \"{path}\" }},\n")).collect();
    assert_eq!(pure_clippy("core", root, &format!("allow-unwrap-in-tests = true\n{bans}")), [""; 0]);
    assert_eq!(
        pure_clippy("core", root, &bans),
        ["core/clippy.toml must repeat `allow-unwrap-in-tests = true` of the root"]
    );
    assert_eq!(pure_clippy("core", "", "").len(), PURE_BANS.len());
}
