//! The volumes of a pod and their mounts: the same walk over a service's mounts, twice.

use crate::app::facts::Carrier;
use crate::app::validated::{
    FileSource, Mount, MountSource, ValidatedApp, ValidatedService, ValidatedWorkload,
};
use crate::naming::{MAX_LABEL, slug};
use k8s_openapi::api::core::v1::{
    ConfigMapProjection, ConfigMapVolumeSource, EmptyDirVolumeSource, ImageVolumeSource, KeyToPath,
    NFSVolumeSource, PersistentVolumeClaimVolumeSource, ProjectedVolumeSource, SecretProjection,
    SecretVolumeSource, Volume, VolumeMount, VolumeProjection,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use std::collections::BTreeMap;

/// Permission bits of the files of a supplied directory: scripts among them shall run.
const DIRECTORY_MODE: i32 = 0o555;

/// The mounts of the container.
pub(super) fn mounts(workload: &ValidatedWorkload, service: &ValidatedService) -> Vec<VolumeMount> {
    service.mounts.iter().map(|mount| self::mount(mount, volume_name(workload, service, mount))).collect()
}

/// The mounts that are filled from the image, each at `place` of its index.
pub(super) fn copy_up_mounts(
    workload: &ValidatedWorkload,
    service: &ValidatedService,
    place: impl Fn(usize) -> String,
) -> Vec<VolumeMount> {
    let filled = service.mounts.iter().filter(|mount| mount.copy_up).enumerate();
    filled
        .map(|(index, mount)| VolumeMount {
            mount_path: place(index),
            ..self::mount(mount, volume_name(workload, service, mount))
        })
        .collect()
}

/// The volumes of the pod, sorted by name; each claim once, whatever the number of its mounts.
pub(super) fn volumes(app: &ValidatedApp, workload: &ValidatedWorkload) -> Vec<Volume> {
    let mut volumes = BTreeMap::new();
    for service in &workload.services {
        for mount in &service.mounts {
            let name = volume_name(workload, service, mount);
            volumes.insert(name.clone(), volume(app, mount, name));
        }
    }
    volumes.into_values().collect()
}

/// A mount at the path that the Compose file names.
fn mount(mount: &Mount, name: String) -> VolumeMount {
    let sub_path = match &mount.source {
        MountSource::Disk { sub_path, .. } => Some(sub_path.clone()),
        MountSource::Claim { sub_path, .. }
        | MountSource::Nfs { sub_path, .. }
        | MountSource::Image { sub_path, .. } => sub_path.clone(),
        MountSource::File { source, .. } => Some(source.key.clone()),
        MountSource::Tmpfs { .. } | MountSource::Scratch | MountSource::Files(_) => None,
    };
    VolumeMount {
        name,
        mount_path: mount.target.clone(),
        read_only: mount.read_only.then_some(true),
        sub_path,
        ..VolumeMount::default()
    }
}

/// One name per claim; memory is named after its path, and after its service where others are about.
fn volume_name(workload: &ValidatedWorkload, service: &ValidatedService, mount: &Mount) -> String {
    let own = || match workload.is_shared() {
        true => format!("{}:{}", service.name, mount.target),
        false => mount.target.clone(),
    };
    let (prefix, text) = match &mount.source {
        MountSource::Disk { disk, .. } => ("disk", disk.clone()),
        MountSource::Claim { claim, .. } => ("claim", claim.clone()),
        MountSource::Tmpfs { .. } => ("tmp", own()),
        MountSource::Scratch => ("scratch", own()),
        MountSource::Nfs { server, path, .. } => ("nfs", format!("{server}:{path}")),
        MountSource::Image { reference, .. } => ("image", reference.clone()),
        MountSource::File { source, mode } => {
            ("file", format!("{}/{}:{mode:o}", source.carrier.kind(), source.object))
        }
        MountSource::Files(_) => ("files", own()),
    };
    format!("{prefix}-{}", slug(&text, MAX_LABEL - prefix.len() - 1))
}

fn volume(app: &ValidatedApp, mount: &Mount, name: String) -> Volume {
    match &mount.source {
        MountSource::Disk { disk, .. } => {
            let claim = app.disks.get(disk).map(|disk_use| disk_use.claim.clone()).unwrap_or_default();
            of_claim(name, claim)
        }
        MountSource::Claim { claim, .. } => of_claim(name, claim.clone()),
        MountSource::Tmpfs { size } => memory(name, *size),
        MountSource::Scratch => {
            Volume { name, empty_dir: Some(EmptyDirVolumeSource::default()), ..Volume::default() }
        }
        MountSource::Nfs { server, path, .. } => Volume {
            name,
            nfs: Some(NFSVolumeSource { server: server.clone(), path: path.clone(), read_only: None }),
            ..Volume::default()
        },
        MountSource::Image { reference, .. } => Volume {
            name,
            image: Some(ImageVolumeSource {
                reference: Some(reference.clone()),
                pull_policy: Some("IfNotPresent".to_owned()),
            }),
            ..Volume::default()
        },
        MountSource::File { source, mode } => of_object(name, source, *mode),
        MountSource::Files(files) => projected(name, files),
    }
}

/// All keys of an object; a mount picks one.
fn of_object(name: String, source: &FileSource, mode: i32) -> Volume {
    let (object, default_mode) = (source.object.clone(), Some(mode));
    match source.carrier {
        Carrier::ConfigMap => Volume {
            name,
            config_map: Some(ConfigMapVolumeSource {
                name: object,
                default_mode,
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        },
        Carrier::Secret => Volume {
            name,
            secret: Some(SecretVolumeSource {
                secret_name: Some(object),
                default_mode,
                ..SecretVolumeSource::default()
            }),
            ..Volume::default()
        },
    }
}

/// A directory of keys of several objects.
fn projected(name: String, files: &[(String, FileSource)]) -> Volume {
    let projection = |(path, source): &(String, FileSource)| {
        let item = KeyToPath { key: source.key.clone(), path: path.clone(), ..KeyToPath::default() };
        let items = Some(vec![item]);
        let name = source.object.clone();
        match source.carrier {
            Carrier::ConfigMap => VolumeProjection {
                config_map: Some(ConfigMapProjection { name, items, optional: None }),
                ..VolumeProjection::default()
            },
            Carrier::Secret => VolumeProjection {
                secret: Some(SecretProjection { name, items, optional: None }),
                ..VolumeProjection::default()
            },
        }
    };
    let source = ProjectedVolumeSource {
        default_mode: Some(DIRECTORY_MODE),
        sources: Some(files.iter().map(projection).collect()),
        ..ProjectedVolumeSource::default()
    };
    Volume { name, projected: Some(source), ..Volume::default() }
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
