//! What every published schema must hold, as a test, so that a forgotten attribute fails here and not
//! on somebody's cluster.

use crate::publish::walk;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps,
};

/// Formats the API server knows; others (schemars' `uint32` …) give a warning on each apply.
const FORMATS: [&str; 4] = ["int32", "int64", "double", "date-time"];

/// One line per finding; empty when the CRD is fit to publish.
fn findings(crd: &CustomResourceDefinition) -> Vec<String> {
    let mut found = Vec::new();
    for version in &crd.spec.versions {
        let Some(mut root) = version.schema.clone().and_then(|s| s.open_api_v3_schema) else { continue };
        walk(&mut root, "", &mut |node, path| {
            found.extend(judge(node, path).map(|what| format!("{}{path}: {what}", crd.spec.names.kind)));
        });
    }
    found
}

fn judge<'a>(node: &'a JSONSchemaProps, path: &str) -> impl Iterator<Item = &'static str> + use<'a> {
    let kind = node.type_.as_deref();
    let int_or_string = node.x_kubernetes_int_or_string == Some(true);
    let text = kind == Some("string") || int_or_string;
    let number = kind == Some("integer") || kind == Some("number");
    let bounded =
        node.max_length.is_some() || node.enum_.is_some() || node.format.as_deref() == Some("date-time");
    let named = !path.ends_with(['}', ']']);
    [
        (named && node.description.as_deref().unwrap_or_default().is_empty(), "no description"),
        (text && !bounded, "string without maxLength"),
        (number && (node.minimum.is_none()), "number without minimum"),
        (kind == Some("array") && node.max_items.is_none(), "list without maxItems"),
        (kind == Some("array") && node.x_kubernetes_list_type.is_none(), "list without list-type"),
        (node.additional_properties.is_some() && node.max_properties.is_none(), "map without maxProperties"),
        (node.nullable.is_some(), "nullable"),
        (has_null(node), "null as a value"),
        (node.any_of.is_some() || node.one_of.is_some() || node.all_of.is_some(), "anyOf, oneOf or allOf"),
        (path.contains("[]") && node.default.is_some(), "default inside a list item"),
        (node.format.as_deref().is_some_and(|f| !FORMATS.contains(&f)), "format unknown to the API server"),
        (kind.is_none() && !int_or_string, "no type"),
    ]
    .into_iter()
    .filter_map(|(bad, what)| bad.then_some(what))
}

fn has_null(node: &JSONSchemaProps) -> bool {
    let in_enum = node.enum_.iter().flatten().any(|v| v.0.is_null());
    in_enum || node.default.as_ref().is_some_and(|d| d.0.is_null())
}

#[test]
fn published_schemas_are_clean() {
    let found: Vec<_> = crate::all().iter().flat_map(findings).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_derive_alone_is_not_clean() {
    use kube::CustomResourceExt as _;
    let found = findings(&crate::KompoxDisk::crd());
    assert!(found.iter().any(|f| f.contains("nullable")), "then `publish` can go");
}

/// Every finding the lint knows is really found: one broken schema per rule.
#[test]
fn the_lint_finds_what_it_names() {
    let text = || serde_json::json!({ "type": "string", "description": "d", "maxLength": 1 });
    let without = |key: &str| {
        let mut schema = text();
        schema.as_object_mut().expect("an object").remove(key);
        schema
    };
    let with = |more: serde_json::Value| {
        let mut schema = text();
        schema.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        schema
    };
    let list = |more: serde_json::Value| {
        let mut schema = serde_json::json!({ "type": "array", "description": "d", "items": text() });
        schema.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        schema
    };
    let cases = [
        (without("description"), "no description"),
        (without("maxLength"), "string without maxLength"),
        (serde_json::json!({ "type": "integer", "description": "d" }), "number without minimum"),
        (list(serde_json::json!({ "x-kubernetes-list-type": "set" })), "list without maxItems"),
        (list(serde_json::json!({ "maxItems": 1 })), "list without list-type"),
        (
            serde_json::json!({ "type": "object", "description": "d", "additionalProperties": text() }),
            "map without maxProperties",
        ),
        (with(serde_json::json!({ "nullable": true })), "nullable"),
        (with(serde_json::json!({ "enum": ["a", null] })), "null as a value"),
        (with(serde_json::json!({ "anyOf": [{}] })), "anyOf, oneOf or allOf"),
        (with(serde_json::json!({ "format": "uint32" })), "format unknown to the API server"),
        (without("type"), "no type"),
    ];
    for (schema, expected) in cases {
        let node: JSONSchemaProps = serde_json::from_value(schema).expect("a schema");
        assert_eq!(judge(&node, ".spec.field").collect::<Vec<_>>(), [expected]);
    }
    let node: JSONSchemaProps =
        serde_json::from_value(with(serde_json::json!({ "default": "a" }))).expect("a schema");
    assert_eq!(judge(&node, ".spec.list[].field").collect::<Vec<_>>(), ["default inside a list item"]);
}
