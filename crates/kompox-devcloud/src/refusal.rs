//! The one error of the service's operations: what the caller is told.

use crate::api::{Code, ErrorBody};

/// A refused or failed request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    message: String,
    /// Seconds, for `throttled`.
    pub(crate) retry_after: Option<u32>,
}

impl Refusal {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    pub(crate) fn not_found(id: &str) -> Self {
        Self::new(Code::NotFound, format!("{id} does not exist in this account"))
    }

    /// For a file that could not be written or read.
    pub(crate) fn io(what: &str, error: &std::io::Error) -> Self {
        Self::new(Code::Internal, format!("failed to {what}: {error}"))
    }

    pub(crate) fn throttled(seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(Code::Throttled, "too many requests: a fault that was asked for")
        }
    }

    pub(crate) fn status(&self) -> u16 {
        match self.code {
            Code::InvalidArgument | Code::OutOfRange => 400,
            Code::Unauthenticated => 401,
            Code::QuotaExceeded => 403,
            Code::NotFound => 404,
            Code::AlreadyExists | Code::InUse | Code::NotReady => 409,
            Code::Throttled => 429,
            Code::Internal => 500,
        }
    }

    pub(crate) fn body(self) -> ErrorBody {
        ErrorBody { code: self.code, message: self.message }
    }
}
