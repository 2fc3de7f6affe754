//! Making a cloud object exactly once, whatever crashes.
//!
//! The custom resource already holds the intent (name, token, attempt, planned request) when this
//! protocol begins. Each turn looks before it asks: by name, then by owner tags. Only when both
//! looks *prove* absence is the create call made, and after an answer that may have been an
//! acceptance only once the provider's consistency window has passed. The same intent is repeated
//! until its outcome is known. A spent one first makes way for the next attempt in the custom resource;
//! what it left, found by its owner tags, is removed before that attempt asks for anything.

use super::{CloudObject, Life, Ownership, Problem, Retry, Sighting, identity::Owner, owner_of};
use crate::driver::{DriverError, Effect, Outcome};
use k8s_openapi::jiff::Timestamp;
use kompox_crds::reasons::Reason;
use std::time::Duration;

/// The pause between two looks at an object that is being made, unless the driver named one.
pub const POLL: Duration = Duration::from_secs(2);

/// What this process knows of the create call for the present intent.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// This process wrote the intent and has not called yet.
    No,
    /// The intent was there when this process began at `since`: a predecessor may have called.
    Perhaps {
        /// When this process first saw the intent.
        since: Timestamp,
    },
    /// Called.
    Yes {
        /// When the answer came.
        at: Timestamp,
        /// What it was.
        answer: Result<Outcome, DriverError>,
    },
}

/// The looks taken in this turn. `None`: not looked yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Looks<T> {
    /// By the intent's name.
    pub by_name: Option<Sighting<T>>,
    /// By the owner's tags.
    pub by_tags: Option<Sighting<T>>,
}

impl<T> Default for Looks<T> {
    fn default() -> Self {
        Self { by_name: None, by_tags: None }
    }
}

/// The next thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Next<T> {
    /// Search by the intent's name.
    LookByName,
    /// Search by the owner's tags.
    LookByTags,
    /// Make the create call with the recorded intent and request.
    Create {
        /// Token of an operation that goes on.
        resume: Option<String>,
    },
    /// The object is there and ours.
    Confirmed(T),
    /// Remove what an earlier, failed attempt left.
    RemoveRemains(T),
    /// The attempt was accepted and failed for good: record the next one.
    Spent(Problem),
    /// The provider refused for good and nothing was made: clear the intent and tell why.
    Refused(Problem),
    /// Not yet; look again after this long.
    Wait(Duration),
    /// Something stands in the way.
    Blocked(Problem),
}

/// Decides the next step of a creation; `intent` is the name of the recorded intent.
#[must_use]
pub fn next<T: CloudObject + Clone>(
    owner: &Owner,
    intent: &str,
    asked: &Asked,
    looks: &Looks<T>,
    now: Timestamp,
    consistency: Duration,
) -> Next<T> {
    let Some(by_name) = &looks.by_name else { return Next::LookByName };
    match by_name {
        Sighting::One(object) => return judge(owner, intent, asked, object),
        Sighting::Many(handles) => return Next::Blocked(many(handles)),
        Sighting::Unclear(unread) => return Next::Blocked(unclear(unread)),
        Sighting::Absent => {}
    }
    match &looks.by_tags {
        None => Next::LookByTags,
        Some(Sighting::One(object)) => judge(owner, intent, asked, object),
        Some(Sighting::Many(handles)) => Next::Blocked(many(handles)),
        Some(Sighting::Unclear(unread)) => Next::Blocked(unclear(unread)),
        Some(Sighting::Absent) => absent(asked, now, consistency),
    }
}

/// An object that bears the intent's name or the owner's tags.
fn judge<T: CloudObject + Clone>(owner: &Owner, intent: &str, asked: &Asked, object: &T) -> Next<T> {
    match owner_of(object.tags(), owner) {
        Ownership::Foreign => return Next::Blocked(foreign(object.handle())),
        // Providers that tag after creation: the same call completes it.
        Ownership::Untagged => return Next::Create { resume: resume(asked) },
        Ownership::Ours => {}
    }
    match object.life() {
        Life::Usable => Next::Confirmed(object.clone()),
        Life::Broken if object.name() == Some(intent) => Next::Spent(broken(object)),
        Life::Broken => Next::RemoveRemains(object.clone()),
        Life::Leaving => Next::Wait(POLL),
        Life::Making => match resume(asked) {
            Some(resume) => Next::Create { resume: Some(resume) },
            None => Next::Wait(POLL),
        },
        Life::Unclear => {
            let why = object.message().unwrap_or("the provider does not say why");
            let message = format!("`{}` exists but cannot be used now: {why}", object.handle());
            Next::Blocked(Problem::passing(Reason::ProviderUnavailable, message, Retry::BUSY))
        }
    }
}

/// Both looks proved that nothing is there.
fn absent<T>(asked: &Asked, now: Timestamp, consistency: Duration) -> Next<T> {
    let (since, answer) = match asked {
        Asked::No => return Next::Create { resume: None },
        Asked::Perhaps { since } => (since, None),
        Asked::Yes { at, answer } => (at, Some(answer)),
    };
    match answer {
        Some(Err(error)) if error.effect == Effect::Spent => Next::Spent(Problem::of_driver(error, "create")),
        Some(Err(error)) if error.effect == Effect::None => refused(error),
        _ => match remaining(*since, now, consistency) {
            Some(rest) => Next::Wait(rest),
            None => Next::Create { resume: None },
        },
    }
}

/// Certainly nothing was made: repeat, unless only a change of the spec can help.
fn refused<T>(error: &DriverError) -> Next<T> {
    let problem = Problem::of_driver(error, "create");
    if problem.retry == Retry::AwaitChange { Next::Refused(problem) } else { Next::Create { resume: None } }
}

/// What is left of `window` after `since`; none: it has passed.
fn remaining(since: Timestamp, now: Timestamp, window: Duration) -> Option<Duration> {
    let passed = Duration::try_from(now.duration_since(since)).unwrap_or_default();
    window.checked_sub(passed).filter(|rest| !rest.is_zero())
}

fn resume(asked: &Asked) -> Option<String> {
    match asked {
        Asked::Yes { answer: Ok(Outcome { pending: Some(pending), .. }), .. } => Some(pending.resume.clone()),
        _ => None,
    }
}

fn broken<T: CloudObject>(object: &T) -> Problem {
    let why = object.message().unwrap_or("the provider does not say why");
    let message =
        format!("the provider failed to make `{}`: {why}; another attempt follows", object.handle());
    Problem::passing(Reason::CreateFailed, message, Retry::TRANSIENT)
}

fn many(handles: &[String]) -> Problem {
    let message = format!(
        "more than one object in the cloud bears this identity: {}; delete the one that is not wanted, or remove its owner tag",
        handles.join(", ")
    );
    Problem { retry: Retry::PERSON, ..Problem::stalled(Reason::MultipleDisks, message) }
}

fn unclear(unread: &[String]) -> Problem {
    let message =
        format!("could not read everything in the cloud, so nothing is made: {}", unread.join("; "));
    Problem::passing(Reason::ProviderUnavailable, message, Retry::TRANSIENT)
}

fn foreign(handle: &str) -> Problem {
    let message = format!(
        "`{handle}` bears this object's name but another owner's tags; it is left alone. Remove it or its tags, or use another name"
    );
    Problem { retry: Retry::PERSON, ..Problem::stalled(Reason::OwnerMismatch, message) }
}

#[cfg(test)]
mod tests;
