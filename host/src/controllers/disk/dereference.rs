//! Resolves what a disk refers to: its driver, its credentials, its source. Reads only.

use super::{DiskTurn, Shell};
use crate::{controllers::Error, providers::Asker, reads};
use k8s_openapi::api::{core::v1::PersistentVolume, storage::v1::VolumeAttachment};
use kompox_core::{
    cloud::{Problem, Retry, creation::Looks, removal::Evidence},
    disk::{Observed, Source, volume_name},
    quantity,
};
use kompox_crds::{
    conditions,
    reasons::Reason,
    v1alpha1::{KompoxDisk, KompoxSnapshot, disk::DiskSource},
};
use kube::ResourceExt as _;
use std::collections::BTreeSet;

/// The beginning of a turn.
pub(super) async fn begin<'a>(shell: &'a Shell, disk: &KompoxDisk) -> Result<DiskTurn<'a>, Error> {
    let namespace = disk.namespace().unwrap_or_default();
    let subject = format!("KompoxDisk/{namespace}/{}", disk.name_any());
    let status = disk.status.as_ref();
    let started = status.is_some_and(|s| s.creation.is_some() || s.handle.is_some());
    let asker = Asker {
        namespace: &namespace,
        subject: &subject,
        spec: &disk.spec.provider,
        pinned: status.filter(|_| started).and_then(|status| status.provider.as_ref()),
    };
    let resolved = shell.providers.resolve(asker).await?;
    let attempt = status.and_then(|status| status.creation.as_ref()).map(|creation| creation.attempt);
    let now = shell.context.now();
    let remembered = shell.memory.recall(&disk.uid().unwrap_or_default(), attempt, now);
    let observed = Observed {
        disk: disk.clone(),
        now,
        cluster: shell.context.cluster.clone(),
        operator_namespace: shell.context.operator_namespace.clone(),
        provider: resolved.as_ref().map(|resolved| resolved.provider.clone()).map_err(Clone::clone),
        source: source(shell, disk).await?,
        asked: remembered.asked,
        asked_generation: remembered.generation,
        rival: None,
        tags_refused: remembered.tags_refused,
        looks: Looks::default(),
        by_handle: None,
        account: None,
        plan: None,
        volume: None,
        holder: None,
        persistent_volume: None,
        attached_to: attached_to(shell, disk),
        evidence: Evidence::default(),
        surroundings: None,
    };
    Ok(DiskTurn { shell, observed, resolved })
}

/// Nodes that have the disk's volume attached, as the cache knows them: for the status only, nothing is
/// decided by it.
fn attached_to(shell: &Shell, disk: &KompoxDisk) -> BTreeSet<String> {
    let volume = volume_name(&disk.uid().unwrap_or_default());
    let of_volume = shell.attachments.state_filter(|attachment: &VolumeAttachment| {
        let attached = attachment.status.as_ref().is_some_and(|status| status.attached);
        attached && attachment.spec.source.persistent_volume_name.as_deref() == Some(&*volume)
    });
    of_volume.iter().map(|attachment| attachment.spec.node_name.clone()).collect()
}

/// What `spec.source` refers to. A disk that exists does not need it any more.
async fn source(shell: &Shell, disk: &KompoxDisk) -> Result<Result<Source, Problem>, Error> {
    let made = disk.status.as_ref().is_some_and(|status| status.handle.is_some());
    let Some(wanted) = disk.spec.source.as_ref().filter(|_| !made) else { return Ok(Ok(Source::Empty)) };
    let namespace = disk.namespace().unwrap_or_default();
    match wanted {
        DiskSource { snapshot_ref: Some(reference), .. } => {
            let api = shell.context.namespaced::<KompoxSnapshot>(&namespace);
            let found = reads::find(&api, &reference.name).await?;
            Ok(found.map_or_else(
                || Err(missing("snapshotRef", "KompoxSnapshot", &reference.name)),
                |s| snapshot(&s),
            ))
        }
        DiskSource { disk_ref: Some(reference), .. } => {
            let api = shell.context.namespaced::<KompoxDisk>(&namespace);
            let found = reads::find(&api, &reference.name).await?;
            Ok(found.map_or_else(|| Err(missing("diskRef", "KompoxDisk", &reference.name)), |d| clone_of(&d)))
        }
        DiskSource { handle: Some(handle), .. } => Ok(Ok(Source::Handle(handle.clone()))),
        // Refused where the request is built, with its field named.
        DiskSource { .. } => Ok(Ok(Source::Empty)),
    }
}

/// A restore never falls back to an empty disk: only a snapshot that is ready will do.
fn snapshot(snapshot: &KompoxSnapshot) -> Result<Source, Problem> {
    let status = snapshot.status.clone().unwrap_or_default();
    let ready = status.conditions.iter().any(|c| c.type_ == conditions::READY && c.status == "True");
    let Some(handle) = status.snapshot_handle.filter(|handle| ready && !handle.is_empty()) else {
        return Err(not_ready(
            Reason::WaitingForSnapshot,
            "snapshotRef",
            "KompoxSnapshot",
            &snapshot.name_any(),
        ));
    };
    let restore_size = status.restore_size.as_ref().and_then(|size| quantity::bytes(size).ok()).unwrap_or(0);
    Ok(Source::Snapshot { handle, restore_size, fs_type: status.fs_type })
}

fn clone_of(disk: &KompoxDisk) -> Result<Source, Problem> {
    let status = disk.status.clone().unwrap_or_default();
    let Some(handle) = status.handle.filter(|handle| !handle.is_empty()) else {
        return Err(not_ready(Reason::WaitingForDisk, "diskRef", "KompoxDisk", &disk.name_any()));
    };
    let size = status.capacity.as_ref().and_then(|size| quantity::bytes(size).ok()).unwrap_or(0);
    Ok(Source::Disk { handle, size, fs_type: status.fs_type })
}

fn missing(field: &str, kind: &str, name: &str) -> Problem {
    let message = format!("`spec.source.{field}`: there is no {kind} `{name}` in this namespace");
    Problem { retry: Retry::PERSON, ..Problem::stalled(Reason::SourceNotFound, message) }
}

fn not_ready(reason: Reason, field: &str, kind: &str, name: &str) -> Problem {
    let message = format!("`spec.source.{field}`: {kind} `{name}` is not ready yet");
    Problem::passing(reason, message, Retry::BUSY)
}

/// Another PersistentVolume of ours with this CSI volume.
pub(super) fn holder(shell: &Shell, disk: &KompoxDisk, driver: &str, handle: &str) -> Option<String> {
    let own = volume_name(&disk.uid().unwrap_or_default());
    let stands = |volume: &PersistentVolume| {
        let csi = volume.spec.as_ref().and_then(|spec| spec.csi.as_ref());
        csi.is_some_and(|csi| csi.driver == driver && csi.volume_handle == handle) && volume.name_any() != own
    };
    shell.volumes.find(stands).map(|volume| volume.name_any())
}

/// Another disk that has the handle, or asked for it before. The elder one wins.
pub(super) fn rival(shell: &Shell, disk: &KompoxDisk, wanted: &str) -> Option<String> {
    let wanted = Some(wanted);
    let age = |disk: &KompoxDisk| (disk.creation_timestamp().map(|time| time.0), disk.uid());
    let claims = |other: &KompoxDisk| {
        let has = other.status.as_ref().and_then(|status| status.handle.as_deref()) == wanted;
        let asks = other.spec.source.as_ref().and_then(|source| source.handle.as_deref()) == wanted;
        other.uid() != disk.uid() && (has || (asks && age(other) < age(disk)))
    };
    let rival = shell.disks.find(claims)?;
    Some(format!("{}/{}", rival.namespace().unwrap_or_default(), rival.name_any()))
}
