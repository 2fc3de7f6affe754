//! From a layer to the bytes of a component, within bounds. Pure.

use super::{ArtifactError, Form, TAR_OVERHEAD};
use crate::digest::Digest;
use bytes::Bytes;
use std::io::Read as _;

/// Folders and files that are looked at.
const ENTRIES: usize = 32;

/// The component in `layer`, of `limit` bytes at most. `archive`: the digest that the archive must have.
pub(crate) fn unpack(
    form: Form,
    layer: &Bytes,
    archive: Option<&Digest>,
    limit: u64,
) -> Result<Bytes, ArtifactError> {
    let tar = match form {
        Form::Wasm => return Ok(layer.clone()),
        Form::Tar => layer.clone(),
        Form::TarGzip => inflate(layer, limit.saturating_add(TAR_OVERHEAD))?,
    };
    if archive.is_some_and(|archive| *archive != Digest::of(&tar)) {
        return Err(ArtifactError::ForeignConfig);
    }
    only_file(&tar, limit)
}

fn inflate(packed: &[u8], limit: u64) -> Result<Bytes, ArtifactError> {
    let mut bytes = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(packed).take(limit.saturating_add(1));
    reader.read_to_end(&mut bytes).map_err(ArtifactError::Packing)?;
    if bytes.len() as u64 > limit { Err(ArtifactError::Bomb { limit }) } else { Ok(bytes.into()) }
}

/// The one regular file; folders are what `COPY` makes on the way to it.
fn only_file(tar: &Bytes, limit: u64) -> Result<Bytes, ArtifactError> {
    let mut archive = tar::Archive::new(tar.as_ref());
    let mut found: Option<Bytes> = None;
    for (index, entry) in archive.entries().map_err(ArtifactError::Packing)?.enumerate() {
        let entry = entry.map_err(ArtifactError::Packing)?;
        let kind = entry.header().entry_type();
        if kind.is_dir() && index < ENTRIES {
            continue;
        }
        if !kind.is_file() || found.is_some() {
            let path = String::from_utf8_lossy(&entry.path_bytes()).chars().take(64).collect::<String>();
            let found = if kind.is_file() { "more than one file" } else { "something that is no file" };
            return Err(ArtifactError::Files { found: format!("{found} (`{}`)", path.escape_debug()) });
        }
        if entry.size() > limit {
            return Err(ArtifactError::Bomb { limit });
        }
        let mut bytes = Vec::new();
        entry.take(limit).read_to_end(&mut bytes).map_err(ArtifactError::Packing)?;
        found = Some(bytes.into());
    }
    found.ok_or_else(|| ArtifactError::Files { found: "no file".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn tar(files: &[(&str, tar::EntryType, &[u8])]) -> Bytes {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, kind, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            if kind.is_symlink() {
                header.set_link_name("/etc/passwd").unwrap();
            }
            header.set_cksum();
            builder.append_data(&mut header, path, *bytes).unwrap();
        }
        builder.into_inner().unwrap().into()
    }

    fn gz(bytes: &[u8]) -> Bytes {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn one_file_comes_out_of_every_packing() {
        use tar::EntryType::{Directory, Regular};
        let archive = tar(&[("app/", Directory, b""), ("app/driver.wasm", Regular, b"\0asm")]);
        let digest = Digest::of(&archive);
        for (form, layer) in [(Form::Tar, archive.clone()), (Form::TarGzip, gz(&archive))] {
            assert_eq!(&unpack(form, &layer, Some(&digest), 4).unwrap()[..], b"\0asm");
            assert_eq!(&unpack(form, &layer, None, 4).unwrap()[..], b"\0asm");
            assert!(matches!(unpack(form, &layer, None, 3), Err(ArtifactError::Bomb { limit: 3 })));
            let other = Digest::of(b"other");
            assert!(matches!(unpack(form, &layer, Some(&other), 4), Err(ArtifactError::ForeignConfig)));
        }
        assert_eq!(&unpack(Form::Wasm, &Bytes::from_static(b"\0asm"), None, 4).unwrap()[..], b"\0asm");
    }

    #[test]
    fn an_image_with_anything_else_is_refused() {
        use tar::EntryType::{Directory, Regular, Symlink};
        let file = ("driver.wasm", Regular, b"x".as_slice());
        let deep = vec![("d/", Directory, b"".as_slice()); 40];
        for (files, expected) in [
            (&[][..], "no file"),
            (&[file, ("other.wasm", Regular, b"y".as_slice())][..], "more than one file (`other.wasm`)"),
            (&[("driver.wasm", Symlink, b"".as_slice())][..], "something that is no file"),
            (&deep[..], "something that is no file"),
        ] {
            let error = unpack(Form::Tar, &tar(files), None, 100).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let broken = unpack(Form::TarGzip, &Bytes::from_static(b"no gzip"), None, 100);
        assert!(matches!(broken, Err(ArtifactError::Packing(_))));
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = gz(&vec![0_u8; 64 << 20]);
        assert!(bomb.len() < 100_000);
        assert!(matches!(unpack(Form::TarGzip, &bomb, None, 1 << 20), Err(ArtifactError::Bomb { .. })));
    }
}
