//! Why an object is not as wanted, in the words of conditions, and when to try again.

use crate::{
    conditions::{Outlook, Summary},
    driver::{DriverError, Effect, ErrorCode},
};
use kompox_crds::reasons::Reason;
use std::time::Duration;

/// When a failed step is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Exponentially, between these bounds, with jitter.
    Backoff {
        /// First pause.
        min: Duration,
        /// Longest pause.
        max: Duration,
    },
    /// After this long.
    After(Duration),
    /// When the object, or something it refers to, changes.
    AwaitChange,
}

impl Retry {
    /// For what usually passes by itself: 1 s to 5 min.
    pub const TRANSIENT: Self = Self::Backoff { min: Duration::from_secs(1), max: Duration::from_mins(5) };
    /// For another party that is busy with the object: 5 s to 2 min.
    pub const BUSY: Self = Self::Backoff { min: Duration::from_secs(5), max: Duration::from_mins(2) };
    /// For what a person must change outside the cluster: 5 to 30 min.
    pub const PERSON: Self = Self::Backoff { min: Duration::from_mins(5), max: Duration::from_mins(30) };
}

/// A state that is not the wanted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The word for programs.
    pub reason: Reason,
    /// One or two sentences for people: object, field, remedy.
    pub message: String,
    /// When to try again.
    pub retry: Retry,
    /// Whether only a change of the spec, or a person, can help (kstatus `Stalled`).
    pub stalled: bool,
}

impl Problem {
    /// Something that only a change of an object can mend.
    #[must_use]
    pub fn stalled(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), retry: Retry::AwaitChange, stalled: true }
    }

    /// Something that may pass; tried again after `retry`.
    #[must_use]
    pub fn passing(reason: Reason, message: impl Into<String>, retry: Retry) -> Self {
        Self { reason, message: message.into(), retry, stalled: false }
    }

    /// Whether a failed create call by itself says what comes next: the attempt is spent, or nothing was
    /// made and only a change can help. After any other failure time must pass first.
    #[must_use]
    pub fn is_decisive(error: &DriverError) -> bool {
        let (_, retry, _) = class(error);
        error.effect == Effect::Spent || (error.effect == Effect::None && retry == Retry::AwaitChange)
    }

    /// What a failed driver call means; `doing` completes "failed to …".
    ///
    /// The schedule per code belongs to the operator, a hint of the provider only prolongs it.
    #[must_use]
    pub fn of_driver(error: &DriverError, doing: &str) -> Self {
        let (reason, retry, stalled) = class(error);
        let retry = match (retry, error.retry_after) {
            (Retry::AwaitChange, _) | (_, None) => retry,
            (_, Some(after)) => Retry::After(after),
        };
        let remedy = remedy(error);
        let message =
            format!("failed to {doing}: {} ({}){remedy}", error.message.trim_end_matches('.'), error.reason);
        Self { reason, message, retry, stalled }
    }
}

/// The summary of a problem.
pub(crate) fn degraded(problem: &Problem) -> Summary {
    let outlook = if problem.stalled { Outlook::Stalled } else { Outlook::Retrying };
    Summary::Degraded { reason: problem.reason, message: problem.message.clone(), outlook }
}

/// The summary of something that goes on.
pub(crate) fn progressing(reason: Reason, message: impl Into<String>) -> Summary {
    Summary::Progressing { reason, message: message.into() }
}

fn class(error: &DriverError) -> (Reason, Retry, bool) {
    use ErrorCode as C;
    match error.code {
        C::InvalidArgument | C::AlreadyExists => (Reason::InvalidOptions, Retry::AwaitChange, true),
        C::Unsupported => (Reason::NotSupported, Retry::AwaitChange, true),
        C::OutOfRange => (out_of_range(error), Retry::AwaitChange, true),
        C::OwnerMismatch => (Reason::OwnerMismatch, Retry::AwaitChange, true),
        C::DataLoss => (Reason::DiskLost, Retry::AwaitChange, true),
        C::Unauthenticated => (Reason::CredentialsRefused, Retry::PERSON, false),
        C::PermissionDenied if egress_denied(error) => (Reason::EgressDenied, Retry::PERSON, false),
        C::PermissionDenied => (Reason::PermissionDenied, Retry::PERSON, false),
        C::QuotaExceeded => (Reason::QuotaExceeded, Retry::PERSON, false),
        C::OutOfCapacity => (Reason::OutOfCapacity, Retry::PERSON, false),
        C::InUse => (Reason::DiskInUse, Retry::BUSY, false),
        C::NotFound => (Reason::SourceNotFound, Retry::BUSY, false),
        C::Conflict | C::FailedPrecondition => (Reason::Conflict, Retry::BUSY, false),
        C::Throttled => (Reason::Throttled, Retry::TRANSIENT, false),
        C::DeadlineExceeded => (Reason::DriverDeadlineExceeded, Retry::TRANSIENT, false),
        C::Unavailable => (Reason::ProviderUnavailable, Retry::TRANSIENT, false),
        C::Internal if error.reason == "DriverTrapped" => (Reason::DriverTrapped, Retry::TRANSIENT, false),
        C::Internal | C::Other => (Reason::DriverFailed, Retry::TRANSIENT, false),
    }
}

/// The field the driver names decides the reason, so that `zone` and `size` read as what they are.
fn out_of_range(error: &DriverError) -> Reason {
    match error.details.get("field").map(String::as_str) {
        Some("zone") => Reason::InvalidZone,
        Some("size") => Reason::InvalidSize,
        _ => Reason::InvalidOptions,
    }
}

/// Whether our own host, not the provider, refused the request.
fn egress_denied(error: &DriverError) -> bool {
    error.code == ErrorCode::PermissionDenied && error.reason == "EgressDenied"
}

fn remedy(error: &DriverError) -> &'static str {
    match error.code {
        // The runtime's message names the grant.
        ErrorCode::PermissionDenied if egress_denied(error) => "",
        ErrorCode::Unauthenticated => "; check the Secret that `spec.provider.credentialsSecretRef` names",
        ErrorCode::PermissionDenied => "; grant the missing permission to the credentials",
        ErrorCode::QuotaExceeded => "; raise the account's quota or delete disks that are not needed",
        ErrorCode::OutOfCapacity => "; the provider has no room now, another zone may do",
        ErrorCode::InvalidArgument | ErrorCode::OutOfRange => "; change the named field of `spec`",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: ErrorCode) -> DriverError {
        DriverError::new(code, Effect::None, "Code", "it went wrong.")
    }

    #[test]
    fn what_only_a_person_can_mend_is_not_hammered() {
        for code in [ErrorCode::QuotaExceeded, ErrorCode::Unauthenticated, ErrorCode::PermissionDenied] {
            assert_eq!(Problem::of_driver(&error(code), "create").retry, Retry::PERSON, "{code:?}");
        }
    }

    #[test]
    fn a_hint_of_the_provider_sets_the_pause_but_never_wakes_a_stalled_object() {
        let hint = Some(Duration::from_secs(7));
        let throttled = DriverError { retry_after: hint, ..error(ErrorCode::Throttled) };
        assert_eq!(Problem::of_driver(&throttled, "find").retry, Retry::After(Duration::from_secs(7)));
        let invalid = DriverError { retry_after: hint, ..error(ErrorCode::InvalidArgument) };
        assert_eq!(Problem::of_driver(&invalid, "create").retry, Retry::AwaitChange);
    }

    #[test]
    fn what_our_own_host_refused_is_not_blamed_on_the_credentials() {
        let denied =
            DriverError::new(ErrorCode::PermissionDenied, Effect::None, "EgressDenied", "it may not.");
        let problem = Problem::of_driver(&denied, "find the disk");
        assert_eq!(problem.reason, Reason::EgressDenied);
        assert_eq!(problem.message, "failed to find the disk: it may not (EgressDenied)");
    }

    #[test]
    fn the_message_names_the_step_the_provider_code_and_the_remedy() {
        let problem = Problem::of_driver(&error(ErrorCode::QuotaExceeded), "create the disk");
        assert_eq!(
            problem.message,
            "failed to create the disk: it went wrong (Code); raise the account's quota or delete disks that are not needed"
        );
    }
}
