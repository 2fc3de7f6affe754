//! Makes room: of the blobs that nobody keeps, the one that was unused longest goes first.

use crate::digest::Digest;
use std::{collections::BTreeSet, fs, io, os::unix::fs::MetadataExt as _, path::Path, time::SystemTime};

/// Frees what `wanted` more bytes need below `limit`.
pub(super) fn make(folder: &Path, limit: u64, wanted: u64, kept: &BTreeSet<Digest>) -> io::Result<()> {
    let mut files = Vec::new();
    let mut total = 0_u64;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(metadata) = entry.metadata() else { continue };
        total = total.saturating_add(metadata.len());
        let name = format!("sha256:{}", entry.file_name().to_string_lossy());
        if !name.parse().is_ok_and(|digest: Digest| kept.contains(&digest)) {
            files.push((metadata.mtime(), metadata.mtime_nsec(), entry.path(), metadata.len()));
        }
    }
    files.sort_unstable();
    for (_, _, path, size) in files {
        if total.saturating_add(wanted) <= limit {
            break;
        }
        fs::remove_file(&path)?;
        total = total.saturating_sub(size);
    }
    if total.saturating_add(wanted) <= limit {
        return Ok(());
    }
    let message =
        format!("there is no room for {wanted} bytes: {total} of {limit} are in use by loaded drivers");
    Err(io::Error::new(io::ErrorKind::StorageFull, message))
}

/// Marks a file as used now. On a file system that is read-only it keeps its age, which harms nobody.
pub(super) fn touch(path: &Path) {
    if let Ok(file) = fs::File::options().append(true).open(path) {
        let _ = file.set_modified(SystemTime::now());
    }
}
