//! Reads a layout within bounds, from a directory or a tar archive alike.

use super::{Entry, LayoutError, REF_NAME};
use crate::{
    artifact::blob,
    digest::Digest,
    image::{Image, MANIFEST},
};
use bytes::Bytes;
use oci_spec::image::{ImageIndex, ImageManifest};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::Path,
};

/// Most files of a layout.
const MAX_FILES: usize = 1024;

/// The files of a layout by their path in it.
type Files = BTreeMap<String, Bytes>;

pub(super) fn load(path: &Path, limit: u64) -> Result<Vec<Entry>, LayoutError> {
    let failed = |source| LayoutError::Files { path: path.to_owned(), source };
    let mut room = Room { path, left: limit, limit, files: Files::new() };
    if fs::metadata(path).map_err(failed)?.is_dir() {
        directory(&mut room)?;
    } else {
        archive(&mut room)?;
    }
    let form = |message: String| LayoutError::Form { path: path.to_owned(), message };
    let index = room.files.get("index.json").ok_or_else(|| form("it has no index.json".to_owned()))?;
    let index = ImageIndex::from_reader(&index[..]).map_err(|error| form(error.to_string()))?;
    index
        .manifests()
        .iter()
        .map(|descriptor| {
            let named = blob(descriptor).map_err(|error| form(error.to_string()))?;
            let name = descriptor.annotations().as_ref().and_then(|all| all.get(REF_NAME)).cloned();
            Ok(Entry { name, image: image(&room, &named.digest)? })
        })
        .collect()
}

fn image(room: &Room<'_>, digest: &Digest) -> Result<Image, LayoutError> {
    let form = |message: String| LayoutError::Form { path: room.path.to_owned(), message };
    let manifest = room.blob(digest)?;
    let parsed = ImageManifest::from_reader(&manifest[..]).map_err(|error| form(error.to_string()))?;
    let media_type = parsed.media_type().as_ref().map_or_else(|| MANIFEST.to_owned(), ToString::to_string);
    let named = parsed.layers().iter().chain([parsed.config()]);
    let blobs = named.map(|descriptor| {
        let blob = blob(descriptor).map_err(|error| form(error.to_string()))?;
        room.blob(&blob.digest)
    });
    Ok(Image { blobs: blobs.collect::<Result<_, _>>()?, manifest, media_type })
}

/// What was read, and how much more may be.
struct Room<'a> {
    path: &'a Path,
    left: u64,
    limit: u64,
    files: Files,
}

impl Room<'_> {
    fn take(&mut self, name: String, reader: impl Read) -> Result<(), LayoutError> {
        let mut bytes = Vec::new();
        let read = reader.take(self.left.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|source| LayoutError::Files { path: self.path.to_owned(), source })?;
        let size = bytes.len() as u64;
        if size > self.left || self.files.len() >= MAX_FILES {
            return Err(LayoutError::TooLarge { path: self.path.to_owned(), limit: self.limit });
        }
        self.left -= size;
        self.files.insert(name, bytes.into());
        Ok(())
    }

    fn blob(&self, digest: &Digest) -> Result<Bytes, LayoutError> {
        let bytes = self.files.get(&format!("blobs/sha256/{}", digest.hex()));
        let whole = bytes.filter(|bytes| Digest::of(bytes) == *digest);
        whole.cloned().ok_or_else(|| LayoutError::Blob { path: self.path.to_owned(), digest: digest.clone() })
    }
}

fn directory(room: &mut Room<'_>) -> Result<(), LayoutError> {
    let root = room.path.to_owned();
    let failed = |path: &Path, source| LayoutError::Files { path: path.to_owned(), source };
    let mut names = vec!["index.json".to_owned()];
    let folder = root.join("blobs/sha256");
    match fs::read_dir(&folder) {
        Ok(entries) => {
            for entry in entries.take(MAX_FILES) {
                let entry = entry.map_err(|source| failed(&folder, source))?;
                names.push(format!("blobs/sha256/{}", entry.file_name().to_string_lossy()));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(&folder, error)),
    }
    for name in names {
        let path = root.join(&name);
        match fs::File::open(&path) {
            Ok(file) => room.take(name, file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&path, error)),
        }
    }
    Ok(())
}

fn archive(room: &mut Room<'_>) -> Result<(), LayoutError> {
    let path = room.path.to_owned();
    let failed = |source| LayoutError::Files { path: path.clone(), source };
    // An archive has headers and padding beside its files.
    let most = room.limit.saturating_add(2048 * MAX_FILES as u64);
    let mut archive = tar::Archive::new(fs::File::open(&path).map_err(failed)?.take(most));
    for entry in archive.entries().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.header().entry_type().is_file() {
            let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
            room.take(name, entry)?;
        }
    }
    Ok(())
}
