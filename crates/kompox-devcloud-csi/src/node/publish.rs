//! Publishing: the staged volume appears at a pod's path; and taking mounts away.

use super::data::Data;
use super::error::Error;
use super::lock::VolumeLock;
use super::mounts::{Mount, Mounts};
use super::tool::{MOUNT, UMOUNT};
use crate::capability::usage;
use crate::proto::csi::NodePublishVolumeRequest;
use crate::status::required;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use tonic::Status;

/// Mounts upon one another at one path that are taken away; more are not of our making.
const MAX_STACKED: usize = 16;

/// Binds the staged volume to the target path, unless that is done.
pub(super) async fn publish(request: &NodePublishVolumeRequest, lock: &VolumeLock) -> Result<(), Status> {
    let target = Path::new(required("target_path", &request.target_path)?);
    let usage = usage(request.volume_capability.as_ref())?;
    let staging = Path::new(required("staging_target_path", &request.staging_target_path)?);
    let data = Data::of_context(&request.publish_context)?;
    let mounts = Mounts::read()?;
    let staged = mounts.at(staging)?.ok_or_else(|| Error::NotStaged { path: staging.to_owned() })?;
    if !data.is_mounted_as(staged)? {
        return Err(Error::Occupied { path: staging.to_owned() }.into());
    }
    let published = mounts.at(target)?;
    // The kubelet's own check does not survive its restart; the kernel's list of mounts does.
    if let Some(other) = mounts.elsewhere(staged, published).filter(|_| usage.exclusive) {
        return Err(Error::PublishedElsewhere { other: other.point.clone() }.into());
    }
    let read_only = request.readonly || usage.read_only;
    match published {
        None => bind(staging, target, lock).await?,
        Some(mount) if is_publication(mount, staged, read_only) => {}
        Some(_) => return Err(Error::PublishedOtherwise { path: target.to_owned() }.into()),
    }
    if read_only && !published.is_some_and(|mount| mount.read_only) {
        // A second step, because the kernel ignores the flag in the first.
        let options = ["-o", "remount,bind,ro"].map(AsRef::as_ref);
        MOUNT.run(options.into_iter().chain([target.as_os_str()]), lock).await?;
    }
    Ok(())
}

/// Whether the mount is what is asked for. One that is still writable comes from a call that was cut short.
fn is_publication(mount: &Mount, staged: &Mount, read_only: bool) -> bool {
    mount.shows_same_as(staged) && (read_only || !mount.read_only || staged.read_only)
}

async fn bind(staging: &Path, target: &Path, lock: &VolumeLock) -> Result<(), Error> {
    match DirBuilder::new().mode(0o750).create(target) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Error::Make { path: target.to_owned(), source });
        }
        _ => {}
    }
    MOUNT.run(["--bind".as_ref(), staging.as_os_str(), target.as_os_str()], lock).await.map(drop)
}

/// Unmounts the target path and removes it, if it is empty then.
pub(super) async fn unpublish(target: &Path, lock: &VolumeLock) -> Result<(), Error> {
    unmount(target, lock).await?;
    match fs::remove_dir(target) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::Remove { path: target.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Takes away whatever is mounted at a path; nothing there is no error.
pub(super) async fn unmount(path: &Path, lock: &VolumeLock) -> Result<(), Error> {
    for _ in 0..MAX_STACKED {
        if Mounts::read()?.at(path)?.is_none() {
            return Ok(());
        }
        UMOUNT.run([path], lock).await?;
    }
    Err(Error::StillMounted { path: path.to_owned() })
}
