//! What an image holds, and making a file system in one that holds nothing.

use super::error::Error;
use super::lock::VolumeLock;
use super::tool::{BLKID, MKFS_EXT4, MKFS_XFS};
use crate::capability::FsType;
use rustix::fs::{SeekFrom, XattrFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// On an image while a file system is being made in it. An image that still has it and holds no file system was
/// left by an `mkfs` that was killed: what is written there is ours. Where files cannot have attributes, such an
/// image is refused like any other that holds something.
const BEING_FORMATTED: &str = "user.kompox.being-formatted";
/// Status of blkid(8) when nothing is known about the bytes.
const NOTHING_FOUND: i32 = 2;
const CHUNK: usize = 1 << 20;

/// What an image holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Not one byte that is not zero, or what a killed `mkfs` of ours left.
    Nothing,
    /// A file system that can be mounted.
    FileSystem(FsType),
    /// Anything else.
    Other(String),
}

/// Looks into an image. Nothing is found only if blkid knows no signature in it and all its bytes are zero.
pub(super) async fn content(image: &Path, lock: &VolumeLock) -> Result<Content, Error> {
    let arguments = ["--probe".as_ref(), "--output".as_ref(), "export".as_ref(), image.as_os_str()];
    let output = BLKID.output(arguments, lock).await?;
    match output.status.code() {
        Some(0) => Ok(of_signature(&String::from_utf8_lossy(&output.stdout))),
        Some(NOTHING_FOUND) => of_unknown_bytes(image).await,
        _ => Err(BLKID.failed(&output)),
    }
}

/// Makes a file system in an image for which [`content`] has found nothing.
pub(super) async fn format(image: &Path, fs_type: FsType, lock: &VolumeLock) -> Result<(), Error> {
    mark(image)?;
    let quiet = "-q".as_ref();
    match fs_type {
        // No blocks are held back for root: the volume is for one application.
        FsType::Ext4 => {
            MKFS_EXT4
                .run([quiet, "-F".as_ref(), "-m".as_ref(), "0".as_ref(), image.as_os_str()], lock)
                .await?
        }
        FsType::Xfs => MKFS_XFS.run([quiet, image.as_os_str()], lock).await?,
    };
    unmark(image)
}

fn of_signature(export: &str) -> Content {
    let value = |key: &str| export.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    match (value("TYPE"), value("PTTYPE")) {
        (Some(name), _) => {
            FsType::parse(name).map_or_else(|| Content::Other(name.to_owned()), Content::FileSystem)
        }
        (None, Some(table)) => Content::Other(format!("a partition table ({table})")),
        (None, None) => Content::Other("something that blkid knows".to_owned()),
    }
}

async fn of_unknown_bytes(image: &Path) -> Result<Content, Error> {
    if is_marked(image)? {
        return Ok(Content::Nothing);
    }
    let (path, failed) = (image.to_owned(), |source| Error::Read { path: image.to_owned(), source });
    let looked = tokio::task::spawn_blocking(move || first_byte(&File::open(path)?)).await;
    Ok(match looked.map_err(io::Error::other).and_then(|found| found).map_err(failed)? {
        None => Content::Nothing,
        Some(offset) => Content::Other(format!("unknown bytes, the first at {offset}")),
    })
}

/// Where the first byte is that is not zero. Holes are not read: an empty image of any size takes no time.
fn first_byte(file: &File) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; CHUNK];
    let mut offset = 0;
    loop {
        offset = match rustix::fs::seek(file, SeekFrom::Data(offset)) {
            Ok(offset) => offset,
            // No data after this.
            Err(Errno::NXIO) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let count = file.read_at(&mut buffer, offset)?;
        let read = buffer.get(..count).unwrap_or_default();
        if let Some(index) = read.iter().position(|byte| *byte != 0) {
            return Ok(Some(offset + index as u64));
        }
        if count == 0 {
            return Ok(None);
        }
        offset += count as u64;
    }
}

fn mark(image: &Path) -> Result<(), Error> {
    match rustix::fs::setxattr(image, BEING_FORMATTED, b"1", XattrFlags::empty()) {
        Ok(()) | Err(Errno::NOTSUP) => Ok(()),
        Err(error) => Err(Error::Make { path: image.to_owned(), source: error.into() }),
    }
}

fn unmark(image: &Path) -> Result<(), Error> {
    match rustix::fs::removexattr(image, BEING_FORMATTED) {
        Ok(()) | Err(Errno::NOTSUP | Errno::NODATA) => Ok(()),
        Err(error) => Err(Error::Make { path: image.to_owned(), source: error.into() }),
    }
}

fn is_marked(image: &Path) -> Result<bool, Error> {
    let mut value = [0_u8; 1];
    match rustix::fs::getxattr(image, BEING_FORMATTED, &mut value) {
        Ok(_) => Ok(true),
        Err(Errno::NOTSUP | Errno::NODATA) => Ok(false),
        Err(error) => Err(Error::Read { path: image.to_owned(), source: error.into() }),
    }
}

#[cfg(test)]
mod tests;
