//! Where a volume's bytes lie: what the controller tells the node when a volume is attached.

use super::error::Error;
use super::mounts::Mount;
use kompox_devcloud::api::Backing;
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use tonic::Status;

/// Keys of the publish context.
const PATH: &str = "path";
const BACKING: &str = "backing";
const IMAGE: &str = "image";
const DIRECTORY: &str = "directory";

/// A volume's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Data {
    /// Absolute.
    pub(crate) path: PathBuf,
    pub(crate) backing: Backing,
}

impl Data {
    /// For the answer of ControllerPublishVolume.
    pub(crate) fn into_context(self) -> HashMap<String, String> {
        let backing = match self.backing {
            Backing::Image => IMAGE,
            Backing::Directory => DIRECTORY,
        };
        let path = self.path.to_string_lossy().into_owned();
        [(PATH.to_owned(), path), (BACKING.to_owned(), backing.to_owned())].into()
    }

    /// From the request of the node's calls.
    pub(super) fn of_context(context: &HashMap<String, String>) -> Result<Self, Status> {
        let get = |key: &str| context.get(key).map(String::as_str);
        let backing = match get(BACKING) {
            Some(IMAGE) => Backing::Image,
            Some(DIRECTORY) => Backing::Directory,
            _ => {
                return Err(Status::invalid_argument(
                    "publish_context does not say what the volume is: attach it",
                ));
            }
        };
        let path = PathBuf::from(get(PATH).unwrap_or_default());
        if path.is_absolute() {
            return Ok(Self { path, backing });
        }
        Err(Status::invalid_argument("publish_context does not say where the volume lies: attach it"))
    }

    /// That the bytes are there.
    pub(super) fn check(&self) -> Result<(), Error> {
        let found = fs::metadata(&self.path);
        let (wanted, good) = match self.backing {
            Backing::Image => ("a file", found.is_ok_and(|found| found.is_file())),
            Backing::Directory => ("a directory", found.is_ok_and(|found| found.is_dir())),
        };
        if good { Ok(()) } else { Err(Error::NotHere { path: self.path.clone(), wanted }) }
    }

    /// Whether this is what is mounted there.
    pub(super) fn is_mounted_as(&self, mount: &Mount) -> Result<bool, Error> {
        match self.backing {
            Backing::Image => Ok(image_of(&mount.device).is_some_and(|image| same_file(&image, &self.path))),
            Backing::Directory => Ok(same_file(&mount.point, &self.path)),
        }
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

/// The file behind a loop device that is named by its numbers; none for any other device.
pub(super) fn image_of(device: &str) -> Option<PathBuf> {
    backing_file(&Path::new("/sys/dev/block").join(device))
}

/// Whether any loop device uses the image.
pub(super) fn is_in_use(image: &Path) -> Result<bool, Error> {
    let failed = |source| Error::Read { path: "/sys/block".into(), source };
    for entry in fs::read_dir("/sys/block").map_err(failed)? {
        let file = backing_file(&entry.map_err(failed)?.path());
        if file.is_some_and(|file| same_file(&file, image)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn backing_file(device: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(device.join("loop/backing_file")).ok()?;
    Some(text.trim_end_matches('\n').into())
}

#[cfg(test)]
mod tests {
    use super::{Backing, Data};

    #[test]
    fn the_context_says_what_the_controller_said() {
        for backing in [Backing::Image, Backing::Directory] {
            let data = Data { path: "/data/vol-1".into(), backing };
            assert_eq!(Data::of_context(&data.clone().into_context()).unwrap(), data);
        }
        for context in [[("path", "/x"), ("backing", "tape")], [("path", "x"), ("backing", "image")]] {
            let context = context.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
            assert_eq!(Data::of_context(&context).unwrap_err().code(), tonic::Code::InvalidArgument);
        }
    }
}
