//! Tells what a turn found: the status, and an event for a problem.

use super::{ACTION, SnapshotTurn};
use crate::{controllers::Error, events::Event};
use kompox_core::snapshot::{self, Verdict};
use kompox_crds::names::field_managers;
use kube::ResourceExt as _;

/// Writes the status if it changed, and an event for a problem.
pub(super) async fn write(turn: &SnapshotTurn<'_>, verdict: &Verdict) -> Result<(), Error> {
    let (context, observed) = (&turn.shell.context, &turn.observed);
    if let Some(problem) = verdict.problem() {
        let event = Event::warning(problem.reason, ACTION, problem.message.clone());
        context.events.publish(&observed.snapshot, event);
    }
    let base = observed.snapshot.status.clone().unwrap_or_default();
    let status = snapshot::status(observed, &base, verdict);
    let api = context.namespaced(&observed.snapshot.namespace().unwrap_or_default());
    context.writes.update_status(&api, &observed.snapshot, status, field_managers::SNAPSHOT).await?;
    Ok(())
}
