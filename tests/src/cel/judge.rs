//! Compares what the server answered with what a case's files say. No IO.

use super::{
    case::{Cause, Expected},
    server::{Answer, Refusal},
};
use anyhow::Context as _;
use serde_json::Value;

/// The server adds it when structural errors kept it from running the rules: it is no cause of its own.
const RULES_SKIPPED: &str = "some validation rules were not checked";

/// What was seen instead of what was expected; `None`: all is as it should be.
pub(super) fn compare(expected: &Expected, answer: &Answer) -> Option<String> {
    match answer {
        Ok(object) if expected.causes.is_empty() => differing(expected.want.as_ref(), object),
        Ok(_) => Some("was accepted".to_owned()),
        Err(refusal) if expected.causes.is_empty() => Some(format!("was refused: {refusal:?}")),
        Err(refusal) => differing_causes(&expected.causes, refusal),
    }
}

fn differing(want: Option<&Value>, object: &Value) -> Option<String> {
    let mut found = Vec::new();
    subset(want?, Some(object), "", &mut found);
    (!found.is_empty()).then(|| found.join("; "))
}

fn subset(want: &Value, have: Option<&Value>, path: &str, found: &mut Vec<String>) {
    match (want, have) {
        (Value::Null, None) => {}
        (Value::Object(members), Some(Value::Object(present))) => {
            for (name, member) in members {
                subset(member, present.get(name), &format!("{path}.{name}"), found);
            }
        }
        (Value::Array(items), Some(Value::Array(present))) if items.len() == present.len() => {
            for (index, (item, present)) in items.iter().zip(present).enumerate() {
                subset(item, Some(present), &format!("{path}[{index}]"), found);
            }
        }
        (want, Some(have)) if want == have => {}
        (want, have) => found.push(format!("{path} is {}, not {want}", have.unwrap_or(&Value::Null))),
    }
}

/// Each line takes one cause; a line without cause, or a cause without line, is a difference.
fn differing_causes(expected: &[Cause], refusal: &Refusal) -> Option<String> {
    let mut left = refusal.causes.clone();
    left.retain(|(_, message)| !message.contains(RULES_SKIPPED));
    if left.is_empty() {
        left.push((String::new(), refusal.message.clone()));
    }
    for cause in expected {
        let fits =
            |(field, message): &(String, String)| *field == cause.field && message.contains(&cause.part);
        match left.iter().position(fits) {
            Some(index) => drop(left.remove(index)),
            None => return Some(format!("no cause '{}: {}' in {refusal:?}", cause.field, cause.part)),
        }
    }
    (!left.is_empty()).then(|| format!("was refused for other reasons too: {left:?}"))
}

/// `post` as the next write of the object `stored`.
pub(super) fn on_top_of(post: &Value, stored: &Value) -> anyhow::Result<Value> {
    let mut next = post.clone();
    let metadata = next.get_mut("metadata").and_then(Value::as_object_mut).context("no metadata")?;
    for name in ["namespace", "uid", "resourceVersion"] {
        if let Some(value) = stored.pointer(&format!("/metadata/{name}")) {
            metadata.insert(name.to_owned(), value.clone());
        }
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(causes: &[(&str, &str)]) -> Answer {
        let causes =
            causes.iter().map(|(field, message)| ((*field).to_owned(), (*message).to_owned())).collect();
        Err(Refusal { code: 422, message: "unknown field \"x\"".to_owned(), causes })
    }

    fn expects(causes: &[(&str, &str)]) -> Expected {
        let cause =
            |(field, part): &(&str, &str)| Cause { field: (*field).to_owned(), part: (*part).to_owned() };
        Expected { causes: causes.iter().map(cause).collect(), want: None }
    }

    #[test]
    fn every_line_and_every_cause_counts() {
        let two = refusal(&[("spec.a", "Invalid value: too big"), ("spec.b", "Required value")]);
        assert_eq!(compare(&expects(&[("spec.b", "Required"), ("spec.a", "too big")]), &two), None);
        for wrong in [&[("spec.a", "too big")][..], &[("spec.a", "too big"), ("spec.b", "Forbidden")]] {
            assert!(compare(&expects(wrong), &two).is_some(), "{wrong:?}");
        }
        assert!(compare(&expects(&[]), &two).is_some());
        assert!(compare(&expects(&[("spec.a", "too big")]), &Ok(json!({}))).is_some());
        assert_eq!(compare(&expects(&[("", "unknown field")]), &refusal(&[])), None);
        let skipped =
            refusal(&[("<nil>", "Invalid value: null: some validation rules were not checked"), ("a", "b")]);
        assert_eq!(compare(&expects(&[("a", "b")]), &skipped), None);
    }

    #[test]
    fn wanted_is_a_subset_and_null_is_absent() {
        let object = json!({ "spec": { "a": 1, "list": [{ "b": 2, "c": 3 }] } });
        let fits = |want: Value| {
            compare(&Expected { causes: vec![], want: Some(want) }, &Ok(object.clone())).is_none()
        };
        assert!(fits(json!({ "spec": { "a": 1, "d": null, "list": [{ "c": 3 }] } })));
        assert!(!fits(json!({ "spec": { "a": null } })));
        assert!(!fits(json!({ "spec": { "a": 2 } })));
        assert!(!fits(json!({ "spec": { "d": {} } })));
        assert!(!fits(json!({ "spec": { "list": [] } })));
    }
}
