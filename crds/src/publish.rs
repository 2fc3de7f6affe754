//! The one pass between `T::crd()` and what is published: it removes null.
//!
//! The derive cannot leave out `nullable: true`: schemars marks each `Option<T>`, and kube's transform
//! for optional int-or-string puts it back at the very end. A nullable field stores `null`, loses its
//! default and makes CEL's `has()` false, so it goes here. Nothing else is decided in this file.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde_json::Value;

/// Turns a derived CRD into the published one. Idempotent.
pub fn finish(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let names = &mut crd.spec.names;
    names.list_kind.get_or_insert_with(|| format!("{}List", names.kind));
    for version in &mut crd.spec.versions {
        if let Some(root) = version.schema.as_mut().and_then(|s| s.open_api_v3_schema.as_mut()) {
            root.title = None;
            walk(root, "", &mut |node, _| forbid_null(node));
        }
    }
    crd
}

fn forbid_null(node: &mut JSONSchemaProps) {
    node.nullable = None;
    if let Some(values) = &mut node.enum_ {
        values.retain(|v| v.0 != Value::Null);
    }
    if node.default.as_ref().is_some_and(|d| d.0 == Value::Null) {
        node.default = None;
    }
}

/// Calls `visit` for `node` and each schema below it, with a path such as `.spec.volumes[].name`
/// (`[]` an item, `{}` a map's value).
pub fn walk(node: &mut JSONSchemaProps, path: &str, visit: &mut dyn FnMut(&mut JSONSchemaProps, &str)) {
    visit(node, path);
    for (name, child) in node.properties.iter_mut().flatten() {
        walk(child, &format!("{path}.{name}"), visit);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(item)) = &mut node.items {
        walk(item, &format!("{path}[]"), visit);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(value)) = &mut node.additional_properties {
        walk(value, &format!("{path}{{}}"), visit);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn publishing_is_idempotent() {
        for crd in crate::all() {
            assert_eq!(super::finish(crd.clone()), crd);
        }
    }
}
