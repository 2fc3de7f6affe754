//! Keeping writers away from an image while it is copied: who has it on a loop device, and freezing the file
//! system that is mounted from there (`fsfreeze` of util-linux, which needs root).
//!
//! What is frozen is written down before, so that a service that is killed in between thaws it when it starts
//! again. Nothing here mounts or unmounts.

use super::run;
use crate::id;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether somebody can write while a copy is made.
pub(super) enum Quiet {
    /// No loop device has the image.
    Unused,
    /// It is mounted, and the file system is frozen.
    Frozen(Frozen),
    /// Somebody has it and cannot be stopped; why.
    Busy(String),
}

/// A frozen file system. It is thawed when dropped, too.
pub(super) struct Frozen {
    mount: PathBuf,
    mark: PathBuf,
    thawed: bool,
}

impl Frozen {
    /// Ends the freeze.
    pub(super) fn thaw(mut self) -> io::Result<()> {
        self.thawed = true;
        thaw(&self.mount, &self.mark)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        if !self.thawed
            && let Err(error) = thaw(&self.mount, &self.mark)
        {
            tracing::error!(mount = %self.mount.display(), %error, "failed to thaw a file system: run fsfreeze --unfreeze");
        }
    }
}

fn thaw(mount: &Path, mark: &Path) -> io::Result<()> {
    run(Command::new("fsfreeze").arg("--unfreeze").arg(mount))?;
    fs::remove_file(mark)
}

/// Thaws what a killed service left frozen.
pub(crate) fn thaw_all(marks: &Path) -> io::Result<()> {
    fs::create_dir_all(marks)?;
    for entry in fs::read_dir(marks)? {
        let mark = entry?.path();
        let mount = PathBuf::from(fs::read_to_string(&mark)?);
        // It may have been thawed, or unmounted, since.
        let thawed = run(Command::new("fsfreeze").arg("--unfreeze").arg(&mount));
        tracing::warn!(mount = %mount.display(), ?thawed, "thawed what an earlier run had frozen");
        fs::remove_file(mark)?;
    }
    Ok(())
}

/// Keeps writers away from the image, if that is possible.
pub(super) fn hold(image: &Path, marks: &Path) -> io::Result<Quiet> {
    let devices = loop_devices(image)?;
    let Some((name, numbers)) = devices.first() else { return Ok(Quiet::Unused) };
    if devices.len() > 1 {
        return Ok(Quiet::Busy("the image is on several loop devices".to_owned()));
    }
    let Some(mount) = mount_point(&fs::read_to_string("/proc/self/mountinfo")?, numbers) else {
        return Ok(Quiet::Busy(format!(
            "the image is on {name}, which is not mounted where the service could freeze it"
        )));
    };
    let mark = marks.join(format!("{:016x}", u64::from_le_bytes(id::random()?)));
    fs::write(&mark, mount.to_string_lossy().as_bytes())?;
    match run(Command::new("fsfreeze").arg("--freeze").arg(&mount)) {
        Ok(()) => Ok(Quiet::Frozen(Frozen { mount, mark, thawed: false })),
        Err(error) => {
            fs::remove_file(&mark)?;
            Ok(Quiet::Busy(format!("{} could not be frozen: {error}", mount.display())))
        }
    }
}

/// Whether no loop device has the image.
pub(super) fn is_unused(image: &Path) -> io::Result<bool> {
    Ok(loop_devices(image)?.is_empty())
}

/// Name and device numbers (`7:3`) of the loop devices that have the image.
fn loop_devices(image: &Path) -> io::Result<Vec<(String, String)>> {
    let image = fs::canonicalize(image)?;
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir("/sys/block") else { return Ok(found) };
    for entry in entries {
        let device = entry?.path();
        // Only a loop device that is in use has this file; it may go at any time.
        let Ok(backing) = fs::read_to_string(device.join("loop/backing_file")) else { continue };
        if Path::new(backing.trim_end_matches('\n')) == image {
            let numbers = fs::read_to_string(device.join("dev"))?.trim().to_owned();
            let name = device.file_name().unwrap_or_default().to_string_lossy().into_owned();
            found.push((name, numbers));
        }
    }
    Ok(found)
}

/// Where a device is mounted, after the format of proc_pid_mountinfo(5).
fn mount_point(mountinfo: &str, numbers: &str) -> Option<PathBuf> {
    let mounts = mountinfo.lines().map(|line| line.split(' '));
    let mut points = mounts.filter_map(|mut fields| {
        let device = fields.nth(2)?;
        let point = fields.nth(1)?;
        (device == numbers).then(|| PathBuf::from(unescape(point)))
    });
    points.next()
}

/// Space, tab, line feed and backslash stand as `\040`, `\011`, `\012`, `\134`.
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (code, character)| text.replace(code, character))
}

#[cfg(test)]
mod tests {
    use super::{Quiet, hold, is_unused, mount_point};
    use std::path::Path;

    #[test]
    fn a_mount_is_found_by_its_device() {
        let info = "21 28 0:20 / /sys rw - sysfs sysfs rw\n\
                    90 28 7:3 / /var/lib/kubelet/a\\040b rw,relatime shared:7 - ext4 /dev/loop3 rw\n\
                    91 28 7:3 /sub /other rw - ext4 /dev/loop3 rw\n";
        assert_eq!(mount_point(info, "7:3").as_deref(), Some(Path::new("/var/lib/kubelet/a b")));
        assert_eq!(mount_point(info, "7:4"), None);
        assert_eq!(mount_point("", "7:3"), None);
    }

    #[test]
    fn a_file_on_no_loop_device_is_unused() {
        let directory = tempfile::tempdir().unwrap();
        let image = directory.path().join("disk.img");
        std::fs::write(&image, "x").unwrap();
        assert!(is_unused(&image).unwrap());
        assert!(matches!(hold(&image, directory.path()).unwrap(), Quiet::Unused));
    }
}
