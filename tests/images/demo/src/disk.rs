//! Files on volumes: notes that survive the process, what a file looks like, and a disk that runs full. Blocking.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

/// Most bytes of a file that are shown.
const LARGEST: u64 = 1 << 20;
/// What a disk is filled with at a time.
const BLOCK: usize = 1 << 16;

/// A file or directory as it lies there.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Shown {
    pub(crate) path: String,
    /// Permission bits in octal.
    pub(crate) mode: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) size: u64,
    /// Names in a directory, sorted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) entries: Option<Vec<String>>,
    /// Text of a file; what is not UTF-8 is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<String>,
}

/// How far filling went.
#[derive(Debug, Serialize)]
pub(crate) struct Filled {
    pub(crate) bytes: u64,
    /// What stopped it before the bytes were reached.
    pub(crate) error: Option<String>,
}

/// Looks at a path; symbolic links are followed.
pub(crate) fn show(path: &Path) -> io::Result<Shown> {
    let data = fs::metadata(path)?;
    let (mut entries, mut content) = (None, None);
    if data.is_dir() {
        let names = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let mut names: Vec<_> = names.collect::<io::Result<_>>()?;
        names.sort_unstable();
        entries = Some(names);
    } else {
        let mut bytes = Vec::new();
        File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
        content = Some(String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(Shown {
        path: path.display().to_string(),
        mode: format!("{:04o}", data.mode() & 0o7777),
        uid: data.uid(),
        gid: data.gid(),
        size: data.size(),
        entries,
        content,
    })
}

/// Adds a line and brings it to the disk.
///
/// # Errors
/// When the directory or file cannot be written.
pub(crate) fn append(path: &Path, line: &str) -> anyhow::Result<()> {
    let failed = || format!("failed to write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    let mut file = OpenOptions::new().append(true).create(true).open(path).with_context(failed)?;
    file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_all()).with_context(failed)
}

/// Adds a line and says how many there are now.
///
/// # Errors
/// As [`append`], and when the file cannot be read.
pub(crate) fn count_line(path: &Path, line: &str) -> anyhow::Result<u64> {
    append(path, line)?;
    Ok(lines(path)?.len() as u64)
}

/// All lines; none when there is no file yet.
///
/// # Errors
/// When the file is there and cannot be read.
pub(crate) fn lines(path: &Path) -> anyhow::Result<Vec<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().map(ToOwned::to_owned).collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("failed to read {}", path.display())),
    }
}

/// Writes that many bytes into a file, or fewer when the disk has no room for them.
pub(crate) fn fill(path: &Path, bytes: u64) -> io::Result<Filled> {
    let mut file = File::create(path)?;
    // Not zeros: a file system may store those without room.
    let block: Vec<u8> = (0..BLOCK).map(|at| u8::try_from(at % 251).unwrap_or_default() | 1).collect();
    let mut written = 0;
    while written < bytes {
        let wanted = usize::try_from(bytes - written).unwrap_or(BLOCK).min(BLOCK);
        match file
            .write(block.get(..wanted).unwrap_or_default())
            .and_then(|count| file.sync_data().map(|()| count))
        {
            Ok(count) => written += count as u64,
            Err(error) => return Ok(Filled { bytes: written, error: Some(error.to_string()) }),
        }
    }
    Ok(Filled { bytes: written, error: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_and_a_directory_are_shown_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        fs::write(&file, "x").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let shown = show(&file).unwrap();
        assert_eq!((shown.mode.as_str(), shown.size, shown.content.as_deref()), ("0640", 1, Some("x")));
        assert_eq!(show(folder.path()).unwrap().entries, Some(vec!["f".to_owned()]));
        assert!(show(&folder.path().join("none")).is_err());
    }

    #[test]
    fn lines_are_counted_over_runs() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/count");
        assert_eq!(lines(&file).unwrap(), Vec::<String>::new());
        assert_eq!(count_line(&file, "run").unwrap(), 1);
        assert_eq!(count_line(&file, "run").unwrap(), 2);
    }

    #[test]
    fn filling_writes_all_bytes_or_says_what_stopped_it() {
        let folder = tempfile::tempdir().unwrap();
        let filled = fill(&folder.path().join("f"), 100_000).unwrap();
        assert_eq!((filled.bytes, filled.error), (100_000, None));
        let full = fill(Path::new("/dev/full"), 10).unwrap();
        assert!(full.bytes == 0 && full.error.unwrap().contains("No space left"));
    }
}
