//! Why a volume does not appear or disappear, and which status that is.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use tonic::Status;

/// Why a step on this node failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("failed to run {program}: install it (Debian: {package})")]
    NoProgram { program: &'static str, package: &'static str },
    #[error("failed to run {program}")]
    Spawn { program: &'static str, source: io::Error },
    #[error("failed: {program} ended with {status}: {output}")]
    Program { program: &'static str, status: ExitStatus, output: String },
    #[error("failed to read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("failed to make {}", path.display())]
    Make { path: PathBuf, source: io::Error },
    #[error("failed to remove {}: it is not ours if it holds anything", path.display())]
    Remove { path: PathBuf, source: io::Error },
    #[error("failed to unmount {}: it is mounted again each time", path.display())]
    StillMounted { path: PathBuf },
    #[error("failed to lock the volume in {}", path.display())]
    Lock { path: PathBuf, source: io::Error },
    #[error("another call works on the volume, or a program that one started: ask again")]
    Busy,
    #[error("failed to find {} as {wanted}: the driver must run on the machine of devcloud", path.display())]
    NotHere { path: PathBuf, wanted: &'static str },
    #[error("failed to use {}: it holds {found}, and a volume that holds anything is never formatted", path.display())]
    Unusable { path: PathBuf, found: String },
    #[error("failed to mount {}: its file system is {found}, {wanted} is asked for", path.display())]
    OtherFsType { path: PathBuf, found: &'static str, wanted: &'static str },
    #[error("failed to mount at {}: something else is mounted there", path.display())]
    Occupied { path: PathBuf },
    #[error("failed to publish: the volume is not staged at {}", path.display())]
    NotStaged { path: PathBuf },
    #[error("failed to publish: the volume is for one path only and is published at {}", other.display())]
    PublishedElsewhere { other: PathBuf },
    #[error("failed to publish at {}: it is published there read-only, or from another volume", path.display())]
    PublishedOtherwise { path: PathBuf },
    #[error("failed to find a volume at {}", path.display())]
    NoVolume { path: PathBuf },
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let text = match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        match error {
            Error::Busy => Self::aborted(text),
            Error::NoVolume { .. } => Self::not_found(text),
            Error::PublishedOtherwise { .. } => Self::already_exists(text),
            Error::NotHere { .. }
            | Error::Unusable { .. }
            | Error::OtherFsType { .. }
            | Error::Occupied { .. }
            | Error::NotStaged { .. }
            | Error::PublishedElsewhere { .. }
            | Error::NoProgram { .. } => Self::failed_precondition(text),
            _ => Self::internal(text),
        }
    }
}
