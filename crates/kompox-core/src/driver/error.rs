//! What a failed driver call says, and what the operator may conclude from it.

use super::Attributes;
use std::time::Duration;

/// What went wrong, in terms of what the operator does about it (WIT `error-code`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorCode {
    /// The request is wrong; nobody retries before it changes.
    InvalidArgument,
    /// Size, IOPS, zone or the like lies outside what the provider offers.
    OutOfRange,
    /// Something the call needs does not exist. Never said of the object itself.
    NotFound,
    /// The name or token is taken by an object with other properties.
    AlreadyExists,
    /// The object exists but does not bear the name or tags that were demanded.
    OwnerMismatch,
    /// The object has users: attached, being copied, has dependent snapshots.
    InUse,
    /// The object's state forbids it.
    FailedPrecondition,
    /// Another operation on the same object is in flight.
    Conflict,
    /// Credentials are missing, expired or refused.
    Unauthenticated,
    /// Credentials are good but not allowed.
    PermissionDenied,
    /// The account's limit; a person must act.
    QuotaExceeded,
    /// The provider has no room here and now.
    OutOfCapacity,
    /// Too many requests.
    Throttled,
    /// The provider cannot do this at all.
    Unsupported,
    /// Transient: network, 5xx, maintenance.
    Unavailable,
    /// The call ran out of time.
    DeadlineExceeded,
    /// The provider reports lost or damaged data.
    DataLoss,
    /// A bug, a trap, or an answer that was not understood.
    Internal,
    /// Anything else.
    Other,
}

impl ErrorCode {
    /// The word used in metrics and logs; kebab-case as in the WIT.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArgument => "invalid-argument",
            Self::OutOfRange => "out-of-range",
            Self::NotFound => "not-found",
            Self::AlreadyExists => "already-exists",
            Self::OwnerMismatch => "owner-mismatch",
            Self::InUse => "in-use",
            Self::FailedPrecondition => "failed-precondition",
            Self::Conflict => "conflict",
            Self::Unauthenticated => "unauthenticated",
            Self::PermissionDenied => "permission-denied",
            Self::QuotaExceeded => "quota-exceeded",
            Self::OutOfCapacity => "out-of-capacity",
            Self::Throttled => "throttled",
            Self::Unsupported => "unsupported",
            Self::Unavailable => "unavailable",
            Self::DeadlineExceeded => "deadline-exceeded",
            Self::DataLoss => "data-loss",
            Self::Internal => "internal",
            Self::Other => "other",
        }
    }
}

/// What a failed call may have left behind (WIT `effect`). The write-ahead protocol depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Certainly nothing.
    None,
    /// It may have been accepted: look before anything else.
    Unknown,
    /// It was accepted and failed for good: name and token are spent.
    Spent,
}

/// A failed driver call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({reason})")]
pub struct DriverError {
    /// The class of the failure.
    pub code: ErrorCode,
    /// What the call may have left behind.
    pub effect: Effect,
    /// The earliest useful repeat, if the provider said one.
    pub retry_after: Option<Duration>,
    /// The provider's own code, CamelCase, bounded by the runtime to 128 characters.
    pub reason: String,
    /// One or two sentences for people, redacted and bounded by the runtime to 1,024 characters.
    pub message: String,
    /// Registered keys: `httpStatus`, `requestId`, `field`, `zone`, `limit`.
    pub details: Attributes,
}

impl DriverError {
    /// An error without details and without a hint when to repeat.
    #[must_use]
    pub fn new(code: ErrorCode, effect: Effect, reason: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            effect,
            retry_after: None,
            reason: reason.to_owned(),
            message: message.into(),
            details: Attributes::new(),
        }
    }

    /// The refusal of a call to an interface that the driver does not export.
    #[must_use]
    pub fn unsupported(interface: &str) -> Self {
        Self::new(
            ErrorCode::Unsupported,
            Effect::None,
            "InterfaceMissing",
            format!("the driver does not export the interface `{interface}`"),
        )
    }
}
