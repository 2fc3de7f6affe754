//! Why a reconciliation ended early: with a reason for conditions and metrics, and when to try again.
//! How it is shown to the user is decided by the controller's status step.

use crate::{reads, refusal::Refusal, writes};
use kompox_core::{
    cloud::{Problem, Retry},
    driver::DriverError,
};
use kompox_crds::Reason;

/// Why a reconciliation ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A live read.
    #[error(transparent)]
    Read(#[from] reads::Error),
    /// A write.
    #[error(transparent)]
    Write(#[from] writes::Error),
    /// The controller cannot go on: what it found, or what a driver said.
    #[error("{}", .0.message)]
    Problem(Box<Problem>),
    /// An object from the API server lacks what every stored object has.
    #[error("failed to read the object's metadata: no {field}")]
    Metadata {
        /// The missing field.
        field: &'static str,
    },
}

impl Error {
    /// A failed driver call; `doing` completes "failed to …".
    #[must_use]
    pub fn driver(doing: &str, error: &DriverError) -> Self {
        Problem::of_driver(error, doing).into()
    }

    /// The reason for conditions, events and metrics.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Read(error) => refused(&error.refusal()),
            Self::Write(writes::Error::Request { refusal, .. }) => refused(refusal),
            Self::Write(writes::Error::NotOurs { .. }) => Reason::NameCollision,
            Self::Write(writes::Error::NotRead { .. }) => Reason::OperatorError,
            Self::Problem(problem) => problem.reason,
            Self::Metadata { .. } => Reason::OperatorError,
        }
    }

    /// When to try again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Read(error) => error.retry(),
            Self::Write(error) => error.retry(),
            Self::Problem(problem) => problem.retry,
            Self::Metadata { .. } => Retry::AwaitChange,
        }
    }

    /// Whether this is the ordinary outcome of a race, worth neither a warning nor a condition.
    #[must_use]
    pub fn is_race(&self) -> bool {
        match self {
            Self::Read(error) => error.refusal().is_race(),
            Self::Write(error) => error.refusal().is_some_and(Refusal::is_race),
            Self::Problem(_) | Self::Metadata { .. } => false,
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

fn refused(refusal: &Refusal) -> Reason {
    match refusal {
        Refusal::NamespaceTerminating => Reason::NamespaceTerminating,
        Refusal::Denied | Refusal::Invalid(_) | Refusal::FieldsOwnedByOthers(_) => Reason::ApiServerRefused,
        Refusal::Stale | Refusal::Gone | Refusal::AlreadyExists => Reason::Conflict,
        Refusal::Busy(_) | Refusal::Unreachable | Refusal::Undecodable | Refusal::Other(_) => {
            Reason::OperatorError
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kompox_core::{
        cloud::Problem,
        driver::{Effect, ErrorCode},
    };
    use kube::core::Status;

    #[test]
    fn a_problem_keeps_its_reason_and_its_time() {
        let source = DriverError::new(ErrorCode::QuotaExceeded, Effect::None, "Limit", "10 of 10 disks");
        let error = Error::driver("create the disk", &source);
        assert_eq!((error.reason(), error.retry()), (Reason::QuotaExceeded, Retry::PERSON));
        assert!(error.to_string().starts_with("failed to create the disk: 10 of 10 disks"), "{error}");
        assert!(!error.is_race());
        let held = Error::from(Problem::stalled(Reason::InvalidZone, "no zone 9"));
        assert_eq!((held.reason(), held.retry()), (Reason::InvalidZone, Retry::AwaitChange));
    }

    #[test]
    fn what_the_api_server_says_becomes_a_reason() {
        let read = |code: u16, reason: &str| {
            let status = Status::failure("message", reason).with_code(code).boxed();
            Error::Read(reads::Error::List {
                kind: "Node".into(),
                source: Box::new(kube::Error::Api(status)),
            })
        };
        assert_eq!(read(403, "Forbidden").reason(), Reason::ApiServerRefused);
        assert_eq!(read(500, "InternalError").reason(), Reason::OperatorError);
        assert!(read(409, "Conflict").is_race() && !read(403, "Forbidden").is_race());
        assert_eq!(read(403, "Forbidden").to_string(), "failed to list objects of kind Node: message");
    }
}
