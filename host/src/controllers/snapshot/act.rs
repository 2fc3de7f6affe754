//! Performs the one effect that a decision named, and observes its outcome.

use super::{ACTION, SnapshotTurn};
use crate::{events::Event, turn::Interruption};
use kompox_core::{
    cloud::{
        Problem,
        creation::{Asked, Looks},
        removal::Evidence,
    },
    driver::{Intent, SnapshotRequest, TagChange, Target},
    snapshot::Act,
    step::Note,
};
use kompox_crds::{
    names::{field_managers, finalizers},
    v1alpha1::{KompoxSnapshot, KompoxSnapshotStatus},
};
use kube::{Api, ResourceExt as _};

/// Performs `act`.
pub(super) async fn perform(turn: &mut SnapshotTurn<'_>, act: Act) -> Result<(), Interruption> {
    let deleted = matches!(act, Act::DeleteSnapshot(_));
    match act {
        Act::AddFinalizer => add_finalizer(turn).await?,
        Act::RemoveFinalizer(note) => return remove_finalizer(turn, &note).await,
        Act::WriteStatus(status, note) => write_status(turn, status, note).await?,
        Act::CreateSnapshot { intent, request, resume } => create(turn, &intent, &request, resume).await?,
        Act::DeleteSnapshot(target) => delete(turn, &target).await?,
        Act::SetTags(target, change) => set_tags(turn, &target, &change).await?,
    }
    forget_reads(turn, deleted);
    Ok(())
}

/// What was read before an effect is not true any more.
fn forget_reads(turn: &mut SnapshotTurn<'_>, deleted: bool) {
    let observed = &mut turn.observed;
    observed.now = turn.shell.context.now();
    observed.looks = Looks::default();
    observed.by_handle = None;
    let account = observed.evidence.account.take();
    observed.evidence = Evidence { account, looks: vec![], deleted };
}

fn snapshots(turn: &SnapshotTurn<'_>) -> Api<KompoxSnapshot> {
    turn.shell.context.namespaced(&turn.observed.snapshot.namespace().unwrap_or_default())
}

async fn add_finalizer(turn: &mut SnapshotTurn<'_>) -> Result<(), Interruption> {
    let (writes, snapshot) = (&turn.shell.context.writes, &turn.observed.snapshot);
    let api = snapshots(turn);
    let marked = writes.add_finalizer(&api, snapshot, finalizers::SNAPSHOT, field_managers::SNAPSHOT).await?;
    turn.observed.snapshot = marked;
    Ok(())
}

async fn remove_finalizer(turn: &mut SnapshotTurn<'_>, note: &Note) -> Result<(), Interruption> {
    let (writes, snapshot) = (&turn.shell.context.writes, &turn.observed.snapshot);
    turn.shell.context.events.publish(snapshot, Event::normal(note.reason, ACTION, note.message.clone()));
    let api = snapshots(turn);
    writes.remove_finalizer(&api, snapshot, finalizers::SNAPSHOT, field_managers::SNAPSHOT).await?;
    Err(Interruption::Gone)
}

async fn write_status(
    turn: &mut SnapshotTurn<'_>,
    status: KompoxSnapshotStatus,
    note: Option<Note>,
) -> Result<(), Interruption> {
    let attempt =
        |status: Option<&KompoxSnapshotStatus>| status.and_then(|s| s.creation.as_ref()).map(|c| c.attempt);
    let (before, after) = (attempt(turn.observed.snapshot.status.as_ref()), attempt(Some(&status)));
    let (writes, snapshot) = (&turn.shell.context.writes, &turn.observed.snapshot);
    let written = writes.update_status(&snapshots(turn), snapshot, status, field_managers::SNAPSHOT).await?;
    turn.observed.snapshot = written;
    if let Some(attempt) = after.filter(|_| before != after) {
        turn.shell.memory.intended(&turn.observed.snapshot.uid().unwrap_or_default(), attempt);
        turn.observed.asked = Asked::No;
    }
    if let Some(note) = note {
        let event = Event::normal(note.reason, ACTION, note.message);
        turn.shell.context.events.publish(&turn.observed.snapshot, event);
    }
    Ok(())
}

async fn create(
    turn: &mut SnapshotTurn<'_>,
    intent: &Intent,
    request: &SnapshotRequest,
    resume: Option<String>,
) -> Result<(), Interruption> {
    let resolved = turn.resolved.clone().map_err(Interruption::Problem)?;
    let answer = resolved.driver.create_snapshot(&resolved.call, intent, request, resume.as_deref()).await;
    let snapshot = &turn.observed.snapshot;
    let (uid, generation) = (snapshot.uid().unwrap_or_default(), snapshot.metadata.generation);
    let at = turn.shell.context.now();
    turn.shell.memory.asked(&uid, generation, at, answer.clone());
    turn.observed.asked_generation = generation;
    turn.observed.asked = Asked::Yes { at, answer: answer.clone() };
    match answer {
        Err(error) if !Problem::is_decisive(&error) => {
            Err(Interruption::Problem(Problem::of_driver(&error, "take the snapshot")))
        }
        _ => Ok(()),
    }
}

async fn delete(turn: &mut SnapshotTurn<'_>, target: &Target) -> Result<(), Interruption> {
    let resolved = turn.resolved.clone().map_err(Interruption::Problem)?;
    let outcome = resolved.driver.delete_snapshot(&resolved.call, target, None).await;
    outcome
        .map(drop)
        .map_err(|error| Interruption::Problem(Problem::of_driver(&error, "delete the snapshot")))
}

/// A refusal is remembered, and the decision says what it means.
async fn set_tags(
    turn: &mut SnapshotTurn<'_>,
    target: &Target,
    change: &TagChange,
) -> Result<(), Interruption> {
    let resolved = turn.resolved.clone().map_err(Interruption::Problem)?;
    let outcome = resolved.driver.set_snapshot_tags(&resolved.call, target, change).await;
    let problem = outcome.err().map(|error| Problem::of_driver(&error, "tag the snapshot"));
    turn.shell.memory.tags(&turn.observed.snapshot.uid().unwrap_or_default(), problem.clone());
    turn.observed.tags_refused = problem;
    Ok(())
}
