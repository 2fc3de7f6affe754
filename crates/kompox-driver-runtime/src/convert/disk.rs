//! The interfaces `disk` and `disk-modify`.

use super::{ITEMS, Read, Reader, list_of, pairs};
use crate::bindings::exports::kompox::driver::{disk as wit, disk_modify};
use kompox_core::driver::{
    Attachments, CsiSource, DiskChange, DiskInfo, DiskPage, DiskPlan, DiskRequest, DiskSource, DiskState,
    Volume, VolumeRequest, VolumeSource,
};

impl From<&DiskSource> for wit::Source {
    fn from(source: &DiskSource) -> Self {
        match source {
            DiskSource::Empty => Self::Empty,
            DiskSource::Snapshot(handle) => Self::Snapshot(handle.clone()),
            DiskSource::Disk(handle) => Self::Disk(handle.clone()),
        }
    }
}

impl From<&DiskRequest> for wit::DiskRequest {
    fn from(request: &DiskRequest) -> Self {
        Self {
            size_bytes: request.size_bytes,
            zone: request.zone.clone(),
            source: (&request.source).into(),
            options: pairs(&request.options),
        }
    }
}

impl From<&VolumeRequest> for wit::VolumeRequest {
    fn from(request: &VolumeRequest) -> Self {
        Self {
            handle: request.handle.clone(),
            zone: request.zone.clone(),
            attributes: pairs(&request.attributes),
            fs_type: request.fs_type.clone(),
            block: request.block,
            read_only: request.read_only,
        }
    }
}

impl From<&DiskChange> for disk_modify::DiskChange {
    fn from(change: &DiskChange) -> Self {
        Self { size_bytes: change.size_bytes, options: pairs(&change.options) }
    }
}

impl From<wit::DiskState> for DiskState {
    fn from(state: wit::DiskState) -> Self {
        match state {
            wit::DiskState::Creating => Self::Creating,
            wit::DiskState::Hydrating => Self::Hydrating,
            wit::DiskState::Ready => Self::Ready,
            wit::DiskState::Updating => Self::Updating,
            wit::DiskState::Deleting => Self::Deleting,
            wit::DiskState::Failed => Self::Failed,
            wit::DiskState::Unavailable => Self::Unavailable,
            wit::DiskState::Unknown => Self::Unknown,
        }
    }
}

impl Reader {
    pub(crate) fn disk_plan(&self, plan: wit::DiskPlan) -> Read<DiskPlan> {
        Ok(DiskPlan {
            size_bytes: self.size("a planned size", plan.size_bytes)?,
            zone: self.optional("a zone", plan.zone)?,
            options: self.attributes("the planned options", plan.options)?,
            topology: self.topology(plan.topology)?,
            findings: self.findings(plan.findings)?,
            attributes: self.attributes("the plan's attributes", plan.attributes)?,
        })
    }

    fn source(&self, source: wit::Source) -> Read<DiskSource> {
        Ok(match source {
            wit::Source::Empty => DiskSource::Empty,
            wit::Source::Snapshot(handle) => DiskSource::Snapshot(self.handle(handle)?),
            wit::Source::Disk(handle) => DiskSource::Disk(self.handle(handle)?),
        })
    }

    fn attachments(&self, attachments: wit::Attachments) -> Read<Attachments> {
        Ok(match attachments {
            wit::Attachments::Unknown => Attachments::Unknown,
            wit::Attachments::Detached => Attachments::Detached,
            wit::Attachments::Attached(nodes) => {
                Attachments::Attached(list_of("the list of attachments", nodes, ITEMS, |node| {
                    self.handle(node)
                })?)
            }
        })
    }

    fn disk_info(&self, disk: wit::DiskInfo) -> Read<DiskInfo> {
        Ok(DiskInfo {
            handle: self.handle(disk.handle)?,
            name: self.optional("a disk's name", disk.name)?,
            state: disk.state.into(),
            size_bytes: self.size("a disk's size", disk.size_bytes)?,
            zone: self.optional("a zone", disk.zone)?,
            source: disk.source.map(|source| self.source(source)).transpose()?,
            attachments: self.attachments(disk.attachments)?,
            tags: self.attributes("a disk's tags", disk.tags)?,
            created_at: self.optional("a time", disk.created_at)?,
            features: self.words("a disk's features", disk.features)?,
            message: disk.message.map(|message| self.message(&message)),
            attributes: self.attributes("a disk's attributes", disk.attributes)?,
        })
    }

    pub(crate) fn disk_page(&self, page: wit::DiskPage) -> Read<DiskPage> {
        Ok(DiskPage {
            items: list_of("a page", page.items, ITEMS, |disk| self.disk_info(disk))?,
            next: self.token("a page token", page.next)?,
            unread: self.messages("the list of what is unread", page.unread)?,
        })
    }

    pub(crate) fn volume(&self, volume: wit::Volume) -> Read<Volume> {
        Ok(Volume {
            source: self.volume_source(volume.source)?,
            topology: self.topology(volume.topology)?,
            mount_options: self.words("the mount options", volume.mount_options)?,
            access_modes: self.access_modes(volume.access_modes)?,
        })
    }

    /// Kinds the host does not allow are passed on by name only: their content is never used.
    fn volume_source(&self, source: wit::VolumeSource) -> Read<VolumeSource> {
        Ok(match source {
            // Secrets are not passed on either: nothing in the host allows a driver to name one yet.
            wit::VolumeSource::Csi(csi) if !csi.secrets.is_empty() => {
                VolumeSource::Other("csi with secrets".to_owned())
            }
            wit::VolumeSource::Csi(csi) => VolumeSource::Csi(CsiSource {
                driver: self.csi_driver(csi.driver)?,
                volume_handle: self.handle(csi.volume_handle)?,
                attributes: self.attributes("the volume attributes", csi.attributes)?,
            }),
            wit::VolumeSource::NodeVolume(_) => VolumeSource::Other("node-volume".to_owned()),
            wit::VolumeSource::Other(other) => VolumeSource::Other(self.word("a volume kind", other.kind)?),
        })
    }
}
