//! Where a component comes from: a file, or a reference to a registry.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::failure::Failure;
use crate::registry::{OciReference, Purpose, RegistryArguments};

use super::remote::Remote;

/// What inspect and verify look at.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// A file.
    File(PathBuf),
    /// An artifact in a registry.
    Registry(OciReference),
}

/// A component, and the artifact that it was in.
pub(super) struct Found {
    /// The component, unpacked.
    pub(super) bytes: Vec<u8>,
    /// The artifact; `None` for a file.
    pub(super) remote: Option<Remote>,
}

impl Origin {
    /// Reads or pulls the component.
    ///
    /// # Errors
    /// When it cannot be read, or the registry does not give it.
    pub(super) async fn find(&self, registries: &RegistryArguments) -> Result<Found, Failure> {
        match self {
            Self::File(path) => Ok(Found { bytes: super::component(path)?, remote: None }),
            Self::Registry(reference) => {
                let remote = Remote::resolve(reference, registries, Purpose::Pull).await?;
                Ok(Found { bytes: remote.component().await?, remote: Some(remote) })
            }
        }
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("oci:") { text.parse().map(Self::Registry) } else { Ok(Self::File(text.into())) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Registry(reference) => reference.fmt(f),
        }
    }
}
