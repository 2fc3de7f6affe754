//! An artifact in memory: its manifest and the blobs it names. Made of the same component it always has the same
//! bytes: it carries no time. Pure.

use crate::{
    artifact::{self, ArtifactError, Document, WASM_CONFIG, WASM_LAYER},
    digest::Digest,
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The format wants a date; this one says nothing and is always the same.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

/// What an artifact says of its component, for people and tools; nothing is checked by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The interfaces it imports.
    pub imports: Vec<String>,
    /// The interfaces it exports.
    pub exports: Vec<String>,
    /// Annotations of the manifest, such as `org.opencontainers.image.version`.
    pub annotations: BTreeMap<String, String>,
}

/// A manifest and what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub(crate) manifest: Bytes,
    pub(crate) media_type: String,
    /// In the order in which they are pushed.
    pub(crate) blobs: Vec<Bytes>,
}

impl Image {
    /// The CNCF Wasm artifact of a component.
    #[must_use]
    pub fn of_component(component: Bytes, description: &Description) -> Self {
        let config = json!({
            "created": NO_TIME,
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [Digest::of(&component)],
            "component": { "imports": description.imports, "exports": description.exports, "target": null },
        });
        let config = Bytes::from(config.to_string());
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(WASM_CONFIG, &config),
            "layers": [descriptor(WASM_LAYER, &component)],
            "annotations": description.annotations,
        });
        Self {
            manifest: manifest.to_string().into(),
            media_type: MANIFEST.to_owned(),
            blobs: vec![component, config],
        }
    }

    /// The digest of the manifest, by which the artifact is known and signed.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }

    /// The bytes of the manifest.
    #[must_use]
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// The component in it, of `limit` bytes at most.
    ///
    /// # Errors
    /// It is no driver.
    pub fn component(&self, limit: u64) -> Result<Bytes, ArtifactError> {
        let artifact = match artifact::read(&self.manifest, limit)? {
            Document::Artifact(artifact) => artifact,
            Document::Index(chosen) => return Err(ArtifactError::Index(chosen)),
        };
        // Whoever made the image put the blobs in the order of the manifest: the layer, then the config.
        let [layer, config] = self.blobs.as_slice() else {
            return Err(ArtifactError::Layers(self.blobs.len().saturating_sub(1)));
        };
        let archive = artifact::check_config(&artifact, config)?;
        artifact::unpack(artifact.form, layer, archive.as_ref(), limit)
    }

    /// Bytes of manifest and blobs.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.blobs.iter().map(|blob| blob.len() as u64).sum::<u64>() + self.manifest.len() as u64
    }
}

/// How a manifest names a blob.
pub(crate) fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_always_makes_the_same_artifact_and_it_can_be_read() {
        let component = Bytes::from_static(b"\0asm\x0d\0\x01\0");
        let annotations = [("b", "2"), ("a", "1"), ("c", "3")];
        let description = Description {
            annotations: annotations.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            ..Description::default()
        };
        let image = Image::of_component(component.clone(), &description);
        assert_eq!(image, Image::of_component(component.clone(), &description));
        let Document::Artifact(read) = artifact::read(image.manifest(), 100).unwrap() else { panic!() };
        assert_eq!(read.layer.digest, Digest::of(&component));
        assert_eq!(image.component(100).unwrap(), component);
        assert!(matches!(image.component(1), Err(ArtifactError::TooLarge { .. })));
    }
}
