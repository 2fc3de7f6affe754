//! The shape of every decision: read one more fact, do one thing, or rest.

use crate::cloud::{Problem, Retry};
use kompox_crds::reasons::Reason;
use std::time::Duration;

/// The next step of a controller. `R`: what it may read, `A`: what it may do, `V`: what it may find.
#[derive(Clone, Debug, PartialEq)]
pub enum Step<R, A, V> {
    /// One more fact is needed; then decide again.
    Read(R),
    /// Do this one thing, then decide again.
    Act(Box<A>),
    /// The turn is over.
    Rest(Box<Rest<V>>),
}

/// The end of a turn: what was found, and when to come back.
#[derive(Clone, Debug, PartialEq)]
pub struct Rest<V> {
    /// What the status will say.
    pub verdict: V,
    /// When to come back, beyond a change of anything watched.
    pub retry: Retry,
}

/// Something worth an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Reason, from the one list.
    pub reason: Reason,
    /// One sentence.
    pub message: String,
}

impl Note {
    /// A note.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// The note of a problem.
    #[must_use]
    pub fn of(problem: &Problem) -> Self {
        Self::new(problem.reason, problem.message.clone())
    }
}

impl<R, A, V> Step<R, A, V> {
    /// Do `act`.
    pub fn act(act: A) -> Self {
        Self::Act(Box::new(act))
    }

    /// Rest with `verdict` until `retry`.
    pub fn rest(verdict: V, retry: Retry) -> Self {
        Self::Rest(Box::new(Rest { verdict, retry }))
    }

    /// Rest with `verdict` for this long.
    pub fn wait(verdict: V, pause: Duration) -> Self {
        Self::rest(verdict, Retry::After(pause))
    }

    /// Rest because of `problem`.
    pub fn blocked(problem: Problem) -> Self
    where
        V: From<Problem>,
    {
        let retry = problem.retry;
        Self::rest(V::from(problem), retry)
    }
}
