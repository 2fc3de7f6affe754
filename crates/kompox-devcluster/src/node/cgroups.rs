//! The cgroups of the node's containers: their common parent, and its removal. Both versions.

use sha2::{Digest as _, Sha256};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// A process that has been killed stays in its cgroup for a moment.
const LIMIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

/// The parent of all cgroups of the node of `directory`, within each hierarchy.
pub(super) fn name(directory: &Path) -> String {
    let digest = Sha256::digest(directory.as_os_str().as_encoded_bytes());
    let digits: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("/kompox-dev-{digits}")
}

/// Removes it with all below, in every hierarchy; nothing may run in them any more.
pub(super) async fn remove(name: &str) {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let deadline = Instant::now() + LIMIT;
    for tree in hierarchies(&mounts).iter().map(|mount| mount.join(name.trim_start_matches('/'))) {
        while let Err(error) = remove_tree(&tree) {
            if error.kind() == io::ErrorKind::NotFound {
                break;
            }
            if Instant::now() >= deadline {
                tracing::warn!(cgroup = %tree.display(), %error, "failed to remove a cgroup");
                break;
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// Files of a cgroup go with it; only the directories are removed, from the bottom.
fn remove_tree(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(path)
}

/// Where cgroups are mounted (proc_pid_mountinfo(5): the mount point is the fifth field, the type the
/// first after the separator).
fn hierarchies(mounts: &str) -> Vec<PathBuf> {
    let mount_point = |line: &str| {
        let (fields, kind) = line.split_once(" - ")?;
        let is_cgroup = matches!(kind.split(' ').next(), Some("cgroup" | "cgroup2"));
        fields.split(' ').nth(4).filter(|_| is_cgroup).map(PathBuf::from)
    };
    mounts.lines().filter_map(mount_point).collect()
}

#[cfg(test)]
mod tests {
    use super::{hierarchies, name, remove_tree};
    use std::{fs, path::Path};

    #[test]
    fn both_versions_of_cgroups_are_found() {
        let mounts = "30 23 0:26 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
31 23 0:27 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw
32 23 8:1 / / rw - ext4 /dev/sda1 rw";
        assert_eq!(
            hierarchies(mounts),
            [Path::new("/sys/fs/cgroup/cpu"), Path::new("/sys/fs/cgroup/unified")]
        );
    }

    #[test]
    fn a_tree_goes_from_the_bottom() {
        let root = tempfile::tempdir().unwrap();
        let tree = root.path().join("tree");
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::create_dir_all(tree.join("c")).unwrap();
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
    }

    #[test]
    fn each_directory_has_a_name_of_its_own() {
        assert_ne!(name(Path::new("/a")), name(Path::new("/b")));
        assert_eq!(name(Path::new("/a")).len(), "/kompox-dev-".len() + 12);
    }
}
