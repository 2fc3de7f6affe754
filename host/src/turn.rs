//! The loop that plays a pure `decide` against the world: read a fact, do one thing, or rest.
//!
//! What is decided is not known here; what is read and done, neither. A turn is bounded: a decision that
//! would go round for ever is a bug, and is reported as one.

use crate::controllers::Error;
use kompox_core::{
    cloud::{Problem, Retry},
    step::{Rest, Step},
};
use kompox_crds::reasons::Reason;
use kube::runtime::controller::Action;
use std::future::Future;

/// Steps of one turn at most.
const STEPS: usize = 64;

/// One object's turn.
pub trait Turn: Send {
    /// What the decision may ask for.
    type Read: Send;
    /// What it may have done.
    type Act: Send;
    /// What it may find.
    type Verdict: From<Problem> + Send;

    /// Decides on what was observed so far.
    fn decide(&self) -> Step<Self::Read, Self::Act, Self::Verdict>;

    /// Reads one fact into what was observed.
    fn read(&mut self, read: Self::Read) -> impl Future<Output = Result<(), Interruption>> + Send;

    /// Does one thing and observes its outcome.
    fn act(&mut self, act: Self::Act) -> impl Future<Output = Result<(), Interruption>> + Send;
}

/// Why a step did not lead to another decision.
#[derive(Debug)]
pub enum Interruption {
    /// For the object's status.
    Problem(Problem),
    /// The API server did not do its part.
    Error(Error),
    /// The object is gone: its finalizer was removed.
    Gone,
}

impl<E: Into<Error>> From<E> for Interruption {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Plays a turn to its rest; `None`: the object is gone.
///
/// # Errors
/// Failed reads and writes of the API server.
pub async fn play<T: Turn>(turn: &mut T) -> Result<Option<Rest<T::Verdict>>, Error> {
    for _ in 0..STEPS {
        let done = match turn.decide() {
            Step::Read(read) => turn.read(read).await,
            Step::Act(act) => turn.act(*act).await,
            Step::Rest(rest) => return Ok(Some(*rest)),
        };
        match done {
            Ok(()) => {}
            Err(Interruption::Gone) => return Ok(None),
            Err(Interruption::Error(error)) => return Err(error),
            Err(Interruption::Problem(problem)) => {
                let retry = problem.retry;
                return Ok(Some(Rest { verdict: T::Verdict::from(problem), retry }));
            }
        }
    }
    let message = format!("the decision did not come to rest within {STEPS} steps");
    Err(Problem::passing(Reason::OperatorError, message, Retry::PERSON).into())
}

/// When to come back after a rest; a problem counts as a failure, so that its pauses grow.
///
/// # Errors
/// [`Error::Problem`] for a problem.
pub fn conclude(problem: Option<&Problem>, retry: Retry) -> Result<Action, Error> {
    if let Some(problem) = problem {
        return Err(Problem { retry, ..problem.clone() }.into());
    }
    Ok(match retry {
        Retry::After(pause) | Retry::Backoff { min: pause, .. } => Action::requeue(pause),
        Retry::AwaitChange => Action::await_change(),
    })
}
