//! Writes a layout. Deterministic: files in one order, no owners, no times.

use super::{Entry, REF_NAME, VERSION};
use crate::{digest::Digest, image::INDEX, image::descriptor};
use bytes::Bytes;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::Path,
};

pub(super) fn save(path: &Path, entries: &[Entry]) -> io::Result<()> {
    let files = files(entries);
    if path.extension().is_some_and(|extension| extension == "tar") {
        archive(path, &files)
    } else {
        directory(path, &files)
    }
}

/// Every file by its path, in the order in which an archive has them.
fn files(entries: &[Entry]) -> BTreeMap<String, Bytes> {
    let index = json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": entries.iter().map(listed).collect::<Vec<_>>(),
    });
    let mut files: BTreeMap<String, Bytes> = [
        ("oci-layout".to_owned(), Bytes::from_static(VERSION)),
        ("index.json".to_owned(), index.to_string().into()),
    ]
    .into();
    for entry in entries {
        for blob in entry.image.blobs.iter().chain([&entry.image.manifest]) {
            files.insert(format!("blobs/sha256/{}", Digest::of(blob).hex()), blob.clone());
        }
    }
    files
}

fn listed(entry: &Entry) -> Value {
    let mut value = descriptor(&entry.image.media_type, &entry.image.manifest);
    if let (Some(object), Some(name)) = (value.as_object_mut(), &entry.name) {
        object.insert("annotations".to_owned(), json!({ REF_NAME: name }));
    }
    value
}

fn archive(path: &Path, files: &BTreeMap<String, Bytes>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tar::Builder::new(tempfile::NamedTempFile::new_in(folder)?);
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        builder.append_data(&mut header, name, &bytes[..])?;
    }
    let mut file = builder.into_inner()?;
    file.flush()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

fn directory(path: &Path, files: &BTreeMap<String, Bytes>) -> io::Result<()> {
    fs::create_dir_all(path)?;
    if fs::read_dir(path)?.next().is_some() {
        return Err(io::Error::new(io::ErrorKind::DirectoryNotEmpty, "the directory is not empty"));
    }
    for (name, bytes) in files {
        let file = path.join(name);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, bytes)?;
    }
    Ok(())
}
