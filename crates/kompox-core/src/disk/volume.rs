//! The static PersistentVolume of a disk.
//!
//! A volume is never without a `claimRef.uid`: an `Available` one is bound by any fitting claim of any
//! namespace within a fraction of a second, and one whose claim is named without a uid by whoever makes
//! a claim of that name. An unused volume is therefore parked on a claim that cannot exist.

use super::Observed;
use crate::{
    cloud::{Problem, Retry},
    driver::{CsiSource, DiskInfo, TopologyTerm, Volume, VolumeSource},
    quantity,
};
use k8s_openapi::{
    api::{
        core::v1::{
            CSIPersistentVolumeSource, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm,
            ObjectReference, PersistentVolume, PersistentVolumeSpec, VolumeNodeAffinity,
        },
        storage::v1::StorageClass,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kompox_crds::{names, reasons::Reason};

/// Name of the claim on which unused volumes are parked; it never exists.
pub const PARKED_CLAIM: &str = "parked";

/// Name of the PersistentVolume of the disk with this uid.
#[must_use]
pub fn volume_name(disk_uid: &str) -> String {
    format!("kompox-{disk_uid}")
}

/// The reference that parks a volume: a claim in the operator's namespace with the disk's own uid.
#[must_use]
pub fn parked_on(operator_namespace: &str, disk_uid: &str) -> ObjectReference {
    ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("PersistentVolumeClaim".to_owned()),
        namespace: Some(operator_namespace.to_owned()),
        name: Some(PARKED_CLAIM.to_owned()),
        uid: Some(disk_uid.to_owned()),
        ..ObjectReference::default()
    }
}

/// The class of all volumes of a driver: nothing provisions for it, so a stranger's claim stays pending,
/// and expansion is admitted.
#[must_use]
pub fn storage_class(driver: &str) -> StorageClass {
    StorageClass {
        metadata: ObjectMeta {
            name: Some(class_name(driver)),
            labels: Some(
                [(names::labels::MANAGED_BY.to_owned(), names::labels::MANAGED_BY_KOMPOX.to_owned())].into(),
            ),
            ..ObjectMeta::default()
        },
        provisioner: "kubernetes.io/no-provisioner".to_owned(),
        allow_volume_expansion: Some(true),
        reclaim_policy: Some("Retain".to_owned()),
        volume_binding_mode: Some("WaitForFirstConsumer".to_owned()),
        ..StorageClass::default()
    }
}

fn class_name(driver: &str) -> String {
    format!("kompox-{driver}")
}

/// The CSI handle of a volume.
pub(super) fn handle_of(pv: &PersistentVolume) -> Option<&str> {
    Some(pv.spec.as_ref()?.csi.as_ref()?.volume_handle.as_str())
}

/// Whether the cluster says that a claim holds the volume.
pub(super) fn is_bound(pv: &PersistentVolume) -> bool {
    pv.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Bound")
}

/// The CSI volume that the driver describes for a disk. Its handle must be the disk's own, which was confirmed by its
/// owner's tags: a PersistentVolume with another would give the app somebody else's disk.
///
/// # Errors
/// It is another volume, or of a kind that is not allowed.
pub fn volume_source<'a>(handle: &str, described: &'a Volume) -> Result<&'a CsiSource, Problem> {
    let VolumeSource::Csi(csi) = &described.source else {
        let message =
            "the driver describes a volume of a kind that this operator does not allow; use a newer operator";
        return Err(Problem::stalled(Reason::DriverFailed, message));
    };
    if csi.volume_handle != handle {
        let message = format!(
            "the driver describes volume `{}` for the disk `{handle}`; no PersistentVolume was made of it. Report it to the driver's author, or install another version",
            csi.volume_handle
        );
        return Err(Problem { retry: Retry::PERSON, ..Problem::stalled(Reason::VolumeMismatch, message) });
    }
    Ok(csi)
}

/// The PersistentVolume as it is first created: parked, retained, pinned to its zone.
pub(super) fn build(
    observed: &Observed,
    info: &DiskInfo,
    described: &Volume,
    csi: &CsiSource,
) -> Result<PersistentVolume, Problem> {
    let provider = observed.provider.clone()?;
    let source = CSIPersistentVolumeSource {
        driver: csi.driver.clone(),
        volume_handle: csi.volume_handle.clone(),
        fs_type: observed.status().fs_type,
        volume_attributes: (!csi.attributes.is_empty()).then(|| csi.attributes.clone()),
        ..CSIPersistentVolumeSource::default()
    };
    let spec = PersistentVolumeSpec {
        access_modes: Some(vec![access_mode(described)]),
        capacity: Some([("storage".to_owned(), quantity::quantity(info.size_bytes))].into()),
        claim_ref: Some(parked_on(&observed.operator_namespace, observed.uid())),
        csi: Some(source),
        mount_options: (!described.mount_options.is_empty()).then(|| described.mount_options.clone()),
        node_affinity: affinity(&described.topology),
        persistent_volume_reclaim_policy: Some("Retain".to_owned()),
        storage_class_name: Some(class_name(&provider.driver)),
        volume_mode: Some("Filesystem".to_owned()),
        ..PersistentVolumeSpec::default()
    };
    Ok(PersistentVolume { metadata: metadata(observed), spec: Some(spec), status: None })
}

/// The narrowest mode the driver offers; the hand-over sets what the use needs.
fn access_mode(described: &Volume) -> String {
    const NARROW: &str = "ReadWriteOncePod";
    let offered = &described.access_modes;
    if offered.is_empty() || offered.iter().any(|mode| mode == NARROW) {
        return NARROW.to_owned();
    }
    offered.first().cloned().unwrap_or_else(|| NARROW.to_owned())
}

fn metadata(observed: &Observed) -> ObjectMeta {
    let owner = observed.owner();
    let labels = [
        (names::labels::MANAGED_BY, names::labels::MANAGED_BY_KOMPOX.to_owned()),
        (names::labels::DISK_UID, owner.uid.clone()),
    ];
    let annotations = [(names::labels::DISK, format!("{}/{}", owner.namespace, owner.name))];
    ObjectMeta {
        name: Some(volume_name(&owner.uid)),
        labels: Some(labels.map(|(key, value)| (key.to_owned(), value)).into()),
        annotations: Some(annotations.map(|(key, value)| (key.to_owned(), value)).into()),
        finalizers: Some(vec![names::finalizers::VOLUME.to_owned()]),
        ..ObjectMeta::default()
    }
}

fn affinity(topology: &[TopologyTerm]) -> Option<VolumeNodeAffinity> {
    let requirements: Vec<NodeSelectorRequirement> = topology
        .iter()
        .filter(|term| !term.values.is_empty())
        .map(|term| NodeSelectorRequirement {
            key: term.key.clone(),
            operator: "In".to_owned(),
            values: Some(term.values.clone()),
        })
        .collect();
    let term = NodeSelectorTerm { match_expressions: Some(requirements), match_fields: None };
    let some = term.match_expressions.as_ref().is_some_and(|r| !r.is_empty());
    some.then(|| VolumeNodeAffinity { required: Some(NodeSelector { node_selector_terms: vec![term] }) })
}
