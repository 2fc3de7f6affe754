//! Tells what a turn found: the status, and an event for a problem.

use super::{ACTION, DiskTurn};
use crate::{controllers::Error, events::Event};
use kompox_core::disk::{self, Verdict};
use kompox_crds::names::field_managers;
use kube::ResourceExt as _;

/// Writes the status if it changed, and an event for a problem.
pub(super) async fn write(turn: &DiskTurn<'_>, verdict: &Verdict) -> Result<(), Error> {
    let (shell, observed) = (turn.shell, &turn.observed);
    if let Some(problem) = verdict.problem() {
        shell
            .context
            .events
            .publish(&observed.disk, Event::warning(problem.reason, ACTION, problem.message.clone()));
    }
    let base = observed.disk.status.clone().unwrap_or_default();
    let status = disk::status(observed, &base, verdict);
    let was_ready = is_ready(&base.conditions);
    let becomes_ready = !was_ready && is_ready(&status.conditions);
    let api = shell.context.namespaced(&observed.disk.namespace().unwrap_or_default());
    let written =
        shell.context.writes.update_status(&api, &observed.disk, status, field_managers::DISK).await?;
    if becomes_ready {
        let event = Event::normal(kompox_crds::Reason::Ready, ACTION, "the disk and its volume are ready");
        shell.context.events.publish(&written, event);
    }
    Ok(())
}

fn is_ready(conditions: &[k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition]) -> bool {
    conditions.iter().any(|c| c.type_ == kompox_crds::conditions::READY && c.status == "True")
}
