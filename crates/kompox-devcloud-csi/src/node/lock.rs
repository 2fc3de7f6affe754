//! One call at a time for each volume, also over a kill of the driver.

use super::error::Error;
use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::Stdio;

const MAX_ID: usize = 128;

/// The right to work on a volume. Every program that is run for it gets the locked file as its standard input and
/// so holds the lock too: a driver that comes back after a kill cannot begin while an `mkfs` of its predecessor
/// still writes.
#[derive(Debug)]
pub(super) struct VolumeLock(File);

impl VolumeLock {
    /// Takes the lock, or fails at once. The empty lock file stays: to remove it would be a race.
    pub(super) fn take(directory: &Path, volume: &str) -> Result<Self, Error> {
        let path = directory.join(file_name(volume).ok_or_else(|| Error::NoVolume { path: volume.into() })?);
        let failed = |source| Error::Lock { path: path.clone(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        let file = File::create(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::Busy),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// The lock for a program. The file is empty: there is nothing to read from it.
    pub(super) fn stdin(&self) -> io::Result<Stdio> {
        self.0.try_clone().map(Stdio::from)
    }
}

/// An id that cannot be a file's name is the id of no volume.
fn file_name(volume: &str) -> Option<&str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (volume.len() <= MAX_ID && volume.bytes().all(allowed)).then_some(volume)
}

#[cfg(test)]
mod tests {
    use super::{Error, VolumeLock};
    use std::process::Command;

    #[test]
    fn a_program_keeps_the_lock_of_a_driver_that_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let take = || VolumeLock::take(directory.path(), "vol-1");
        let lock = take().unwrap();
        assert!(matches!(take(), Err(Error::Busy)));
        assert!(VolumeLock::take(directory.path(), "vol-2").is_ok());
        let mut orphan = Command::new("sleep").arg("600").stdin(lock.stdin().unwrap()).spawn().unwrap();
        drop(lock);
        assert!(matches!(take(), Err(Error::Busy)));
        orphan.kill().unwrap();
        orphan.wait().unwrap();
        assert!(take().is_ok());
    }

    #[test]
    fn an_id_is_never_a_path() {
        let directory = tempfile::tempdir().unwrap();
        for id in ["../x", "a/b", ".", &"x".repeat(129)] {
            assert!(matches!(VolumeLock::take(directory.path(), id), Err(Error::NoVolume { .. })), "{id}");
        }
    }
}
