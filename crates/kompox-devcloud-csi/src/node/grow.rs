//! Growing a file system to the size of its image.

use super::data::image_of;
use super::error::Error;
use super::lock::VolumeLock;
use super::mounts::{Mount, Mounts};
use super::tool::{E2FSCK, LOSETUP, RESIZE2FS, XFS_GROWFS};
use crate::capability::FsType;
use crate::proto::csi::{NodeExpandVolumeRequest, NodeExpandVolumeResponse};
use crate::status::required;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use tonic::Status;

/// Told with every refusal of resize2fs: it is the common one, and its text does not say so.
const NEEDS_CAPABILITY: &str =
    "a mounted ext4 grows only with CAP_SYS_RESOURCE; without it, it grows when the volume is staged next";
/// Largest statuses of e2fsck(8) that leave a file system without errors.
const CORRECTED: i32 = 1;

/// Grows the file system that is mounted at the volume's path.
pub(super) async fn expand(
    request: &NodeExpandVolumeRequest,
    lock: &VolumeLock,
) -> Result<NodeExpandVolumeResponse, Status> {
    let path = Path::new(required("volume_path", &request.volume_path)?);
    let asked = request.capacity_range.map_or(0, |range| range.required_bytes);
    let size = grow_mounted(path, lock).await?;
    Ok(NodeExpandVolumeResponse {
        capacity_bytes: size.map_or(asked, |size| i64::try_from(size).unwrap_or(asked)),
    })
}

/// The new size in bytes; none for a directory, whose size is but a number.
pub(super) async fn grow_mounted(path: &Path, lock: &VolumeLock) -> Result<Option<u64>, Error> {
    let mounts = Mounts::read()?;
    let mount = mounts.at(path)?.ok_or_else(|| Error::NoVolume { path: path.to_owned() })?;
    let Some(image) = image_of(&mount.device) else { return Ok(None) };
    // The device keeps the size that the image had when it was made.
    LOSETUP.run(["--set-capacity".as_ref(), mount.source.as_os_str()], lock).await?;
    grow_device(mount, lock).await?;
    let size = fs::metadata(&image).map_err(|source| Error::Read { path: image, source })?.len();
    Ok(Some(size))
}

async fn grow_device(mount: &Mount, lock: &VolumeLock) -> Result<(), Error> {
    match FsType::parse(&mount.fs_type) {
        Some(FsType::Xfs) => XFS_GROWFS.run([&mount.point], lock).await.map(drop),
        Some(FsType::Ext4) => match RESIZE2FS.run([&mount.source], lock).await {
            Err(Error::Program { program, status, output }) => {
                Err(Error::Program { program, status, output: format!("{output} ({NEEDS_CAPABILITY})") })
            }
            result => result.map(drop),
        },
        None => Err(Error::Unusable { path: mount.point.clone(), found: mount.fs_type.clone() }),
    }
}

/// Grows the file system in an image that is in use nowhere. XFS grows only when it is mounted.
pub(super) async fn grow_unmounted(image: &Path, fs_type: FsType, lock: &VolumeLock) -> Result<(), Error> {
    if fs_type != FsType::Ext4 || !has_room(image)? {
        return Ok(());
    }
    // resize2fs wants this, and it also completes what a power cut left half-written.
    let checked = E2FSCK.output(["-f".as_ref(), "-p".as_ref(), image.as_os_str()], lock).await?;
    if checked.status.code().is_none_or(|code| code > CORRECTED) {
        return Err(E2FSCK.failed(&checked));
    }
    RESIZE2FS.run([image], lock).await.map(drop)
}

/// Whether the image has room for at least one more block than its file system has.
fn has_room(image: &Path) -> Result<bool, Error> {
    let failed = |source| Error::Read { path: image.to_owned(), source };
    let file = File::open(image).map_err(failed)?;
    let mut superblock = [0; 1024];
    file.read_exact_at(&mut superblock, 1024).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    Ok(ext4_size(&superblock).is_some_and(|(size, block)| size.saturating_add(block) <= length))
}

/// Size of an ext4 and of its blocks in bytes, as its superblock says (`ext4_super_block` of the kernel).
fn ext4_size(superblock: &[u8; 1024]) -> Option<(u64, u64)> {
    const BLOCKS_LOW: usize = 0x4;
    const LOG_BLOCK_SIZE: usize = 0x18;
    const INCOMPATIBLE_FEATURES: usize = 0x60;
    const FEATURE_64BIT: u32 = 0x80;
    const BLOCKS_HIGH: usize = 0x150;
    let word = |offset: usize| {
        let bytes = superblock.get(offset..offset + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let high = if word(INCOMPATIBLE_FEATURES)? & FEATURE_64BIT == 0 { 0 } else { word(BLOCKS_HIGH)? };
    let block = 1024_u64.checked_shl(word(LOG_BLOCK_SIZE)?)?;
    let blocks = u64::from(high) << 32 | u64::from(word(BLOCKS_LOW)?);
    Some((blocks.checked_mul(block)?, block))
}

#[cfg(test)]
mod tests {
    use super::{grow_unmounted, has_room};
    use crate::capability::FsType;
    use crate::node::bytes::format;
    use crate::node::lock::VolumeLock;
    use std::fs::File;

    #[tokio::test]
    async fn a_file_system_grows_with_its_image_and_only_then() {
        let directory = tempfile::tempdir().unwrap();
        let lock = VolumeLock::take(directory.path(), "vol-1").unwrap();
        let image = directory.path().join("disk.img");
        let file = File::create(&image).unwrap();
        file.set_len(16 << 20).unwrap();
        format(&image, FsType::Ext4, &lock).await.unwrap();
        assert!(!has_room(&image).unwrap());
        // Past 512 MiB mkfs would have taken larger blocks.
        file.set_len(600 << 20).unwrap();
        assert!(has_room(&image).unwrap());
        grow_unmounted(&image, FsType::Ext4, &lock).await.unwrap();
        assert!(!has_room(&image).unwrap());
    }
}
