//! The functions of the contract, and what the host makes of each: its name in logs and metrics,
//! whether it may use the network, and what a failure may have left behind.

use kompox_core::driver::Effect;

/// A function that a driver exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Describe,
    Detect,
    ValidateOffline,
    ValidateOnline,
    GetAccount,
    Plan,
    CreateDisk,
    FindDisks,
    SetDiskTags,
    DeleteDisk,
    VolumeFor,
    ModifyDisk,
    CreateSnapshot,
    FindSnapshots,
    SetSnapshotTags,
    DeleteSnapshot,
}

/// What an operation may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No request at all.
    Pure,
    /// Requests that change nothing.
    ReadOnly,
    /// Anything.
    Mutating,
}

impl Operation {
    /// The name in logs and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Describe => "identity.describe",
            Self::Detect => "identity.detect",
            Self::ValidateOffline => "identity.validate-config-offline",
            Self::ValidateOnline => "identity.validate-config",
            Self::GetAccount => "identity.get-account",
            Self::Plan => "disk.plan",
            Self::CreateDisk => "disk.create",
            Self::FindDisks => "disk.find",
            Self::SetDiskTags => "disk.set-tags",
            Self::DeleteDisk => "disk.delete",
            Self::VolumeFor => "disk.volume-for",
            Self::ModifyDisk => "disk-modify.modify",
            Self::CreateSnapshot => "snapshot.create",
            Self::FindSnapshots => "snapshot.find",
            Self::SetSnapshotTags => "snapshot.set-tags",
            Self::DeleteSnapshot => "snapshot.delete",
        }
    }

    /// What it may do.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Describe | Self::Detect | Self::ValidateOffline | Self::Plan | Self::VolumeFor => {
                Kind::Pure
            }
            Self::ValidateOnline | Self::GetAccount | Self::FindDisks | Self::FindSnapshots => Kind::ReadOnly,
            Self::CreateDisk
            | Self::SetDiskTags
            | Self::DeleteDisk
            | Self::ModifyDisk
            | Self::CreateSnapshot
            | Self::SetSnapshotTags
            | Self::DeleteSnapshot => Kind::Mutating,
        }
    }

    /// What a failure in the middle may have left behind, as far as the host can tell.
    pub(crate) fn worst_effect(self) -> Effect {
        match self.kind() {
            Kind::Pure | Kind::ReadOnly => Effect::None,
            Kind::Mutating => Effect::Unknown,
        }
    }
}
