//! Performs the one effect that a decision named, and observes its outcome.

use super::{ACTION, DiskTurn};
use crate::{controllers::disk::storage_class, events::Event, turn::Interruption, writes::Creation};
use k8s_openapi::api::core::v1::PersistentVolume;
use kompox_core::{
    cloud::{
        Problem,
        creation::{Asked, Looks},
        removal::Evidence,
    },
    disk::Act,
    driver::{DiskRequest, Intent, TagChange, Target},
    step::Note,
};
use kompox_crds::{
    names::{field_managers, finalizers, labels},
    v1alpha1::{KompoxDisk, KompoxDiskStatus},
};
use kube::{Api, ResourceExt as _};

/// Performs `act`.
pub(super) async fn perform(turn: &mut DiskTurn<'_>, act: Act) -> Result<(), Interruption> {
    let deleted = matches!(act, Act::DeleteDisk(_));
    match act {
        Act::AddFinalizer => add_finalizer(turn).await?,
        Act::RemoveFinalizer(note) => return remove_finalizer(turn, &note).await,
        Act::WriteStatus(status, note) => write_status(turn, status, note).await?,
        Act::CreateVolume(volume) => return create_volume(turn, &volume).await,
        Act::DeleteVolume { name, uid } => delete_volume(turn, &name, &uid).await?,
        Act::CreateDisk { intent, request, resume } => create_disk(turn, &intent, &request, resume).await?,
        Act::DeleteDisk(target) => delete_disk(turn, &target).await?,
        Act::SetTags(target, change) => set_tags(turn, &target, &change).await?,
    }
    forget_reads(turn, deleted);
    Ok(())
}

/// What was read before an effect is not true any more.
fn forget_reads(turn: &mut DiskTurn<'_>, deleted: bool) {
    let observed = &mut turn.observed;
    observed.now = turn.shell.context.now();
    observed.looks = Looks::default();
    observed.by_handle = None;
    observed.persistent_volume = None;
    let account = observed.evidence.account.take();
    observed.evidence = Evidence { account, looks: vec![], deleted };
}

fn disks(turn: &DiskTurn<'_>) -> Api<KompoxDisk> {
    turn.shell.context.namespaced(&turn.observed.disk.namespace().unwrap_or_default())
}

async fn add_finalizer(turn: &mut DiskTurn<'_>) -> Result<(), Interruption> {
    let (writes, disk) = (&turn.shell.context.writes, &turn.observed.disk);
    let marked = writes.add_finalizer(&disks(turn), disk, finalizers::DISK, field_managers::DISK).await?;
    turn.observed.disk = marked;
    Ok(())
}

async fn remove_finalizer(turn: &mut DiskTurn<'_>, note: &Note) -> Result<(), Interruption> {
    let (writes, disk) = (&turn.shell.context.writes, &turn.observed.disk);
    turn.shell.context.events.publish(disk, Event::normal(note.reason, ACTION, note.message.clone()));
    writes.remove_finalizer(&disks(turn), disk, finalizers::DISK, field_managers::DISK).await?;
    Err(Interruption::Gone)
}

async fn write_status(
    turn: &mut DiskTurn<'_>,
    status: KompoxDiskStatus,
    note: Option<Note>,
) -> Result<(), Interruption> {
    let attempt =
        |status: Option<&KompoxDiskStatus>| status.and_then(|s| s.creation.as_ref()).map(|c| c.attempt);
    let (before, after) = (attempt(turn.observed.disk.status.as_ref()), attempt(Some(&status)));
    let (writes, disk) = (&turn.shell.context.writes, &turn.observed.disk);
    let written = writes.update_status(&disks(turn), disk, status, field_managers::DISK).await?;
    turn.observed.disk = written;
    if let Some(attempt) = after.filter(|_| before != after) {
        turn.shell.memory.intended(&turn.observed.disk.uid().unwrap_or_default(), attempt);
        turn.observed.asked = Asked::No;
    }
    if let Some(note) = note {
        turn.shell
            .context
            .events
            .publish(&turn.observed.disk, Event::normal(note.reason, ACTION, note.message));
    }
    Ok(())
}

/// The volume that was made, or found, is what was observed: the cache may not have it yet.
async fn create_volume(turn: &mut DiskTurn<'_>, volume: &PersistentVolume) -> Result<(), Interruption> {
    storage_class::ensure(turn).await?;
    let uid = turn.observed.disk.uid();
    let ours = |found: &PersistentVolume| found.labels().get(labels::DISK_UID) == uid.as_ref();
    let (writes, api) = (&turn.shell.context.writes, turn.shell.context.all::<PersistentVolume>());
    let made =
        writes.create_or_verify(&api, volume, field_managers::DISK, ours).await.map(Creation::into_object)?;
    turn.observed.persistent_volume = Some(Some(made));
    Ok(())
}

/// First the deletion, then our finalizer: a volume that somebody bound meanwhile stays.
async fn delete_volume(turn: &mut DiskTurn<'_>, name: &str, uid: &str) -> Result<(), Interruption> {
    let (writes, api) = (&turn.shell.context.writes, turn.shell.context.all::<PersistentVolume>());
    let Some(volume) = crate::reads::find(&api, name).await? else { return Ok(()) };
    if volume.uid().as_deref() != Some(uid) {
        return Ok(());
    }
    if volume.metadata.deletion_timestamp.is_none() {
        writes.delete(&api, &volume).await?;
    }
    let Some(volume) = crate::reads::find(&api, name).await? else { return Ok(()) };
    writes.remove_finalizer(&api, &volume, finalizers::VOLUME, field_managers::DISK).await?;
    Ok(())
}

async fn create_disk(
    turn: &mut DiskTurn<'_>,
    intent: &Intent,
    request: &DiskRequest,
    resume: Option<String>,
) -> Result<(), Interruption> {
    let resolved = turn.resolved.clone().map_err(Interruption::Problem)?;
    let answer = resolved.driver.create_disk(&resolved.call, intent, request, resume.as_deref()).await;
    let (uid, generation) =
        (turn.observed.disk.uid().unwrap_or_default(), turn.observed.disk.metadata.generation);
    let at = turn.shell.context.now();
    turn.shell.memory.asked(&uid, generation, at, answer.clone());
    turn.observed.asked_generation = generation;
    turn.observed.asked = Asked::Yes { at, answer: answer.clone() };
    match answer {
        Err(error) if !Problem::is_decisive(&error) => {
            Err(Interruption::Problem(Problem::of_driver(&error, "create the disk")))
        }
        _ => Ok(()),
    }
}

async fn delete_disk(turn: &mut DiskTurn<'_>, target: &Target) -> Result<(), Interruption> {
    let resolved = turn.resolved.clone().map_err(Interruption::Problem)?;
    let outcome = resolved.driver.delete_disk(&resolved.call, target, None).await;
    outcome.map(drop).map_err(|error| Interruption::Problem(Problem::of_driver(&error, "delete the disk")))
}

/// A refusal is remembered, and the decision says what it means.
async fn set_tags(turn: &mut DiskTurn<'_>, target: &Target, change: &TagChange) -> Result<(), Interruption> {
    let resolved = turn.resolved.clone().map_err(Interruption::Problem)?;
    let outcome = resolved.driver.set_disk_tags(&resolved.call, target, change).await;
    let problem = outcome.err().map(|error| Problem::of_driver(&error, "tag the disk"));
    turn.shell.memory.tags(&turn.observed.disk.uid().unwrap_or_default(), problem.clone());
    turn.observed.tags_refused = problem;
    Ok(())
}
