//! The claim of an app on a disk: what is built, and what is checked of one that exists.

use super::{Obstacle, Step, name_of};
use crate::app::validated::{AppIdentity, DiskUse};
use crate::labels;
use k8s_openapi::api::core::v1::{
    PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kompox_crds::names::annotations::EPOCH_PREFIX;
use kompox_crds::names::finalizers;
use kompox_crds::names::labels::{DISK, DISK_UID};
use kompox_crds::{KompoxDisk, Reason};
use std::collections::BTreeMap;

/// Label of a claim with the uid of the app that uses the disk through it.
pub const OWNER_UID: &str = "kompox.dev/owner-uid";

/// `usedBy.kind` of an app.
pub const LOCK_HOLDER_KIND: &str = "KompoxApp";

/// The claim of `app` on the disk, bound to `volume` alone. It has no owner reference: the garbage
/// collector would delete it in the wrong order.
pub(super) fn build(
    app: &AppIdentity,
    disk_use: &DiskUse,
    disk: &KompoxDisk,
    volume: &PersistentVolume,
) -> PersistentVolumeClaim {
    let volume_spec = volume.spec.as_ref();
    let storage = volume_spec
        .and_then(|spec| spec.capacity.as_ref())
        .and_then(|capacity| capacity.get("storage"))
        .map(|size| BTreeMap::from([("storage".to_owned(), size.clone())]));
    let mut object_labels = labels::object_labels(app, None, &crate::app::Inherited::default());
    object_labels.extend([
        (DISK.to_owned(), crate::naming::bounded(&disk_use.disk, crate::naming::MAX_LABEL)),
        (DISK_UID.to_owned(), disk.metadata.uid.clone().unwrap_or_default()),
        (OWNER_UID.to_owned(), app.uid.clone()),
    ]);
    PersistentVolumeClaim {
        metadata: ObjectMeta {
            name: Some(disk_use.claim.clone()),
            namespace: Some(app.namespace.clone()),
            labels: Some(object_labels),
            finalizers: Some(vec![finalizers::CLAIM.to_owned()]),
            ..ObjectMeta::default()
        },
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec![disk_use.access_mode().as_str().to_owned()]),
            resources: Some(VolumeResourceRequirements { requests: storage, limits: None }),
            // An empty name is meant: an absent one would ask for the cluster's default class.
            storage_class_name: Some(class_of(volume).to_owned()),
            volume_mode: Some("Filesystem".to_owned()),
            volume_name: Some(name_of(&volume.metadata).to_owned()),
            ..PersistentVolumeClaimSpec::default()
        }),
        status: None,
    }
}

/// Whether an existing claim is the one that would be built.
pub(super) fn check(
    app: &AppIdentity,
    disk: &KompoxDisk,
    volume_name: &str,
    claim: &PersistentVolumeClaim,
) -> Result<(), Obstacle> {
    let name = name_of(&claim.metadata);
    if label(claim, OWNER_UID) != Some(app.uid.as_str()) {
        let message = format!("PersistentVolumeClaim {name} exists and does not belong to this app");
        return Err(Obstacle::new(Reason::NameCollision, message));
    }
    let wanted = claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).unwrap_or_default();
    if label(claim, DISK_UID) != disk.metadata.uid.as_deref() || wanted != volume_name {
        let message = format!(
            "PersistentVolumeClaim {name} belongs to PersistentVolume {wanted} of a former disk, not to {volume_name}"
        );
        return Err(Obstacle::new(Reason::SwitchNotSupported, message));
    }
    Ok(())
}

/// Whether the claim admits the pods that the app has now.
pub(super) fn has_mode(claim: &PersistentVolumeClaim, disk_use: &DiskUse) -> bool {
    let modes = claim.spec.as_ref().and_then(|spec| spec.access_modes.as_deref()).unwrap_or_default();
    modes == [disk_use.access_mode().as_str()]
}

/// The annotation by which a claim is woken.
pub(super) fn epoch_annotation(disk: &str) -> String {
    format!("{EPOCH_PREFIX}{}", crate::naming::bounded(disk, crate::naming::MAX_LABEL - "epoch.".len()))
}

/// The next step on the way to the claim's end; the caller has seen that nothing uses it.
pub(super) fn remove(claim: &PersistentVolumeClaim) -> Result<Step, Obstacle> {
    let metadata = &claim.metadata;
    if metadata.deletion_timestamp.is_none() {
        return Ok(Step::DeleteClaim);
    }
    let held_by = metadata.finalizers.as_deref().unwrap_or_default();
    if held_by.iter().any(|name| name == finalizers::CLAIM) {
        return Ok(Step::FreeClaim);
    }
    let message = format!(
        "PersistentVolumeClaim {} is being deleted; finalizers: {}",
        name_of(metadata),
        held_by.join(", ")
    );
    Err(Obstacle::new(Reason::WaitingForRelease, message))
}

/// The volume's StorageClass; empty: none.
pub(super) fn class_of(volume: &PersistentVolume) -> &str {
    volume.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref()).unwrap_or_default()
}

pub(super) fn label<'a>(claim: &'a PersistentVolumeClaim, key: &str) -> Option<&'a str> {
    claim.metadata.labels.as_ref()?.get(key).map(String::as_str)
}
