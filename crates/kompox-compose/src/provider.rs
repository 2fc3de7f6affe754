//! How the reader gets files: through a trait, so that it works without a file system.

use std::collections::BTreeMap;

/// Gives the content of files that a Compose file names, such as those of `env_file`.
pub trait FileProvider {
    /// The text of a file. `path` is as written in the Compose file, variables replaced: relative to the
    /// project's directory unless it is absolute. Whoever implements this decides which paths are allowed.
    ///
    /// # Errors
    ///
    /// Why there is no text.
    fn read(&self, path: &str) -> Result<String, FileError>;
}

/// Why a file has no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// There is no such file.
    #[error("there is no such file")]
    NotFound,
    /// The file exists and cannot be had: not UTF-8, not allowed, or broken.
    #[error("{0}")]
    Unreadable(String),
}

/// Files by path. A leading `./` of the path asked for is not significant.
impl FileProvider for BTreeMap<String, String> {
    fn read(&self, path: &str) -> Result<String, FileError> {
        let relative = path.trim_start_matches("./");
        self.get(path).or_else(|| self.get(relative)).cloned().ok_or(FileError::NotFound)
    }
}

/// No files at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl FileProvider for NoFiles {
    fn read(&self, _path: &str) -> Result<String, FileError> {
        Err(FileError::NotFound)
    }
}
