//! The order of things for a disk.

use super::{Act, Observed, Step, Verdict, adopt, create, delete, keep};
use crate::cloud::Retry;

/// The one next step for what was observed.
#[must_use]
pub fn decide(observed: &Observed) -> Step {
    if observed.is_deleting() {
        return delete::decide(observed);
    }
    if observed.spec().paused {
        return Step::rest(Verdict::Paused, Retry::AwaitChange);
    }
    if !observed.has_finalizer() {
        return Step::act(Act::AddFinalizer);
    }
    let provider = match &observed.provider {
        Ok(provider) => provider,
        Err(problem) => return Step::blocked(problem.clone()),
    };
    match (observed.handle(), &observed.spec().source) {
        (Some(handle), _) => keep::decide(observed, handle),
        (None, Some(source)) if source.handle.is_some() => adopt::decide(observed, provider),
        (None, _) => create::decide(observed, provider),
    }
}
