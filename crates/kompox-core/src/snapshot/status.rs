//! The status of a snapshot, from the verdict of a turn.

use super::Observed;
use crate::{
    cloud::{Problem, degraded, progressing},
    conditions::{Conditions, Status, Summary},
};
use kompox_crds::{conditions as types, reasons::Reason, v1alpha1::KompoxSnapshotStatus};

/// What a turn found.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It can be restored from.
    Ready,
    /// The point in time is not fixed yet.
    Creating,
    /// The point in time is fixed; it cannot be restored from yet.
    Uploading,
    /// It is being deleted.
    Deleting,
    /// The user asked for a pause.
    Paused,
    /// Something stands in the way.
    Problem(Problem),
}

impl Verdict {
    /// What stands in the way, if anything does.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }
}

impl From<Problem> for Verdict {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// The status after a turn that began with `base` and ended with `verdict`.
#[must_use]
pub fn status(observed: &Observed, base: &KompoxSnapshotStatus, verdict: &Verdict) -> KompoxSnapshotStatus {
    let mut status = base.clone();
    let generation = observed.snapshot.metadata.generation;
    status.observed_generation = generation;
    let mut conditions = Conditions::new(&base.conditions, observed.now, generation.unwrap_or_default());
    conditions.summary(&summary(verdict));
    match verdict {
        Verdict::Ready | Verdict::Uploading => {
            conditions.set(types::TAKEN, Status::True, Reason::Ready, "the point in time is fixed");
        }
        Verdict::Creating => {
            conditions.set(types::TAKEN, Status::False, Reason::Snapshotting, "the snapshot is being taken");
        }
        _ => {}
    }
    match verdict {
        Verdict::Paused => {
            conditions.set(types::PAUSED, Status::True, Reason::Paused, "`spec.paused` is true")
        }
        _ => conditions.remove(types::PAUSED),
    };
    status.conditions = conditions.finish();
    status
}

fn summary(verdict: &Verdict) -> Summary {
    match verdict {
        Verdict::Ready => Summary::Ready,
        Verdict::Creating => progressing(Reason::Snapshotting, "the snapshot is being taken"),
        Verdict::Uploading => progressing(
            Reason::Snapshotting,
            "the point in time is fixed; the provider is still storing the data",
        ),
        Verdict::Deleting => progressing(Reason::Deleting, "the snapshot is being deleted"),
        Verdict::Paused => progressing(Reason::Paused, "`spec.paused` is true; set it to false to go on"),
        Verdict::Problem(problem) => degraded(problem),
    }
}
