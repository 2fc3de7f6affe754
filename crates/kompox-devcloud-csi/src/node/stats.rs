//! How full a volume is.

use super::error::Error;
use super::mounts::Mounts;
use crate::proto::csi::{NodeGetVolumeStatsResponse, VolumeUsage, volume_usage::Unit};
use std::path::Path;

/// Bytes and inodes of the file system at a path where a volume is mounted. For a volume that is a directory, those
/// of the file system that it lies on.
pub(super) fn stats(path: &Path) -> Result<NodeGetVolumeStatsResponse, Error> {
    Mounts::read()?.at(path)?.ok_or_else(|| Error::NoVolume { path: path.to_owned() })?;
    let found = rustix::fs::statvfs(path)
        .map_err(|error| Error::Read { path: path.to_owned(), source: error.into() })?;
    let bytes = |blocks: u64| count(blocks.saturating_mul(found.f_frsize));
    let usage = vec![
        VolumeUsage {
            unit: Unit::Bytes.into(),
            total: bytes(found.f_blocks),
            available: bytes(found.f_bavail),
            used: bytes(found.f_blocks.saturating_sub(found.f_bfree)),
        },
        VolumeUsage {
            unit: Unit::Inodes.into(),
            total: count(found.f_files),
            available: count(found.f_favail),
            used: count(found.f_files.saturating_sub(found.f_ffree)),
        },
    ];
    Ok(NodeGetVolumeStatsResponse { usage })
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
