//! The status of a disk, from the verdict of a turn.

use super::{Observed, volume_name};
use crate::{
    cloud::{Problem, degraded, progressing},
    conditions::{Conditions, Status, Summary},
    quantity,
};
use k8s_openapi::{api::core::v1::PersistentVolume, jiff::Timestamp};
use kompox_crds::{
    conditions as types,
    reasons::Reason,
    v1alpha1::{KompoxDiskStatus, disk::lifecycle, options_to_strings},
};

/// What a turn found.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// All is as wanted.
    Ready,
    /// The disk is being made.
    Creating,
    /// The disk is being deleted.
    Deleting,
    /// The disk waits in the trash until then.
    Trashed(Timestamp),
    /// The user asked for a pause.
    Paused,
    /// The disk is gone although nobody deleted its object.
    Lost(Problem),
    /// Something stands in the way.
    Problem(Problem),
}

impl Verdict {
    /// What stands in the way, if anything does.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Lost(problem) | Self::Problem(problem) => Some(problem),
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
pub fn status(observed: &Observed, base: &KompoxDiskStatus, verdict: &Verdict) -> KompoxDiskStatus {
    let mut status = base.clone();
    status.observed_generation = observed.disk.metadata.generation;
    match verdict {
        Verdict::Ready => status.lifecycle = Some(lifecycle::READY.to_owned()),
        Verdict::Lost(_) => status.lifecycle = Some(lifecycle::LOST.to_owned()),
        _ => {}
    }
    let volume = observed.persistent_volume.as_ref();
    status.attached_to = observed.attached_to.iter().cloned().collect();
    if let Some(volume) = volume {
        status.pv_name = volume.as_ref().map(|_| volume_name(observed.uid()));
        status.claim_name = volume.as_ref().and_then(|pv| claim_of(pv, observed));
    }
    let generation = observed.disk.metadata.generation;
    let mut conditions = Conditions::new(&base.conditions, observed.now, generation.unwrap_or_default());
    conditions.summary(&summary(verdict));
    if let Some(volume) = volume {
        bound(&mut conditions, volume.as_ref(), observed);
        attached(&mut conditions, observed);
    }
    if status.handle.is_some() {
        up_to_date(&mut conditions, observed, &status);
        restored(&mut conditions, observed);
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
        Verdict::Creating => progressing(Reason::Creating, "the disk is being made"),
        Verdict::Deleting => progressing(Reason::Deleting, "the disk is being deleted"),
        Verdict::Trashed(until) => progressing(
            Reason::Trashed,
            format!(
                "the disk waits in the trash until {until}; set `spec.trashRetentionSeconds` to 0 to delete it now"
            ),
        ),
        Verdict::Paused => progressing(Reason::Paused, "`spec.paused` is true; set it to false to go on"),
        Verdict::Lost(problem) | Verdict::Problem(problem) => degraded(problem),
    }
}

/// The claim that the volume serves, unless it is parked.
fn claim_of(pv: &PersistentVolume, observed: &Observed) -> Option<String> {
    let claim = pv.spec.as_ref()?.claim_ref.as_ref()?;
    (claim.uid.as_deref() != Some(observed.uid())).then(|| claim.name.clone())?
}

fn bound(conditions: &mut Conditions, volume: Option<&PersistentVolume>, observed: &Observed) {
    let phase = volume.and_then(|pv| pv.status.as_ref()?.phase.as_deref());
    let claim = volume.and_then(|pv| claim_of(pv, observed));
    let (status, reason, message) = match (volume, phase, claim) {
        (None, _, _) => (Status::False, Reason::Provisioning, "there is no PersistentVolume yet".to_owned()),
        (_, Some("Bound"), Some(claim)) => {
            (Status::True, Reason::Ready, format!("bound to PersistentVolumeClaim `{claim}`"))
        }
        (_, _, Some(claim)) => (
            Status::False,
            Reason::WaitingForClaim,
            format!("kept for PersistentVolumeClaim `{claim}`, which is not bound"),
        ),
        (_, _, None) => {
            (Status::False, Reason::NotApplicable, "no claim uses the volume; it is parked".to_owned())
        }
    };
    conditions.set(types::BOUND, status, reason, message);
}

fn attached(conditions: &mut Conditions, observed: &Observed) {
    let nodes: Vec<_> = observed.attached_to.iter().map(|node| format!("`{node}`")).collect();
    if nodes.is_empty() {
        conditions.set(
            types::ATTACHED,
            Status::False,
            Reason::NotApplicable,
            "no node has the disk attached",
        );
        return;
    }
    let message = format!("attached to {}", nodes.join(", "));
    conditions.set(types::ATTACHED, Status::True, Reason::Ready, message);
}

/// Whether size and options are as asked.
fn up_to_date(conditions: &mut Conditions, observed: &Observed, status: &KompoxDiskStatus) {
    let spec = observed.spec();
    let bytes = |size: &Option<_>| size.as_ref().and_then(|size| quantity::bytes(size).ok());
    let small =
        matches!((bytes(&spec.size), bytes(&status.capacity)), (Some(want), Some(have)) if want > have);
    let options = options_to_strings(&spec.options) == options_to_strings(&status.options);
    if !small && options {
        conditions.set(types::UP_TO_DATE, Status::True, Reason::Ready, "size and options are as asked");
        return;
    }
    let what = if small { "`spec.size`" } else { "`spec.options`" };
    let message =
        format!("{what} differs from the disk; changing a disk that exists is not supported by this version");
    conditions.set(types::UP_TO_DATE, Status::False, Reason::NotSupported, message);
}

fn restored(conditions: &mut Conditions, observed: &Observed) {
    let source = observed.spec().source.as_ref();
    if let Some(snapshot) = source.and_then(|source| source.snapshot_ref.as_ref()) {
        let message = format!("made from KompoxSnapshot `{}`", snapshot.name);
        conditions.set(types::RESTORED, Status::True, Reason::Ready, message);
    }
}
