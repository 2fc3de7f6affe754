//! Why a request could not be authenticated. Texts here are for people: no body of a token endpoint
//! and nothing of a credential is ever in them.

use kompox_core::driver::{DriverError, Effect, ErrorCode};
use std::time::Duration;

/// A request that was not sent because it could not be authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Whether a person must act, or time will help.
    pub(crate) code: ErrorCode,
    /// One word of a fixed list, for metrics and conditions.
    pub(crate) reason: &'static str,
    /// For people.
    pub(crate) message: String,
    /// The earliest useful repeat, if the token endpoint said one.
    pub(crate) retry_after: Option<Duration>,
}

impl Failure {
    fn new(code: ErrorCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), retry_after: None }
    }

    /// An entry of the credentials is not there.
    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unauthenticated, "CredentialsMissing", message)
    }

    /// A configuration value that the profile needs is not there or does not fit.
    pub(super) fn misconfigured(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, "ConfigMissing", message)
    }

    /// The credential itself cannot be used for this request.
    pub(crate) fn unusable(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unauthenticated, "CredentialsInvalid", message)
    }

    /// The token endpoint knows the credential and refuses it.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unauthenticated, "CredentialsRefused", message)
    }

    /// The token endpoint could not be asked, or had no answer for now.
    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unavailable, "TokenEndpointUnavailable", message)
    }

    /// The token endpoint answered with what is no token.
    pub(super) fn unexpected(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unavailable, "TokenAnswerInvalid", message)
    }

    /// Egress rules forbid asking the token endpoint.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::PermissionDenied, "TokenEndpointForbidden", message)
    }

    /// The same with a hint when to repeat.
    pub(super) fn after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    /// As the caller of the driver sees it.
    pub(crate) fn to_error(&self, effect: Effect) -> DriverError {
        let mut error = DriverError::new(self.code, effect, self.reason, self.message.clone());
        error.retry_after = self.retry_after;
        error
    }
}
