//! Container images for tests and development, made from Debian packages and our own static program, as
//! archives that `ctr -n k8s.io images import` and `docker load` take. No Docker, no registry, no root.
//!
//! The same inputs give the same bytes: entries are sorted, times are zero, owners are fixed, nothing is
//! compressed. The images bear well-known names (`postgres:15`, …) and honour the well-known variables, but
//! they are stand-ins for tests: they are never to be published.

mod archive;
mod build;
mod debian;
mod recipes;
mod tree;

pub use archive::{Config, Image};
pub use build::{Built, Options, Report, build, check};
pub use debian::{Freshness, Package, Pool};
pub use recipes::{RECIPES, Recipe, Sources, packages};
pub use tree::{Owner, Tree};

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why an image could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program of the system is missing.
    #[error(
        "failed to start `{program}`: the images are made from the packages of Debian 12 by its own tools"
    )]
    Start {
        /// Which one.
        program: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A program of the system refused.
    #[error("`{command}` ended with {status}: {stderr}\n{remedy}")]
    Refused {
        /// As one would type it.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it said, shortened.
        stderr: String,
        /// What helps most often.
        remedy: &'static str,
    },
    /// A file cannot be read or written.
    #[error("failed to {action} {}", path.display())]
    File {
        /// `read`, `write`, …
        action: &'static str,
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the cache holds something else than was written there.
    #[error("failed to use {}: {reason}; remove it and run again", path.display())]
    Cache {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A package has no place in the pool, or apt described it in another way than expected.
    #[error("failed to find the package {name}: {reason}")]
    Package {
        /// Its name.
        name: String,
        /// What is missing.
        reason: String,
    },
    /// An entry that an image cannot hold.
    #[error("failed to take `{path}` into an image: {reason}")]
    Entry {
        /// Its path.
        path: String,
        /// Why not.
        reason: String,
    },
    /// An archive cannot be read or written.
    #[error("failed to {action} a tar archive")]
    Tar {
        /// `read` or `write`.
        action: &'static str,
        /// What the library said.
        source: io::Error,
    },
    /// Two builds from the same inputs differ.
    #[error("failed to reproduce {tag}: {} has the digest {found}, a second build {again}", path.display())]
    NotReproducible {
        /// The image.
        tag: String,
        /// Its archive.
        path: PathBuf,
        /// Digest of that file.
        found: String,
        /// Digest of what was made now.
        again: String,
    },
}

impl Error {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

/// The SHA-256 of some bytes, in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&<sha2::Sha256 as sha2::Digest>::digest(bytes))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
