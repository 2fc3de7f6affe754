//! The interface `snapshot`.

use super::{ITEMS, Read, Reader, list_of, pairs};
use crate::bindings::exports::kompox::driver::snapshot as wit;
use kompox_core::driver::{CsiSnapshot, SnapshotInfo, SnapshotPage, SnapshotRequest, SnapshotState};

impl From<&SnapshotRequest> for wit::SnapshotRequest {
    fn from(request: &SnapshotRequest) -> Self {
        Self { disk_handle: request.disk_handle.clone(), options: pairs(&request.options) }
    }
}

impl From<wit::SnapshotState> for SnapshotState {
    fn from(state: wit::SnapshotState) -> Self {
        match state {
            wit::SnapshotState::Creating => Self::Creating,
            wit::SnapshotState::Uploading => Self::Uploading,
            wit::SnapshotState::Ready => Self::Ready,
            wit::SnapshotState::Deleting => Self::Deleting,
            wit::SnapshotState::Failed => Self::Failed,
            wit::SnapshotState::Unavailable => Self::Unavailable,
            wit::SnapshotState::Unknown => Self::Unknown,
        }
    }
}

impl Reader {
    fn csi_snapshot(&self, csi: wit::CsiSnapshot) -> Read<CsiSnapshot> {
        Ok(CsiSnapshot { driver: self.csi_driver(csi.driver)?, handle: self.handle(csi.handle)? })
    }

    fn snapshot_info(&self, snapshot: wit::SnapshotInfo) -> Read<SnapshotInfo> {
        Ok(SnapshotInfo {
            handle: self.handle(snapshot.handle)?,
            name: self.optional("a snapshot's name", snapshot.name)?,
            state: snapshot.state.into(),
            disk_handle: snapshot.disk_handle.map(|handle| self.handle(handle)).transpose()?,
            restore_size_bytes: self.size("a snapshot's size", snapshot.restore_size_bytes)?,
            location: self.optional("a location", snapshot.location)?,
            zones: self.words("a snapshot's zones", snapshot.zones)?,
            taken_at: self.optional("a time", snapshot.taken_at)?,
            expires_at: self.optional("a time", snapshot.expires_at)?,
            csi: snapshot.csi.map(|csi| self.csi_snapshot(csi)).transpose()?,
            tags: self.attributes("a snapshot's tags", snapshot.tags)?,
            message: snapshot.message.map(|message| self.message(&message)),
            attributes: self.attributes("a snapshot's attributes", snapshot.attributes)?,
        })
    }

    pub(crate) fn snapshot_page(&self, page: wit::SnapshotPage) -> Read<SnapshotPage> {
        Ok(SnapshotPage {
            items: list_of("a page", page.items, ITEMS, |snapshot| self.snapshot_info(snapshot))?,
            next: self.token("a page token", page.next)?,
            unread: self.messages("the list of what is unread", page.unread)?,
        })
    }
}
