//! A unix socket that one process listens on, in the place of one that died.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;

/// The right to listen at a path. Dropping it removes the socket.
#[derive(Debug)]
pub(crate) struct Socket {
    path: PathBuf,
    /// Held until the end; the kernel releases it for a process that is killed.
    _lock: File,
}

impl Socket {
    /// Listens at `path`, for its owner only; makes the directory. What a killed process left there goes away.
    pub(crate) fn listen(path: &Path) -> io::Result<(Self, UnixListener)> {
        let directory = path.parent().ok_or_else(|| io::Error::other("the path has no directory"))?;
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let lock = File::create(path.with_extension("lock"))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::new(io::ErrorKind::AddrInUse, "another driver serves it"),
            TryLockError::Error(error) => error,
        })?;
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        let this = Self { path: path.to_owned(), _lock: lock };
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok((this, listener))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::Socket;
    use std::io;

    #[tokio::test]
    async fn a_socket_has_one_listener_and_outlives_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sub/csi.sock");
        let (socket, listener) = Socket::listen(&path).unwrap();
        assert_eq!(Socket::listen(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert!(tokio::net::UnixStream::connect(&path).await.is_ok());
        drop(listener);
        drop(socket);
        assert!(!path.exists());
        // What a killed process leaves.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(Socket::listen(&path).is_ok());
    }
}
