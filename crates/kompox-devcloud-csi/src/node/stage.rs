//! Staging: the volume's file system appears at the staging path.

use super::bytes::{Content, content, format};
use super::data::{Data, is_in_use};
use super::error::Error;
use super::grow::{grow_mounted, grow_unmounted};
use super::lock::VolumeLock;
use super::mounts::Mounts;
use super::tool::MOUNT;
use crate::capability::{FsType, Usage, usage};
use crate::proto::csi::NodeStageVolumeRequest;
use crate::status::required;
use kompox_devcloud::api::Backing;
use std::path::Path;
use tonic::Status;

/// Mounts the volume at the staging path, unless it is mounted there.
pub(super) async fn stage(request: &NodeStageVolumeRequest, lock: &VolumeLock) -> Result<(), Status> {
    let staging = Path::new(required("staging_target_path", &request.staging_target_path)?);
    let usage = usage(request.volume_capability.as_ref())?;
    let data = Data::of_context(&request.publish_context)?;
    data.check()?;
    if let Some(mount) = Mounts::read()?.at(staging)? {
        let ours = data.is_mounted_as(mount)?;
        return if ours { Ok(()) } else { Err(Error::Occupied { path: staging.to_owned() }.into()) };
    }
    match data.backing {
        Backing::Directory => bind(&data.path, staging, &usage, lock).await?,
        Backing::Image => {
            let fs_type = prepare(&data.path, usage.fs_type, lock).await?;
            mount(&data.path, staging, fs_type, &usage, lock).await?;
        }
    }
    Ok(())
}

/// Sees to it that the image holds a file system of its own size, and says which.
async fn prepare(image: &Path, wanted: Option<FsType>, lock: &VolumeLock) -> Result<FsType, Error> {
    let path = || image.to_owned();
    match (content(image, lock).await?, wanted) {
        (Content::Nothing, wanted) => {
            let fs_type = wanted.unwrap_or(FsType::Ext4);
            format(image, fs_type, lock).await?;
            Ok(fs_type)
        }
        (Content::FileSystem(found), Some(wanted)) if found != wanted => {
            Err(Error::OtherFsType { path: path(), found: found.name(), wanted: wanted.name() })
        }
        (Content::FileSystem(found), _) => {
            // In use, it is mounted elsewhere on this node: then it is not ours alone.
            if !is_in_use(image)? {
                grow_unmounted(image, found, lock).await?;
            }
            Ok(found)
        }
        (Content::Other(found), _) => Err(Error::Unusable { path: path(), found }),
    }
}

/// `mount` makes the loop device such that the kernel takes it down with the last mount: none is ever left over.
async fn mount(
    image: &Path,
    staging: &Path,
    fs_type: FsType,
    usage: &Usage,
    lock: &VolumeLock,
) -> Result<(), Error> {
    let mut options = vec!["loop"];
    options.extend(usage.mount_flags.iter().map(String::as_str));
    // A volume and its clone have the same UUID and may be on one node.
    options.extend((fs_type == FsType::Xfs).then_some("nouuid"));
    options.extend(usage.read_only.then_some("ro"));
    let options = options.join(",");
    let arguments = ["-t", fs_type.name(), "-o", &options].map(AsRef::as_ref);
    MOUNT.run(arguments.into_iter().chain([image.as_os_str(), staging.as_os_str()]), lock).await?;
    if fs_type == FsType::Xfs && !usage.read_only {
        grow_mounted(staging, lock).await?;
    }
    Ok(())
}

async fn bind(directory: &Path, staging: &Path, usage: &Usage, lock: &VolumeLock) -> Result<(), Error> {
    let mut options = vec!["bind"];
    options.extend(usage.mount_flags.iter().map(String::as_str));
    options.extend(usage.read_only.then_some("ro"));
    let options = options.join(",");
    let arguments = ["-o", &options].map(AsRef::as_ref);
    MOUNT.run(arguments.into_iter().chain([directory.as_os_str(), staging.as_os_str()]), lock).await.map(drop)
}
