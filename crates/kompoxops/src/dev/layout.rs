//! Where the development cluster keeps its files. Paths only, and the folder itself.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The folder of the development cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// `$XDG_STATE_HOME/kompox/dev` or `~/.local/state/kompox/dev`
    /// (<https://specifications.freedesktop.org/basedir-spec/latest/>).
    ///
    /// # Errors
    /// When there is neither that variable nor a home folder.
    pub fn of_user() -> Result<Self, Failure> {
        let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || std::env::home_dir().map(|home| home.join(".local/state"));
        let base = state.or_else(home).ok_or_else(|| {
            Failure::Dev(
                "there is no place for its files: set HOME, or XDG_STATE_HOME to an absolute path".into(),
            )
        })?;
        Ok(Self::in_folder(base.join("kompox/dev")))
    }

    /// A development cluster in this folder.
    pub fn in_folder(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Makes the folders, closed to other users: they will hold credentials.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn create(&self) -> Result<(), Failure> {
        let logs = self.logs();
        DirBuilder::new().recursive(true).mode(0o700).create(&logs).map_err(|error| self.broken(&error))
    }

    /// Removes everything.
    ///
    /// # Errors
    /// When something cannot be removed, or a file system is mounted in there: what is on it is not ours.
    pub fn remove(&self) -> Result<(), Failure> {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        if let Some(mount) = mount_below(&self.root, &mounts) {
            return Err(Failure::Dev(format!("{mount} is mounted; unmount it and try again")));
        }
        match std::fs::remove_dir_all(&self.root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.broken(&error)),
            _ => Ok(()),
        }
    }

    fn broken(&self, error: &io::Error) -> Failure {
        Failure::Dev(format!("failed to use the folder {}: {error}", self.root.display()))
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Folder of the control plane.
    pub fn cluster(&self) -> PathBuf {
        self.root.join("cluster")
    }

    /// What the supervisor says about itself.
    pub fn state_file(&self) -> PathBuf {
        self.root.join("supervisor.json")
    }

    /// Held by the supervisor as long as it lives.
    pub fn lock_file(&self) -> PathBuf {
        self.root.join("supervisor.lock")
    }

    /// Output of the supervisor.
    pub fn supervisor_log(&self) -> PathBuf {
        self.logs().join("supervisor.log")
    }

    /// Output of the operator.
    pub fn operator_log(&self) -> PathBuf {
        self.logs().join("operator.log")
    }

    fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }
}

/// A mount point in the folder (proc_pid_mountinfo(5): the fifth field).
fn mount_below<'a>(root: &Path, mounts: &'a str) -> Option<&'a str> {
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    points.into_iter().find(|point| Path::new(point).starts_with(root))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_mounted_disk_is_found_before_anything_is_removed() {
        let mounts = "30 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 30 7:0 / /dev/x/disk rw - ext4 /dev/loop0 rw\n";
        assert_eq!(mount_below(Path::new("/dev/x"), mounts), Some("/dev/x/disk"));
        assert_eq!(mount_below(Path::new("/dev/x/d"), mounts), None);
    }

    #[test]
    fn the_folder_is_private_and_goes_without_a_trace() {
        let parent = tempfile::tempdir().unwrap();
        let layout = Layout::in_folder(parent.path().join("kompox/dev"));
        layout.create().unwrap();
        layout.create().unwrap();
        let mode = std::fs::metadata(layout.root()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        layout.remove().unwrap();
        layout.remove().unwrap();
        assert!(!layout.root().exists());
    }
}
