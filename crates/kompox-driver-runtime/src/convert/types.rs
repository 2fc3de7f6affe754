//! The shared interface `types`.

use super::{Malformed, Read, Reader, delay, list_of, pairs};
use crate::bindings::kompox::driver::types as wit;
use kompox_core::driver::{
    DriverError, Effect, ErrorCode, Finding, Intent, Outcome, Pending, Query, Severity, TagChange, Target,
};

impl From<&Intent> for wit::Intent {
    fn from(intent: &Intent) -> Self {
        Self { name: intent.name.clone(), token: intent.token.clone(), tags: pairs(&intent.tags) }
    }
}

impl From<&Target> for wit::Target {
    fn from(target: &Target) -> Self {
        Self { handle: target.handle.clone(), name: target.name.clone(), tags: pairs(&target.tags) }
    }
}

impl From<&TagChange> for wit::TagChange {
    fn from(change: &TagChange) -> Self {
        Self { set: pairs(&change.set), remove: change.remove.clone() }
    }
}

impl From<&Query> for wit::Query {
    fn from(query: &Query) -> Self {
        Self {
            handles: query.handles.clone(),
            name: query.name.clone(),
            tags: pairs(&query.tags),
            disk_handle: query.disk_handle.clone(),
            limit: query.limit,
        }
    }
}

impl From<wit::ErrorCode> for ErrorCode {
    fn from(code: wit::ErrorCode) -> Self {
        match code {
            wit::ErrorCode::InvalidArgument => Self::InvalidArgument,
            wit::ErrorCode::OutOfRange => Self::OutOfRange,
            wit::ErrorCode::NotFound => Self::NotFound,
            wit::ErrorCode::AlreadyExists => Self::AlreadyExists,
            wit::ErrorCode::OwnerMismatch => Self::OwnerMismatch,
            wit::ErrorCode::InUse => Self::InUse,
            wit::ErrorCode::FailedPrecondition => Self::FailedPrecondition,
            wit::ErrorCode::Conflict => Self::Conflict,
            wit::ErrorCode::Unauthenticated => Self::Unauthenticated,
            wit::ErrorCode::PermissionDenied => Self::PermissionDenied,
            wit::ErrorCode::QuotaExceeded => Self::QuotaExceeded,
            wit::ErrorCode::OutOfCapacity => Self::OutOfCapacity,
            wit::ErrorCode::Throttled => Self::Throttled,
            wit::ErrorCode::Unsupported => Self::Unsupported,
            wit::ErrorCode::Unavailable => Self::Unavailable,
            wit::ErrorCode::DeadlineExceeded => Self::DeadlineExceeded,
            wit::ErrorCode::DataLoss => Self::DataLoss,
            wit::ErrorCode::Internal => Self::Internal,
            wit::ErrorCode::Other => Self::Other,
        }
    }
}

impl From<wit::Effect> for Effect {
    fn from(effect: wit::Effect) -> Self {
        match effect {
            wit::Effect::None => Self::None,
            wit::Effect::Unknown => Self::Unknown,
            wit::Effect::Spent => Self::Spent,
        }
    }
}

impl From<wit::Severity> for Severity {
    fn from(severity: wit::Severity) -> Self {
        match severity {
            wit::Severity::Error => Self::Error,
            wit::Severity::Warning => Self::Warning,
            wit::Severity::Info => Self::Info,
        }
    }
}

impl Reader {
    /// An error is read whatever it holds: details that break a bound are dropped, not the error.
    pub(crate) fn error(&self, error: wit::Error) -> DriverError {
        DriverError {
            code: error.code.into(),
            effect: error.effect.into(),
            retry_after: error.retry_after_ms.map(delay),
            reason: self.reason(&error.reason),
            message: self.message(&error.message),
            details: error
                .details
                .into_iter()
                .take(32)
                .map(|(key, value)| (self.reason(&key), self.message(&value)))
                .collect(),
        }
    }

    pub(super) fn finding(&self, finding: wit::Finding) -> Read<Finding> {
        Ok(Finding {
            severity: finding.severity.into(),
            reason: self.reason(&finding.reason),
            message: self.message(&finding.message),
            path: self.word("a finding's path", finding.path)?,
        })
    }

    pub(crate) fn findings(&self, findings: Vec<wit::Finding>) -> Read<Vec<Finding>> {
        list_of("the list of findings", findings, super::ENTRIES, |finding| self.finding(finding))
    }

    pub(crate) fn outcome(&self, outcome: wit::Outcome) -> Read<Outcome> {
        Ok(Outcome {
            handle: outcome.handle.map(|handle| self.handle(handle)).transpose()?,
            pending: outcome.pending.map(|pending| self.pending(pending)).transpose()?,
        })
    }

    fn pending(&self, pending: wit::Pending) -> Read<Pending> {
        if pending.percent.is_some_and(|percent| percent > 100) {
            return Err(Malformed("a progress is more than 100 percent".to_owned()));
        }
        Ok(Pending {
            resume: self.token("a resume token", Some(pending.resume))?.unwrap_or_default(),
            message: self.message(&pending.message),
            percent: pending.percent,
            poll_after: delay(pending.poll_after_ms),
        })
    }
}
