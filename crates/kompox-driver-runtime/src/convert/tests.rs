//! Bounds and redaction of answers.

use super::*;
use crate::bindings::kompox::driver::types as wit;
use kompox_core::driver::{Effect, ErrorCode};

fn outcome(handle: &str) -> wit::Outcome {
    wit::Outcome { handle: Some(handle.to_owned()), pending: None }
}

#[test]
fn texts_for_people_are_cut_redacted_and_on_one_line() {
    let redactor = Arc::new(Redactor::new(["topsecret"]));
    let error = Reader(redactor).error(wit::Error {
        code: wit::ErrorCode::Throttled,
        effect: wit::Effect::Unknown,
        retry_after_ms: Some(5),
        reason: "R".repeat(1000),
        message: format!("key topsecret\r\n\x1b[31m{}", "é".repeat(5000)),
        details: vec![("requestId".into(), "topsecret".into())],
    });
    assert_eq!((error.code, error.effect), (ErrorCode::Throttled, Effect::Unknown));
    assert_eq!(error.reason.chars().count(), REASON);
    assert_eq!(error.message.chars().count(), MESSAGE);
    assert!(error.message.starts_with("key [redacted] [31mé"), "{}", error.message);
    assert_eq!(error.details["requestId"], "[redacted]");
}

#[test]
fn values_that_are_kept_are_refused_rather_than_changed() {
    let redactor = Arc::new(Redactor::new(["topsecret"]));
    let reader = Reader(redactor);
    assert_eq!(reader.outcome(outcome("vol-1")).unwrap().handle.as_deref(), Some("vol-1"));
    let long = "x".repeat(HANDLE + 1);
    for (handle, why) in
        [("", "empty"), (&*long, "longer"), ("a\nb", "control"), ("vol-topsecret", "credential")]
    {
        let Malformed(what) = reader.outcome(outcome(handle)).unwrap_err();
        assert!(what.contains(why), "{what}");
    }
}

#[test]
fn lists_and_maps_are_bounded() {
    let redactor = Arc::new(Redactor::default());
    let reader = Reader(redactor);
    let pair = |i: usize| (format!("k{i}"), String::new());
    assert!(reader.attributes("tags", (0..ENTRIES).map(pair).collect()).is_ok());
    assert!(reader.attributes("tags", (0..=ENTRIES).map(pair).collect()).is_err());
    assert_eq!(
        reader.attributes("tags", vec![pair(1), pair(1)]),
        Err(Malformed("tags holds a key twice".to_owned()))
    );
    assert!(reader.messages("unread", vec![String::new(); ITEMS + 1]).is_err());
    assert!(reader.token("a page token", Some("x".repeat(TOKEN + 1))).is_err());
}
