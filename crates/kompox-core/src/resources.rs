//! The life of a set of objects: built, then applied; and whether applying would change anything.
//!
//! Status is computed only from what was applied, and the marker types say so.

use serde_json::Value;

/// The objects exist as values only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prepared {}

/// The objects are as the API server returned them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {}

/// Whether every member of `wanted` stands in `live` with the same value: nobody has changed what was
/// applied. Lists must be equal in length and item by item. Members that only `live` has are the
/// server's defaults, or somebody else's.
#[must_use]
pub fn is_contained(wanted: &Value, live: &Value) -> bool {
    match (wanted, live) {
        (Value::Object(wanted), Value::Object(live)) => wanted.iter().all(|(key, value)| {
            live.get(key).is_some_and(|found| is_contained(value, found))
                || is_empty(value) && !live.contains_key(key)
        }),
        (Value::Array(wanted), Value::Array(live)) => {
            wanted.len() == live.len()
                && wanted.iter().zip(live).all(|(wanted, live)| is_contained(wanted, live))
        }
        _ => wanted == live,
    }
}

/// The server drops empty objects and lists, and nulls.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_contained;
    use serde_json::json;

    #[test]
    fn defaults_are_ignored_and_changes_are_seen() {
        let wanted = json!({ "spec": { "replicas": 1, "list": [{ "name": "a" }], "none": {} } });
        let cases = [
            (
                json!({ "spec": { "replicas": 1, "list": [{ "name": "a", "default": 1 }] }, "status": {} }),
                true,
            ),
            (json!({ "spec": { "replicas": 2, "list": [{ "name": "a" }] } }), false),
            (json!({ "spec": { "replicas": 1, "list": [] } }), false),
            (json!({ "spec": { "replicas": 1, "list": [{ "name": "a" }, { "name": "b" }] } }), false),
            (json!({ "spec": { "list": [{ "name": "a" }] } }), false),
        ];
        for (live, expected) in cases {
            assert_eq!(is_contained(&wanted, &live), expected, "{live}");
        }
    }
}
