//! The bytes of volumes and snapshots: made, copied, cut at one point in time, grown. Knows no records.
//!
//! What is being written lies beside under another name and is renamed when it is whole; a leftover of a killed
//! service is swept away by [`sweep`]. Copies are sparse, and reflinks where the file system can make them.

mod freeze;

pub(crate) use freeze::thaw_all;

use crate::api::{Backing, Consistency};
use crate::id;
use freeze::Quiet;
use rustix::fs::{SeekFrom, ioctl_ficlone, seek};
use rustix::io::Errno;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::Command;

const PARTIAL: &str = "partial-";

/// Where the bytes lie in an object's folder.
pub(crate) fn path(folder: &Path, backing: Backing) -> PathBuf {
    folder.join(match backing {
        Backing::Image => "disk.img",
        Backing::Directory => "data",
    })
}

/// Makes an empty volume of `size` bytes.
pub(crate) fn make(folder: &Path, backing: Backing, size: u64) -> io::Result<()> {
    put(folder, backing, |partial| match backing {
        Backing::Image => {
            let file = File::create_new(partial)?;
            file.set_len(size)?;
            file.sync_all()
        }
        Backing::Directory => fs::create_dir(partial),
    })
}

/// Copies what nobody writes to, such as a snapshot; the copy of an image gets `size` bytes.
pub(crate) fn copy(from: &Path, folder: &Path, backing: Backing, size: u64) -> io::Result<()> {
    put(folder, backing, |partial| match backing {
        Backing::Image => {
            let (source, target) = (File::open(from)?, File::create_new(partial)?);
            if ioctl_ficlone(&target, &source).is_err() {
                copy_sparse(&source, &target)?;
            }
            finish_image(&target, size)
        }
        Backing::Directory => copy_tree(from, partial),
    })
}

/// What a cut shows, and why if it is not one point in time.
pub(crate) type Cut = (Consistency, Option<String>);

/// Copies a volume that may be in use, at one point in time if that is possible. `marks`: the folder that
/// remembers what is frozen, for [`thaw_all`].
pub(crate) fn cut(from: &Path, folder: &Path, source: &Live, marks: &Path) -> io::Result<Cut> {
    let mut cut = (Consistency::Crash, None);
    put(folder, source.backing, |partial| {
        cut = match source.backing {
            Backing::Image => cut_image(from, partial, source.size, marks)?,
            Backing::Directory => {
                copy_tree(from, partial)?;
                let message = source.attached.then(|| {
                    "the files of a directory volume are copied one after the other, while it is attached"
                        .to_owned()
                });
                (if message.is_some() { Consistency::None } else { Consistency::Crash }, message)
            }
        };
        Ok(())
    })?;
    Ok(cut)
}

/// A volume that may be in use.
pub(crate) struct Live {
    pub(crate) backing: Backing,
    pub(crate) size: u64,
    pub(crate) attached: bool,
}

fn cut_image(from: &Path, partial: &Path, size: u64, marks: &Path) -> io::Result<Cut> {
    let (source, target) = (File::open(from)?, File::create_new(partial)?);
    // The kernel makes a reflink of a file at one point in time, whoever writes to it.
    if ioctl_ficlone(&target, &source).is_ok() {
        finish_image(&target, size)?;
        return Ok((Consistency::Crash, None));
    }
    let quiet = freeze::hold(from, marks)?;
    copy_sparse(&source, &target)?;
    let cut = match quiet {
        Quiet::Frozen(frozen) => {
            frozen.thaw()?;
            (Consistency::Crash, None)
        }
        Quiet::Unused if freeze::is_unused(from)? => (Consistency::Crash, None),
        Quiet::Unused => (Consistency::None, Some("the volume came into use while it was copied".to_owned())),
        Quiet::Busy(why) => (Consistency::None, Some(why)),
    };
    finish_image(&target, size)?;
    Ok(cut)
}

/// A volume that grew while it was copied is cut back to the size that was recorded.
fn finish_image(target: &File, size: u64) -> io::Result<()> {
    target.set_len(size)?;
    target.sync_all()
}

/// Lets `write` write under another name, then gives the bytes their place.
fn put(folder: &Path, backing: Backing, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let nonce = u64::from_le_bytes(id::random()?);
    let partial = folder.join(format!("{PARTIAL}{nonce:016x}"));
    if let Err(error) = write(&partial) {
        // Room matters most when there was none; what stays is swept away at the next start.
        let _ = remove(&partial);
        return Err(error);
    }
    let place = path(folder, backing);
    // Made, but not recorded, before the service was killed.
    remove(&place)?;
    fs::rename(&partial, place)?;
    File::open(folder)?.sync_all()
}

/// Removes what a killed service left half-made in an object's folder.
pub(crate) fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    }
}

/// Grows an image; a directory has no size.
pub(crate) fn grow(folder: &Path, backing: Backing, size: u64) -> io::Result<()> {
    if backing == Backing::Directory {
        return Ok(());
    }
    let file = File::options().write(true).open(path(folder, backing))?;
    // A request that was repeated must not cut off what a later one added.
    if file.metadata()?.len() < size {
        file.set_len(size)?;
        file.sync_all()?;
    }
    Ok(())
}

/// Copies the parts of a file that hold data, and leaves its holes.
fn copy_sparse(source: &File, target: &File) -> io::Result<()> {
    target.set_len(source.metadata()?.len())?;
    let mut at = 0;
    loop {
        let data = match seek(source, SeekFrom::Data(at)) {
            Ok(data) => data,
            // No data up to the end.
            Err(Errno::NXIO) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let hole = seek(source, SeekFrom::Hole(data))?;
        let (mut from, mut to) = (source, target);
        from.seek(io::SeekFrom::Start(data))?;
        to.seek(io::SeekFrom::Start(data))?;
        io::copy(&mut from.take(hole.saturating_sub(data)), &mut to)?;
        at = hole;
    }
}

/// Owners, modes, times, links and extended attributes: `cp` of the coreutils knows them all.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    let mut command = Command::new("cp");
    command.args(["--archive", "--reflink=auto", "--sparse=always", "--"]).arg(from.join(".")).arg(to);
    run(&mut command)?;
    rustix::fs::syncfs(File::open(to)?)?;
    Ok(())
}

/// Runs a program; its last words become the error.
fn run(command: &mut Command) -> io::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.output().map_err(|error| io::Error::other(format!("failed to start {name}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: String = said.trim().chars().take(300).collect();
    Err(io::Error::other(format!("{name} ended with {}: {said}", output.status)))
}

#[cfg(test)]
mod tests;
