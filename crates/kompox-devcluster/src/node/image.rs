//! Images made of files, without a registry or a builder: the format that `docker save` writes
//! (docker-archive: a layer, a configuration and a manifest in one tar). Pure.

use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::{env::consts, io};

/// A file of an image.
#[derive(Clone, Debug)]
pub struct ImageFile {
    /// Its path from the root, without a leading slash.
    pub path: String,
    /// Its permissions, such as 0o755.
    pub mode: u32,
    /// Its content.
    pub content: Vec<u8>,
}

/// An archive with one image of one layer: the `files`, owned by root, and what runs by default. The
/// same input gives the same bytes.
///
/// # Errors
/// If a path is longer than a tar can hold.
pub fn docker_archive(reference: &str, files: &[ImageFile], entrypoint: &[&str]) -> io::Result<Vec<u8>> {
    let entries: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.mode, &*file.content)).collect();
    let layer = tar(&entries)?;
    let digest: String = Sha256::digest(&layer).iter().map(|byte| format!("{byte:02x}")).collect();
    let config = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": { "Entrypoint": entrypoint },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{digest}")] },
        "history": [{ "created_by": "kompox-devcluster" }],
    })
    .to_string();
    let manifest =
        json!([{ "Config": "config.json", "RepoTags": [reference], "Layers": ["layer.tar"] }]).to_string();
    tar(&[
        ("config.json", 0o644, config.as_bytes()),
        ("layer.tar", 0o644, &layer),
        ("manifest.json", 0o644, manifest.as_bytes()),
    ])
}

fn tar(entries: &[(&str, u32, &[u8])]) -> io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, mode, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(*mode);
        header.set_size(content.len() as u64);
        // Root, and reproducible. Fields that are left out are blank, which not every reader takes for 0.
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        builder.append_data(&mut header, path, *content)?;
    }
    builder.into_inner()
}

/// As the image specification names it.
fn architecture() -> &'static str {
    match consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{ImageFile, docker_archive};
    use std::io::Read as _;

    #[test]
    fn an_archive_has_its_layer_configuration_and_manifest() {
        let file = ImageFile { path: "bin/x".into(), mode: 0o755, content: b"X".to_vec() };
        let archive = docker_archive("example/x:1", std::slice::from_ref(&file), &["/bin/x"]).unwrap();
        assert_eq!(archive, docker_archive("example/x:1", &[file], &["/bin/x"]).unwrap());
        let mut read = tar::Archive::new(&*archive);
        let mut found = std::collections::BTreeMap::new();
        for entry in read.entries().unwrap() {
            let mut entry = entry.unwrap();
            let (name, mut content) = (entry.path().unwrap().display().to_string(), Vec::new());
            entry.read_to_end(&mut content).unwrap();
            found.insert(name, content);
        }
        let config: serde_json::Value = serde_json::from_slice(&found["config.json"]).unwrap();
        assert_eq!(config["config"]["Entrypoint"][0], "/bin/x");
        let manifest: serde_json::Value = serde_json::from_slice(&found["manifest.json"]).unwrap();
        assert_eq!(manifest[0]["RepoTags"][0], "example/x:1");
        let mut layer = tar::Archive::new(&*found["layer.tar"]);
        let entry = layer.entries().unwrap().next().unwrap().unwrap();
        assert_eq!((entry.header().mode().unwrap(), entry.header().uid().unwrap()), (0o755, 0));
    }
}
