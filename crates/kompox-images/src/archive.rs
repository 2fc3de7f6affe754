//! An image as the archive that `docker save` writes and containerd imports: a configuration, one layer and
//! `manifest.json` (Docker Image Specification v1.2, "Combined Image JSON + Filesystem Changeset Format").

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde::Serialize;
use serde_json::json;
use tar::{Builder, EntryType};

use crate::tree::header;
use crate::{Error, Owner, Tree, sha256};

/// What a container of the image runs with unless told otherwise.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Config {
    /// `NAME=value`.
    pub env: Vec<String>,
    /// The words before the command.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// The words that a user's command replaces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cmd: Vec<String>,
    /// `user[:group]`; empty is root.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// Where it starts; empty is `/`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    /// `port/protocol`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", serialize_with = "as_keys")]
    pub exposed_ports: BTreeSet<String>,
    /// Paths that want a volume.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", serialize_with = "as_keys")]
    pub volumes: BTreeSet<String>,
    /// The signal that asks it to end; empty is SIGTERM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stop_signal: String,
}

/// The format has sets as maps to empty objects.
fn as_keys<S: serde::Serializer>(set: &BTreeSet<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(set.iter().map(|key| (key, BTreeMap::<&str, ()>::new())))
}

/// A name, a configuration and the files.
#[derive(Clone, Debug)]
pub struct Image {
    /// As Compose files write it: `postgres:15`.
    pub tag: String,
    /// See there.
    pub config: Config,
    /// The one layer.
    pub tree: Tree,
}

impl Image {
    /// Writes the archive; gives the image's id, the digest of its configuration.
    ///
    /// # Errors
    /// When the tree cannot be packed or `out` refuses.
    pub fn write(&self, out: impl Write) -> Result<String, Error> {
        let layer = self.tree.to_tar()?;
        let layer_digest = sha256(&layer);
        let config = self.config_json(&layer_digest).to_string();
        let id = sha256(config.as_bytes());
        let (config_name, layer_name) = (format!("{id}.json"), format!("{layer_digest}.tar"));
        let manifest =
            json!([{ "Config": config_name, "RepoTags": [self.tag], "Layers": [layer_name] }]).to_string();
        let failed = |source| Error::Tar { action: "write", source };
        let mut builder = Builder::new(out);
        for (name, bytes) in [
            (config_name.as_str(), config.as_bytes()),
            (layer_name.as_str(), layer.as_slice()),
            ("manifest.json", manifest.as_bytes()),
        ] {
            let mut header = header(EntryType::Regular, 0o644, Owner::ROOT);
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, name, bytes).map_err(failed)?;
        }
        builder.into_inner().and_then(|mut out| out.flush()).map_err(failed)?;
        Ok(format!("sha256:{id}"))
    }

    fn config_json(&self, layer_digest: &str) -> serde_json::Value {
        json!({
            "architecture": architecture(),
            "os": "linux",
            // The time of nothing in particular: a real one would make every build another image.
            "created": "1970-01-01T00:00:00Z",
            "config": self.config,
            "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{layer_digest}")] },
            "history": [{ "created": "1970-01-01T00:00:00Z", "created_by": "kompox-images" }],
        })
    }
}

/// This machine's processor, as Go and so every image format names it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    /// The archive's files by name.
    fn files(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().unwrap().map(Result::unwrap);
        entries
            .map(|mut entry| {
                let name = entry.path().unwrap().display().to_string();
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).unwrap();
                (name, bytes)
            })
            .collect()
    }

    #[test]
    fn the_manifest_names_a_configuration_whose_digests_are_true() {
        let mut tree = Tree::default();
        tree.file("hello", "world", 0o644);
        let config = Config { volumes: ["/data".to_owned()].into(), user: "7".into(), ..Config::default() };
        let image = Image { tag: "hello:1".into(), config, tree };
        let mut archive = Vec::new();
        let id = image.write(&mut archive).unwrap();
        let files = files(&archive);
        let manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
        assert_eq!(manifest[0]["RepoTags"], json!(["hello:1"]));
        let config = &files[manifest[0]["Config"].as_str().unwrap()];
        assert_eq!(id, format!("sha256:{}", sha256(config)));
        let config: serde_json::Value = serde_json::from_slice(config).unwrap();
        assert_eq!(config["config"], json!({ "Env": [], "User": "7", "Volumes": { "/data": {} } }));
        let layer = &files[manifest[0]["Layers"][0].as_str().unwrap()];
        assert_eq!(config["rootfs"]["diff_ids"], json!([format!("sha256:{}", sha256(layer))]));
    }
}
