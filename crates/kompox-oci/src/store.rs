//! What was pulled, kept on disk by its digest, so that an operator starts without a registry.
//!
//! ```text
//! DIR/blobs/sha256/<hex>       manifests, configs, layers, signatures, components
//! DIR/references/<hex>.json    what a reference stood for, and when
//! ```
//!
//! Nothing that is read is believed: a blob that does not have its digest is removed and counts as absent. The
//! directory is private (0700), files appear whole or not at all, and what was unused longest goes first when there
//! is too much.

mod room;

use crate::{digest::Digest, reference::Reference};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Most bytes of a record.
const RECORD_LIMIT: u64 = 64 << 10;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the store {}: {source}", path.display())]
pub struct StoreError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// What a reference stood for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resolution {
    /// The reference.
    pub reference: String,
    /// The manifest it named.
    pub digest: Digest,
    /// When, in seconds since 1970.
    pub resolved_at: u64,
    /// The manifests that hold its signatures.
    #[serde(default)]
    pub signatures: Vec<Digest>,
}

pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A store in a directory. Cheap to clone; several processes may use one.
#[derive(Clone, Debug)]
pub struct Store {
    directory: PathBuf,
    limit: u64,
    /// Blobs that stay, whatever room is needed.
    kept: Arc<Mutex<BTreeSet<Digest>>>,
}

impl Store {
    /// Opens or makes the store; it keeps `limit` bytes of blobs at most.
    ///
    /// # Errors
    /// The directory cannot be made, or others may write to it.
    pub fn open(directory: &Path, limit: u64) -> Result<Self, StoreError> {
        let failed = |source| StoreError { path: directory.to_owned(), source };
        for path in [directory.to_owned(), directory.join("blobs/sha256"), directory.join("references")] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(failed)?;
        }
        let mode = fs::metadata(directory).map_err(failed)?.permissions().mode();
        if mode & 0o022 != 0 {
            let message = format!("others may write to it (mode {:03o}); `chmod 700` it", mode & 0o777);
            return Err(failed(io::Error::new(io::ErrorKind::PermissionDenied, message)));
        }
        Ok(Self { directory: directory.to_owned(), limit, kept: Arc::default() })
    }

    /// The blob, if it is here and whole.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn blob(&self, digest: &Digest) -> Result<Option<Bytes>, StoreError> {
        let path = self.path(digest);
        let Some(bytes) = self.read(&path, self.limit)? else { return Ok(None) };
        if Digest::of(&bytes) != *digest {
            tracing::warn!(path = %path.display(), "a stored blob is not what its name says; it is removed");
            return self.at(&path, fs::remove_file(&path)).map(|()| None);
        }
        room::touch(&path);
        Ok(Some(bytes.into()))
    }

    /// Keeps a blob, and makes room for it.
    ///
    /// # Errors
    /// It cannot be written, or is larger than the whole store.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        let path = self.path(&digest);
        if path.is_file() {
            room::touch(&path);
            return Ok(digest);
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let folder = self.directory.join("blobs/sha256");
        self.at(&folder, room::make(&folder, self.limit, bytes.len() as u64, &kept))?;
        self.write(&path, bytes)?;
        Ok(digest)
    }

    /// These blobs stay, in place of those that were named before.
    pub fn keep(&self, digests: BTreeSet<Digest>) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = digests;
    }

    /// What a reference stood for when it was looked up last. A record that cannot be read counts as none.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn resolution(&self, reference: &Reference) -> Result<Option<Resolution>, StoreError> {
        let Some(json) = self.read(&self.record(reference), RECORD_LIMIT)? else { return Ok(None) };
        let record: Option<Resolution> = serde_json::from_slice(&json).ok();
        Ok(record.filter(|record| record.reference == reference.to_string()))
    }

    /// Records what a reference stands for.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn set_resolution(&self, reference: &Reference, resolution: &Resolution) -> Result<(), StoreError> {
        let path = self.record(reference);
        let json = self.at(&path, serde_json::to_vec(resolution).map_err(io::Error::other))?;
        self.write(&path, &json)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.directory.join("blobs/sha256").join(digest.hex())
    }

    fn record(&self, reference: &Reference) -> PathBuf {
        let name = Digest::of(reference.to_string().as_bytes());
        self.directory.join("references").join(format!("{}.json", name.hex()))
    }

    fn read(&self, path: &Path, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let mut bytes = Vec::new();
        match fs::File::open(path) {
            Ok(file) => {
                self.at(path, file.take(limit.saturating_add(1)).read_to_end(&mut bytes))?;
                Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= limit))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => self.at(path, Err(error)),
        }
    }

    /// A rename is atomic: nobody ever sees half a file under its name.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let folder = path.parent().unwrap_or(&self.directory);
        let written = || {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(path).map(drop).map_err(|error| error.error)
        };
        self.at(path, written())
    }

    fn at<T>(&self, path: &Path, result: io::Result<T>) -> Result<T, StoreError> {
        result.map_err(|source| StoreError { path: path.to_owned(), source })
    }
}

#[cfg(test)]
mod tests;
