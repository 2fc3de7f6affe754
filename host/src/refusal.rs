//! Why the API server refused a request, from the parts of its answer that are API.
//!
//! Codes, reasons and the fields of causes are read; messages never are: they change between versions.
//! What stands here was taken from answers of Kubernetes 1.36. What to do about a refusal is decided by
//! [`Refusal::retry`]; what to tell the user, elsewhere.

use crate::backoff::{OUTAGE, RACE, REFUSED};
use kompox_core::cloud::Retry;
use kube::core::Status;
use std::time::Duration;

/// Longest hint of the server that is honoured.
const LONGEST_HINT: Duration = Duration::from_secs(120);

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 409 `AlreadyExists`: another object has the name.
    AlreadyExists,
    /// 409 from server-side apply: another manager owns these fields. It may hide a stale version.
    FieldsOwnedByOthers(Vec<String>),
    /// What was read is no longer so: a stale `resourceVersion`, or another `uid` under the same name.
    Stale,
    /// 422 with causes: schema or CEL.
    Invalid(Vec<InvalidField>),
    /// 403, or 422 without typed causes: RBAC or an admission policy.
    Denied,
    /// 403 for a create: the namespace is being deleted.
    NamespaceTerminating,
    /// 404.
    Gone,
    /// 429, 503 or 504; with the server's hint when to come back, if it gave one.
    Busy(Option<Duration>),
    /// No answer: connection, TLS, timeout.
    Unreachable,
    /// An answer that this version of the operator cannot decode.
    Undecodable,
    /// Any other code. Apply of a field that the schema does not declare is a 500, for instance.
    Other(u16),
}

/// A field that the server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    /// JSON path, such as `spec.size`.
    pub field: String,
    /// The server's reason, such as `FieldValueInvalid`.
    pub reason: String,
}

impl Refusal {
    /// Reads a client error.
    #[must_use]
    pub fn of(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(status),
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => Self::Undecodable,
            _ => Self::Unreachable,
        }
    }

    fn of_status(status: &Status) -> Self {
        match (status.code, status.reason.as_str()) {
            (409, "AlreadyExists") => Self::AlreadyExists,
            (409, _) => conflict(status),
            (422, _) => unprocessable(status),
            (403, _) if has_cause(status, "NamespaceTerminating") => Self::NamespaceTerminating,
            (403, _) => Self::Denied,
            (404, _) => Self::Gone,
            // A continue token or a version that was compacted away: read again.
            (410, _) => Self::Stale,
            (429 | 503 | 504, _) => Self::Busy(hint(status)),
            (code, _) => Self::Other(code),
        }
    }

    /// Whether this is the ordinary outcome of a race: the object changed or went since it was read.
    #[must_use]
    pub fn is_race(&self) -> bool {
        matches!(self, Self::Stale | Self::Gone | Self::AlreadyExists)
    }

    /// When to try again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Stale | Self::Gone | Self::AlreadyExists => RACE,
            Self::Busy(Some(hint)) => Retry::After(*hint),
            Self::Busy(None) | Self::Unreachable => OUTAGE,
            // None of these mends itself soon, but a person may mend it without touching our object.
            Self::FieldsOwnedByOthers(_)
            | Self::Invalid(_)
            | Self::Denied
            | Self::NamespaceTerminating
            | Self::Undecodable
            | Self::Other(_) => REFUSED,
        }
    }

    /// The word used in metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "already-exists",
            Self::FieldsOwnedByOthers(_) => "fields-owned-by-others",
            Self::Stale => "stale",
            Self::Invalid(_) => "invalid",
            Self::Denied => "denied",
            Self::NamespaceTerminating => "namespace-terminating",
            Self::Gone => "gone",
            Self::Busy(_) => "busy",
            Self::Unreachable => "unreachable",
            Self::Undecodable => "undecodable",
            Self::Other(_) => "other",
        }
    }
}

fn conflict(status: &Status) -> Refusal {
    let fields: Vec<_> = causes(status)
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .map(|cause| cause.field.clone())
        .collect();
    if fields.is_empty() { Refusal::Stale } else { Refusal::FieldsOwnedByOthers(fields) }
}

fn unprocessable(status: &Status) -> Refusal {
    // Server-side apply with the uid of a predecessor; a PUT with it is a 409.
    if causes(status).any(|cause| cause.field == "metadata.uid") {
        return Refusal::Stale;
    }
    let fields: Vec<_> = causes(status)
        .filter(|cause| !cause.reason.is_empty())
        .map(|cause| InvalidField { field: cause.field.clone(), reason: cause.reason.clone() })
        .collect();
    if fields.is_empty() { Refusal::Denied } else { Refusal::Invalid(fields) }
}

fn causes(status: &Status) -> impl Iterator<Item = &kube::core::response::StatusCause> {
    status.details.iter().flat_map(|details| &details.causes)
}

fn has_cause(status: &Status, reason: &str) -> bool {
    causes(status).any(|cause| cause.reason == reason)
}

fn hint(status: &Status) -> Option<Duration> {
    let seconds = status.details.as_ref().map(|details| details.retry_after_seconds)?;
    (seconds > 0).then(|| Duration::from_secs(u64::from(seconds)).min(LONGEST_HINT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Answers recorded from Kubernetes 1.36, shortened to what is read.
    #[test]
    fn recorded_answers_are_told_apart() {
        let invalid = |field: &str, reason: &str| {
            Refusal::Invalid(vec![InvalidField { field: field.into(), reason: reason.into() }])
        };
        let cases = [
            (
                json!({ "code": 409, "reason": "AlreadyExists", "details": { "name": "a", "kind": "configmaps" } }),
                Refusal::AlreadyExists,
            ),
            (
                json!({ "code": 409, "reason": "Conflict", "details": { "causes": [
                    { "reason": "FieldManagerConflict", "message": "conflict with \"x\"", "field": ".data.a" } ] } }),
                Refusal::FieldsOwnedByOthers(vec![".data.a".into()]),
            ),
            (
                json!({ "code": 409, "reason": "Conflict", "details": { "name": "w1", "group": "k8s.kompox.dev" } }),
                Refusal::Stale,
            ),
            (
                json!({ "code": 422, "reason": "Invalid", "details": { "causes": [
                    { "reason": "FieldValueInvalid", "field": "metadata.uid" } ] } }),
                Refusal::Stale,
            ),
            (
                json!({ "code": 422, "reason": "Invalid", "details": { "causes": [
                    { "reason": "FieldValueInvalid", "field": "spec.size" } ] } }),
                invalid("spec.size", "FieldValueInvalid"),
            ),
            (
                json!({ "code": 422, "reason": "Invalid", "details": { "causes": [
                    { "message": "ValidatingAdmissionPolicy 'p' denied request" } ] } }),
                Refusal::Denied,
            ),
            (json!({ "code": 422, "reason": "Invalid" }), Refusal::Denied),
            (json!({ "code": 403, "reason": "Forbidden" }), Refusal::Denied),
            (
                json!({ "code": 403, "reason": "Forbidden", "details": { "causes": [
                    { "reason": "NamespaceTerminating", "field": "metadata.namespace" } ] } }),
                Refusal::NamespaceTerminating,
            ),
            (json!({ "code": 404, "reason": "NotFound" }), Refusal::Gone),
            (json!({ "code": 410, "reason": "Expired" }), Refusal::Stale),
            (
                json!({ "code": 429, "reason": "TooManyRequests", "details": { "retryAfterSeconds": 3 } }),
                Refusal::Busy(Some(Duration::from_secs(3))),
            ),
            (
                json!({ "code": 503, "reason": "ServiceUnavailable", "details": { "retryAfterSeconds": 86400 } }),
                Refusal::Busy(Some(LONGEST_HINT)),
            ),
            (json!({ "code": 504, "reason": "Timeout" }), Refusal::Busy(None)),
            (json!({ "code": 500, "reason": "InternalError" }), Refusal::Other(500)),
        ];
        for (answer, expected) in cases {
            let status: Status = serde_json::from_value(answer.clone()).unwrap();
            assert_eq!(Refusal::of(&kube::Error::Api(status.boxed())), expected, "{answer}");
        }
    }

    #[test]
    fn only_races_are_repeated_at_once() {
        assert_eq!(Refusal::Stale.retry(), RACE);
        assert_eq!(Refusal::Denied.retry(), REFUSED);
        assert_eq!(Refusal::Busy(Some(Duration::from_secs(3))).retry(), Retry::After(Duration::from_secs(3)));
    }
}
