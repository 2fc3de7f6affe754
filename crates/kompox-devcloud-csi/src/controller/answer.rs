//! The service's objects as CSI shows them. Pure.

use crate::proto::csi::{
    self, Topology, VolumeContentSource,
    volume_content_source::{self, SnapshotSource, VolumeSource},
};
use crate::{NodeId, ZONE_KEY};
use kompox_devcloud::api::{Snapshot, SnapshotState, Source, Volume};
use tonic::Status;

/// A volume.
pub(super) fn volume(volume: &Volume) -> csi::Volume {
    csi::Volume {
        capacity_bytes: bytes(volume.size_bytes),
        volume_id: volume.id.clone(),
        volume_context: [].into(),
        content_source: volume.source.as_ref().map(source),
        accessible_topology: vec![Topology { segments: [(ZONE_KEY.to_owned(), volume.zone.clone())].into() }],
    }
}

/// The node that has a volume, under the id that it gave itself: it can only be one of the volume's zone.
pub(super) fn published(volume: &Volume) -> Vec<String> {
    let node = volume.attached_to.as_deref().and_then(|name| NodeId::new(&volume.zone, name));
    node.map(|node| node.to_string()).into_iter().collect()
}

/// A snapshot, at the time at which it was taken.
pub(super) fn snapshot(snapshot: &Snapshot) -> Result<csi::Snapshot, Status> {
    let time = snapshot.taken_at.as_ref().unwrap_or(&snapshot.created_at);
    let creation_time = time.parse().map_err(|error| {
        Status::internal(format!("the snapshot {} has no readable time: {error}", snapshot.id))
    })?;
    Ok(csi::Snapshot {
        size_bytes: bytes(snapshot.size_bytes),
        snapshot_id: snapshot.id.clone(),
        source_volume_id: snapshot.volume.clone(),
        creation_time: Some(creation_time),
        ready_to_use: snapshot.state == SnapshotState::Ready,
        ..csi::Snapshot::default()
    })
}

/// CSI counts in signed bytes; no size comes near the end of those.
pub(super) fn bytes(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn source(source: &Source) -> VolumeContentSource {
    let kind = match source.clone() {
        Source::Snapshot(snapshot_id) => {
            volume_content_source::Type::Snapshot(SnapshotSource { snapshot_id })
        }
        Source::Volume(volume_id) => volume_content_source::Type::Volume(VolumeSource { volume_id }),
    };
    VolumeContentSource { r#type: Some(kind) }
}
