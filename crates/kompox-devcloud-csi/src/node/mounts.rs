//! What is mounted, as the kernel says (proc_pid_mountinfo(5)).

use super::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

const MOUNTINFO: &str = "/proc/self/mountinfo";

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// Major and minor number of the file system's device, such as `7:0`.
    pub(super) device: String,
    /// What of the file system is mounted.
    root: PathBuf,
    pub(super) point: PathBuf,
    pub(super) read_only: bool,
    pub(super) fs_type: String,
    /// The device's file, for file systems that have one.
    pub(super) source: PathBuf,
}

impl Mount {
    /// Whether both show the same directory of the same file system.
    pub(super) fn shows_same_as(&self, other: &Self) -> bool {
        self.device == other.device && self.root == other.root
    }
}

/// All mounts that this process sees.
#[derive(Debug)]
pub(super) struct Mounts(Vec<Mount>);

impl Mounts {
    pub(super) fn read() -> Result<Self, Error> {
        let text = fs::read(MOUNTINFO).map_err(|source| Error::Read { path: MOUNTINFO.into(), source })?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &[u8]) -> Self {
        Self(text.split(|byte| *byte == b'\n').filter_map(parse_line).collect())
    }

    /// What is mounted at a path: the topmost mount. None also where there is no such path.
    pub(super) fn at(&self, path: &Path) -> Result<Option<&Mount>, Error> {
        let path = match fs::canonicalize(path) {
            Ok(path) => path,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Read { path: path.to_owned(), source }),
        };
        Ok(self.0.iter().rev().find(|mount| mount.point == path))
    }

    /// A mount of the same directory as `staged` at neither of these two mount points.
    pub(super) fn elsewhere(&self, staged: &Mount, target: Option<&Mount>) -> Option<&Mount> {
        let known = |mount: &Mount| {
            mount.point == staged.point || target.is_some_and(|target| mount.point == target.point)
        };
        self.0.iter().find(|mount| mount.shows_same_as(staged) && !known(mount))
    }
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime shared:1 - ext3 /dev/root rw`: any number of fields before the dash.
fn parse_line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let device = text(fields.nth(2)?)?;
    let root = unescape(fields.next()?);
    let point = unescape(fields.next()?);
    let read_only = fields.next()?.split(|byte| *byte == b',').any(|option| option == b"ro");
    fields.find(|field| *field == b"-")?;
    let fs_type = text(fields.next()?)?;
    let source = unescape(fields.next()?);
    Some(Mount { device, root, point, read_only, fs_type, source })
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// Space, tab, newline and backslash are written as three octal digits after a backslash.
fn unescape(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let octal = after
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::{Mount, Mounts, parse_line};

    #[test]
    fn a_line_is_read_with_and_without_optional_fields() {
        let want = Mount {
            device: "7:0".into(),
            root: "/a b".into(),
            point: "/x\\y".into(),
            read_only: true,
            fs_type: "ext4".into(),
            source: "/dev/loop0".into(),
        };
        for optional in ["", "shared:1 ", "shared:1 master:2 "] {
            let line = format!("42 27 7:0 /a\\040b /x\\134y ro,relatime {optional}- ext4 /dev/loop0 rw");
            assert_eq!(parse_line(line.as_bytes()).unwrap(), want, "{line}");
        }
        assert_eq!(parse_line(b"42 27 7:0 / /x rw"), None);
    }

    #[test]
    fn the_topmost_mount_counts() {
        let mounts =
            Mounts::parse(b"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 7:0 / / rw - ext4 /dev/loop0 rw\n");
        assert_eq!(mounts.at("/".as_ref()).unwrap().unwrap().device, "7:0");
        assert!(mounts.at("/no/such/path".as_ref()).unwrap().is_none());
    }

    #[test]
    fn other_mounts_of_the_same_directory_are_found() {
        let mounts = Mounts::parse(
            b"1 0 7:0 / /stage rw - ext4 /dev/loop0 rw\n2 0 7:0 / /pod rw - ext4 /dev/loop0 rw\n\
              3 0 7:0 /sub /subpath rw - ext4 /dev/loop0 rw\n4 0 7:1 / /other rw - ext4 /dev/loop1 rw\n",
        );
        let [stage, pod, ..] = mounts.0.as_slice() else { panic!("{mounts:?}") };
        assert_eq!(mounts.elsewhere(stage, None), Some(pod));
        assert_eq!(mounts.elsewhere(stage, Some(pod)), None);
    }
}
