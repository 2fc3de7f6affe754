//! Resolves what a snapshot refers to: its disk, its driver, its credentials. Reads only.

use super::{Shell, SnapshotTurn};
use crate::{
    controllers::Error,
    providers::{Asker, Resolved},
    reads,
};
use kompox_core::{
    cloud::{Problem, Retry, creation::Looks, removal::Evidence},
    snapshot::{Observed, Provider, SourceDisk},
};
use kompox_crds::{
    reasons::Reason,
    v1alpha1::{KompoxDisk, KompoxSnapshot, ProviderSpec, ProviderStatus, disk::lifecycle},
};
use kube::ResourceExt as _;

/// The beginning of a turn.
pub(super) async fn begin<'a>(
    shell: &'a Shell,
    snapshot: &KompoxSnapshot,
) -> Result<SnapshotTurn<'a>, Error> {
    let disk = disk(shell, snapshot).await?;
    let resolved = resolve(shell, snapshot, disk.as_ref()).await?;
    let attempt =
        snapshot.status.as_ref().and_then(|status| status.creation.as_ref()).map(|creation| creation.attempt);
    let now = shell.context.now();
    let remembered = shell.memory.recall(&snapshot.uid().unwrap_or_default(), attempt, now);
    let observed = Observed {
        snapshot: snapshot.clone(),
        now,
        cluster: shell.context.cluster.clone(),
        provider: resolved.as_ref().map(provider).map_err(Clone::clone),
        disk: source(snapshot, disk.as_ref()),
        asked: remembered.asked,
        asked_generation: remembered.generation,
        looks: Looks::default(),
        by_handle: None,
        account: None,
        tags_refused: remembered.tags_refused,
        evidence: Evidence::default(),
        deletion_is_collateral: None,
    };
    Ok(SnapshotTurn { shell, observed, resolved })
}

async fn disk(shell: &Shell, snapshot: &KompoxSnapshot) -> Result<Option<KompoxDisk>, Error> {
    let Some(reference) = &snapshot.spec.disk_ref else { return Ok(None) };
    let api = shell.context.namespaced::<KompoxDisk>(&snapshot.namespace().unwrap_or_default());
    Ok(reads::find(&api, &reference.name).await?)
}

/// `spec.provider` where it is given, else that of the disk. A snapshot may outlive its disk: what was
/// recorded at its creation then has to do.
async fn resolve(
    shell: &Shell,
    snapshot: &KompoxSnapshot,
    disk: Option<&KompoxDisk>,
) -> Result<Result<Resolved, Problem>, Error> {
    let namespace = snapshot.namespace().unwrap_or_default();
    let subject = format!("KompoxSnapshot/{namespace}/{}", snapshot.name_any());
    let own = snapshot.spec.provider.as_ref();
    let spec: Option<&ProviderSpec> = own.or_else(|| disk.map(|disk| &disk.spec.provider));
    let of_disk = |disk: &KompoxDisk| disk.status.as_ref().and_then(|status| status.provider.clone());
    let pinned: Option<ProviderStatus> = snapshot
        .status
        .as_ref()
        .and_then(|status| status.provider.clone())
        .or_else(|| disk.and_then(of_disk));
    let Some(spec) = spec else {
        let message =
            "the KompoxDisk of this snapshot is gone, so its provider is not known; set `spec.provider`";
        return Ok(Err(Problem { retry: Retry::PERSON, ..Problem::stalled(Reason::DiskNotFound, message) }));
    };
    let asker = Asker { namespace: &namespace, subject: &subject, spec, pinned: pinned.as_ref() };
    Ok(shell.providers.resolve(asker).await?)
}

fn provider(resolved: &Resolved) -> Provider {
    Provider { common: resolved.provider.clone(), supported: resolved.driver.has_snapshots() }
}

/// The disk, if a snapshot of it can be taken now.
fn source(snapshot: &KompoxSnapshot, disk: Option<&KompoxDisk>) -> Result<SourceDisk, Problem> {
    let name = snapshot.spec.disk_ref.as_ref().map(|reference| reference.name.clone()).unwrap_or_default();
    let Some(disk) = disk else {
        let message = format!("`spec.diskRef`: there is no KompoxDisk `{name}` in this namespace");
        return Err(Problem { retry: Retry::PERSON, ..Problem::stalled(Reason::DiskNotFound, message) });
    };
    let status = disk.status.clone().unwrap_or_default();
    let usable = status.lifecycle.as_deref() == Some(lifecycle::READY);
    let Some(handle) = status.handle.filter(|handle| usable && !handle.is_empty()) else {
        let message = format!("`spec.diskRef`: KompoxDisk `{name}` is not ready yet");
        return Err(Problem::passing(Reason::WaitingForDisk, message, Retry::BUSY));
    };
    Ok(SourceDisk {
        name,
        uid: disk.uid().unwrap_or_default(),
        handle,
        account_id: status.provider.and_then(|provider| provider.account_id),
        fs_type: status.fs_type,
        zone: status.zone,
    })
}
