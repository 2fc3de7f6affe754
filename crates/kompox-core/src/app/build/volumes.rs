//! The volumes of a pod and their mounts: the same walk over a service's mounts, twice.

use crate::app::validated::{Mount, MountSource, ValidatedApp, ValidatedService};
use crate::naming::{MAX_LABEL, slug};
use k8s_openapi::api::core::v1::{
    EmptyDirVolumeSource, PersistentVolumeClaimVolumeSource, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use std::collections::BTreeMap;

/// The mounts of the container.
pub(super) fn mounts(service: &ValidatedService) -> Vec<VolumeMount> {
    service.mounts.iter().map(mount).collect()
}

/// The volumes of the pod, sorted by name; each claim once, whatever the number of its mounts.
pub(super) fn volumes(app: &ValidatedApp, service: &ValidatedService) -> Vec<Volume> {
    let volumes: BTreeMap<_, _> =
        service.mounts.iter().map(|mount| (volume_name(mount), volume(app, mount))).collect();
    volumes.into_values().collect()
}

fn mount(mount: &Mount) -> VolumeMount {
    let sub_path = match &mount.source {
        MountSource::Disk { sub_path, .. } => Some(sub_path.clone()),
        MountSource::Claim { sub_path, .. } => sub_path.clone(),
        MountSource::Tmpfs { .. } => None,
    };
    VolumeMount {
        name: volume_name(mount),
        mount_path: mount.target.clone(),
        read_only: mount.read_only.then_some(true),
        sub_path,
        ..VolumeMount::default()
    }
}

/// One name per claim; memory is named after its path.
fn volume_name(mount: &Mount) -> String {
    let (prefix, text) = match &mount.source {
        MountSource::Disk { disk, .. } => ("disk", disk),
        MountSource::Claim { claim, .. } => ("claim", claim),
        MountSource::Tmpfs { .. } => ("tmp", &mount.target),
    };
    format!("{prefix}-{}", slug(text, MAX_LABEL - prefix.len() - 1))
}

fn volume(app: &ValidatedApp, mount: &Mount) -> Volume {
    let name = volume_name(mount);
    match &mount.source {
        MountSource::Disk { disk, .. } => {
            let claim = app.disks.get(disk).map(|disk_use| disk_use.claim.clone()).unwrap_or_default();
            of_claim(name, claim)
        }
        MountSource::Claim { claim, .. } => of_claim(name, claim.clone()),
        MountSource::Tmpfs { size } => memory(name, *size),
    }
}

fn of_claim(name: String, claim_name: String) -> Volume {
    let source = PersistentVolumeClaimVolumeSource { claim_name, read_only: None };
    Volume { name, persistent_volume_claim: Some(source), ..Volume::default() }
}

fn memory(name: String, size: Option<u64>) -> Volume {
    let source = EmptyDirVolumeSource {
        medium: Some("Memory".to_owned()),
        size_limit: size.map(|bytes| Quantity(bytes.to_string())),
        ..EmptyDirVolumeSource::default()
    };
    Volume { name, empty_dir: Some(source), ..Volume::default() }
}
