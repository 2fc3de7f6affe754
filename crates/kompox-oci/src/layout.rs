//! Artifacts as files, for places without a registry: an OCI image layout in a directory, or in a tar archive. The
//! same artifacts always make the same bytes.

mod read;
mod write;

use crate::{digest::Digest, image::Image};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Names an artifact in the layout's index (OCI image specification, "annotations").
const REF_NAME: &str = "org.opencontainers.image.ref.name";
const VERSION: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// An artifact in a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is called there: a reference, or the tag of a signature. Referrers have no name.
    pub name: Option<String>,
    /// The artifact.
    pub image: Image,
}

/// Why a layout cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The file or directory.
    #[error("failed to read or write {}", path.display())]
    Files {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is none.
    #[error("{} is no OCI image layout: {message}", path.display())]
    Form {
        /// What was read.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A blob is missing or was changed.
    #[error("{} does not hold {digest} as it was saved; save it again", path.display())]
    Blob {
        /// What was read.
        path: PathBuf,
        /// What is missing.
        digest: Digest,
    },
    /// There is more than is taken.
    #[error("{} holds more than {limit} bytes", path.display())]
    TooLarge {
        /// What was read.
        path: PathBuf,
        /// Most bytes.
        limit: u64,
    },
}

impl Image {
    /// Saves artifacts as a layout: a tar archive where `path` ends in `.tar`, else a directory, which must be
    /// empty or absent.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn save(path: &Path, entries: &[Entry]) -> Result<(), LayoutError> {
        write::save(path, entries).map_err(|source| LayoutError::Files { path: path.to_owned(), source })
    }

    /// Loads the artifacts of a layout, of `limit` bytes together at most; every blob has the digest that names it.
    ///
    /// # Errors
    /// It cannot be read, or is not whole.
    pub fn load(path: &Path, limit: u64) -> Result<Vec<Entry>, LayoutError> {
        read::load(path, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Description;
    use bytes::Bytes;

    fn entries() -> Vec<Entry> {
        let image =
            |bytes: &'static [u8]| Image::of_component(Bytes::from_static(bytes), &Description::default());
        vec![
            Entry { name: Some("ghcr.io/acme/driver:1".to_owned()), image: image(b"one") },
            Entry { name: None, image: image(b"two") },
        ]
    }

    #[test]
    fn what_is_saved_is_loaded_and_always_the_same_bytes() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["layout.tar", "layout"] {
            let path = directory.path().join(name);
            Image::save(&path, &entries()).unwrap();
            assert_eq!(Image::load(&path, 10_000).unwrap(), entries(), "{name}");
            let error = Image::load(&path, 100).unwrap_err();
            assert!(matches!(error, LayoutError::TooLarge { .. }), "{error}");
        }
        let again = directory.path().join("again.tar");
        Image::save(&again, &entries()).unwrap();
        let bytes = |path: &Path| std::fs::read(path).unwrap();
        assert_eq!(bytes(&again), bytes(&directory.path().join("layout.tar")));
    }

    #[test]
    fn a_blob_that_was_changed_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("layout");
        Image::save(&path, &entries()).unwrap();
        let blob = path.join("blobs/sha256").join(Digest::of(b"one").hex());
        std::fs::write(&blob, b"oNe").unwrap();
        assert!(matches!(Image::load(&path, 10_000), Err(LayoutError::Blob { .. })));
        std::fs::remove_file(&blob).unwrap();
        assert!(matches!(Image::load(&path, 10_000), Err(LayoutError::Blob { .. })));
    }

    #[test]
    fn what_is_no_layout_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file.tar");
        std::fs::write(&file, b"no archive").unwrap();
        for path in [directory.path(), &file] {
            let error = Image::load(path, 10_000).unwrap_err();
            assert!(!matches!(error, LayoutError::TooLarge { .. }), "{error}");
        }
        assert!(matches!(Image::load(&directory.path().join("absent"), 1), Err(LayoutError::Files { .. })));
        let full = Image::save(directory.path(), &entries()).unwrap_err();
        assert!(full.to_string().contains("failed to read or write"), "{full}");
    }
}
