//! Running the system's programs for disks: those of util-linux, e2fsprogs and xfsprogs.

use super::error::Error;
use super::lock::VolumeLock;
use std::ffi::OsStr;
use std::io;
use std::process::{ExitStatus, Output};
use tokio::process::Command;

/// Characters of a program's output that an error shows.
const SHOWN: usize = 2000;

/// A program, and the package that it comes with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tool {
    program: &'static str,
    package: &'static str,
}

pub(super) const BLKID: Tool = Tool { program: "blkid", package: "util-linux" };
pub(super) const LOSETUP: Tool = Tool { program: "losetup", package: "mount" };
pub(super) const MOUNT: Tool = Tool { program: "mount", package: "mount" };
pub(super) const UMOUNT: Tool = Tool { program: "umount", package: "mount" };
pub(super) const MKFS_EXT4: Tool = Tool { program: "mkfs.ext4", package: "e2fsprogs" };
pub(super) const E2FSCK: Tool = Tool { program: "e2fsck", package: "e2fsprogs" };
pub(super) const RESIZE2FS: Tool = Tool { program: "resize2fs", package: "e2fsprogs" };
pub(super) const MKFS_XFS: Tool = Tool { program: "mkfs.xfs", package: "xfsprogs" };
pub(super) const XFS_GROWFS: Tool = Tool { program: "xfs_growfs", package: "xfsprogs" };

impl Tool {
    /// Runs the program to its end; any status but zero is an error. A call that is given up leaves the program
    /// running, with the lock.
    pub(super) async fn run<A: AsRef<OsStr>>(
        self,
        arguments: impl IntoIterator<Item = A>,
        lock: &VolumeLock,
    ) -> Result<String, Error> {
        let output = self.output(arguments, lock).await?;
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(self.failed(&output)) }
    }

    /// As [`Tool::run`], whatever the status.
    pub(super) async fn output<A: AsRef<OsStr>>(
        self,
        arguments: impl IntoIterator<Item = A>,
        lock: &VolumeLock,
    ) -> Result<Output, Error> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => Error::NoProgram { program: self.program, package: self.package },
            _ => Error::Spawn { program: self.program, source },
        };
        Command::new(self.program)
            .args(arguments)
            .stdin(lock.stdin().map_err(failed)?)
            // Programs for disks lie where the path of a service does not always lead.
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C")
            .output()
            .await
            .map_err(failed)
    }

    pub(super) fn failed(self, output: &Output) -> Error {
        let status: ExitStatus = output.status;
        let said = format!("{} {}", text(&output.stderr).trim(), text(&output.stdout).trim());
        Error::Program { program: self.program, status, output: said.trim().chars().take(SHOWN).collect() }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
