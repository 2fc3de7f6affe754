//! How a volume is to be used, read from a request. Pure.
//!
//! Offered is a file system on one node. Raw block volumes and access from several nodes are not.

use crate::proto::csi::{
    VolumeCapability,
    volume_capability::{AccessMode, AccessType, access_mode::Mode},
};
use tonic::Status;

/// A file system that the node can make and grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FsType {
    Ext4,
    Xfs,
}

impl FsType {
    /// As `mount -t` and `blkid` call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Ext4, Self::Xfs].into_iter().find(|known| known.name() == name)
    }
}

/// How a volume is to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// None: the one that is there, ext4 in an empty volume.
    pub(crate) fs_type: Option<FsType>,
    /// For `mount -o`.
    pub(crate) mount_flags: Vec<String>,
    pub(crate) read_only: bool,
    /// At one path of the node only (`ReadWriteOncePod`).
    pub(crate) exclusive: bool,
}

/// The capability of a request, if it is offered.
pub(crate) fn usage(capability: Option<&VolumeCapability>) -> Result<Usage, Status> {
    let capability = capability.ok_or_else(|| Status::invalid_argument("volume_capability is missing"))?;
    let mount = match &capability.access_type {
        Some(AccessType::Mount(mount)) => mount,
        Some(AccessType::Block(_)) => {
            return Err(Status::invalid_argument(
                "raw block volumes are not offered: use volumeMode Filesystem",
            ));
        }
        None => return Err(Status::invalid_argument("volume_capability has no access_type")),
    };
    let fs_type = match mount.fs_type.as_str() {
        "" => None,
        name => Some(FsType::parse(name).ok_or_else(|| {
            Status::invalid_argument(format!("the file system \"{name}\" is not offered, only ext4 and xfs"))
        })?),
    };
    let mode = capability.access_mode.as_ref().map_or(Mode::Unknown, AccessMode::mode);
    let (read_only, exclusive) = match mode {
        Mode::SingleNodeWriter | Mode::SingleNodeMultiWriter => (false, false),
        Mode::SingleNodeSingleWriter => (false, true),
        Mode::SingleNodeReaderOnly => (true, false),
        other => {
            let text = format!(
                "the access mode {} is not offered: a volume is used on one node",
                other.as_str_name()
            );
            return Err(Status::invalid_argument(text));
        }
    };
    Ok(Usage { fs_type, mount_flags: mount.mount_flags.clone(), read_only, exclusive })
}

#[cfg(test)]
mod tests {
    use super::{FsType, usage};
    use crate::proto::csi::{
        VolumeCapability,
        volume_capability::{AccessMode, AccessType, BlockVolume, MountVolume, access_mode::Mode},
    };

    fn capability(mode: Mode, access: AccessType) -> VolumeCapability {
        VolumeCapability { access_mode: Some(AccessMode { mode: mode.into() }), access_type: Some(access) }
    }

    fn mount(fs_type: &str) -> AccessType {
        AccessType::Mount(MountVolume { fs_type: fs_type.into(), ..MountVolume::default() })
    }

    #[test]
    fn one_node_and_a_file_system_are_offered() {
        for (mode, read_only, exclusive) in [
            (Mode::SingleNodeWriter, false, false),
            (Mode::SingleNodeMultiWriter, false, false),
            (Mode::SingleNodeSingleWriter, false, true),
            (Mode::SingleNodeReaderOnly, true, false),
        ] {
            let usage = usage(Some(&capability(mode, mount("xfs")))).unwrap();
            assert_eq!(
                (usage.read_only, usage.exclusive, usage.fs_type),
                (read_only, exclusive, Some(FsType::Xfs))
            );
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for wrong in [
            None,
            Some(VolumeCapability::default()),
            Some(capability(Mode::MultiNodeMultiWriter, mount(""))),
            Some(capability(Mode::Unknown, mount(""))),
            Some(capability(Mode::SingleNodeWriter, mount("ntfs"))),
            Some(capability(Mode::SingleNodeWriter, AccessType::Block(BlockVolume {}))),
        ] {
            assert_eq!(usage(wrong.as_ref()).unwrap_err().code(), tonic::Code::InvalidArgument, "{wrong:?}");
        }
    }
}
