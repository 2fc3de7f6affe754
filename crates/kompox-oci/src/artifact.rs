//! Which manifests describe a driver, and how its component lies in the layer. Pure: what may be pulled is decided
//! here before a byte of it is.
//!
//! Taken are the artifact of CNCF's TAG Runtime (config `application/vnd.wasm.config.v0+json`, one layer
//! `application/wasm`), the layer types that were in use before it, and a container image with one file
//! (`FROM scratch`, `COPY driver.wasm /`). Of an index the one entry for WebAssembly is taken.

mod config;
mod unpack;

pub(crate) use config::check as check_config;
pub(crate) use unpack::unpack;

use crate::digest::Digest;
use oci_spec::image::{Arch, Descriptor, ImageIndex, ImageManifest};
use serde::Deserialize;
use std::io;

/// The layer of a CNCF Wasm artifact: the component itself.
pub const WASM_LAYER: &str = "application/wasm";
/// The config of a CNCF Wasm artifact.
pub const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";

const WASM_LAYERS: [&str; 3] = [
    WASM_LAYER,
    "application/vnd.wasm.content.layer.v1+wasm",
    "application/vnd.module.wasm.content.layer.v1+wasm",
];
const TAR_LAYERS: [&str; 2] =
    ["application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"];
const TAR_GZIP_LAYERS: [&str; 2] =
    ["application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip"];

const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
/// Configs that come with a layer of WebAssembly and say nothing that is checked.
const OTHER_CONFIGS: [&str; 2] = ["application/vnd.wasm.config.v1+json", "application/vnd.oci.empty.v1+json"];

const CONFIG_LIMIT: u64 = 1 << 20;
/// Headers and padding of an archive with one file and its folders.
const TAR_OVERHEAD: u64 = 64 << 10;

/// Why a manifest describes no driver that is taken.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// It is no manifest.
    #[error("its manifest is not one of OCI or Docker: {0}")]
    Manifest(String),
    /// It could be read in two ways, by two readers.
    #[error("its manifest has both `layers` and `manifests`, so nobody can say what it is; push it again")]
    Ambiguous,
    /// The index leaves a choice.
    #[error(
        "it is an index of several images ({platforms}) and none of them, or more than one, is for the architecture `wasm`; \
         name one by its digest"
    )]
    Choice {
        /// What is there.
        platforms: String,
    },
    /// An index in an index.
    #[error("it is an index of indexes; name an image by its digest")]
    Nested,
    /// An index, where one image is asked for.
    #[error("it is an index of images; name the one for WebAssembly by its digest, {0}")]
    Index(Digest),
    /// Not one layer.
    #[error("it has {0} layers; a driver has one, with the component")]
    Layers(usize),
    /// A layer of another kind.
    #[error(
        "its layer has the media type `{0}`; a driver has `application/wasm` (push it with `kompoxops driver push`), or is \
         a container image with one file"
    )]
    LayerType(String),
    /// A config of another kind.
    #[error(
        "its config has the media type `{0}`; with a layer `application/wasm` it is `application/vnd.wasm.config.v0+json`"
    )]
    ConfigType(String),
    /// A digest that is not taken.
    #[error("its manifest: {0}")]
    Digest(#[source] crate::digest::NoDigest),
    /// Too large, as it says itself.
    #[error(
        "its {what} has {size} bytes, {limit} are taken; build the component with opt-level `z`, LTO and `strip`"
    )]
    TooLarge {
        /// Config or layer.
        what: &'static str,
        /// Its bytes.
        size: u64,
        /// Most bytes.
        limit: u64,
    },
    /// The config cannot be read.
    #[error("its config is not of its media type: {0}")]
    Config(String),
    /// It is built for something else.
    #[error("it is built for {found}; build the component for the target wasm32-wasip2")]
    Target {
        /// What the config says.
        found: String,
    },
    /// Config and layer do not belong together.
    #[error(
        "its config names another layer than its manifest: the two do not belong together; push it again"
    )]
    ForeignConfig,
    /// The layer is not packed as its media type says.
    #[error("its layer is not packed as its media type says: {0}")]
    Packing(#[source] io::Error),
    /// The layer unpacks to too much.
    #[error("its layer unpacks to more than {limit} bytes")]
    Bomb {
        /// Most bytes.
        limit: u64,
    },
    /// Not one file.
    #[error(
        "its image holds {found}; it takes one regular file, as `FROM scratch` and `COPY driver.wasm /` make it"
    )]
    Files {
        /// What is there.
        found: String,
    },
}

/// How the component lies in the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The layer is the component.
    Wasm,
    /// A tar archive with one file.
    Tar,
    /// The same, compressed.
    TarGzip,
}

/// A blob as a manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) media_type: String,
}

/// An artifact that can hold a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Artifact {
    pub(crate) form: Form,
    pub(crate) config: Blob,
    pub(crate) layer: Blob,
}

/// What a manifest is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    /// Config and layer.
    Artifact(Artifact),
    /// An index, of which this manifest is taken.
    Index(Digest),
}

/// The members that tell manifests apart.
#[derive(Deserialize)]
struct Shape {
    layers: Option<serde::de::IgnoredAny>,
    manifests: Option<serde::de::IgnoredAny>,
}

/// Reads a manifest, for a component of `limit` bytes at most.
pub(crate) fn read(manifest: &[u8], limit: u64) -> Result<Document, ArtifactError> {
    let unreadable = |error: &dyn std::fmt::Display| ArtifactError::Manifest(error.to_string());
    let shape: Shape = serde_json::from_slice(manifest).map_err(|error| unreadable(&error))?;
    match (shape.layers, shape.manifests) {
        (Some(_), Some(_)) => Err(ArtifactError::Ambiguous),
        (None, Some(_)) => {
            let index = ImageIndex::from_reader(manifest).map_err(|error| unreadable(&error))?;
            choose(&index).map(Document::Index)
        }
        _ => {
            let manifest = ImageManifest::from_reader(manifest).map_err(|error| unreadable(&error))?;
            artifact(&manifest, limit).map(Document::Artifact)
        }
    }
}

fn artifact(manifest: &ImageManifest, limit: u64) -> Result<Artifact, ArtifactError> {
    let [layer] = manifest.layers().as_slice() else {
        return Err(ArtifactError::Layers(manifest.layers().len()));
    };
    let (config, layer) = (blob(manifest.config())?, blob(layer)?);
    let form = form(&layer.media_type).ok_or_else(|| ArtifactError::LayerType(layer.media_type.clone()))?;
    let fits = match form {
        Form::Wasm if layer.media_type == WASM_LAYER => config.media_type == WASM_CONFIG,
        Form::Wasm => is_one_of(&config.media_type, &[&[WASM_CONFIG][..], &IMAGE_CONFIGS, &OTHER_CONFIGS]),
        Form::Tar | Form::TarGzip => is_one_of(&config.media_type, &[&IMAGE_CONFIGS]),
    };
    if !fits {
        return Err(ArtifactError::ConfigType(config.media_type));
    }
    let layer_limit = if form == Form::Wasm { limit } else { limit.saturating_add(TAR_OVERHEAD) };
    for (what, blob, limit) in [("config", &config, CONFIG_LIMIT), ("layer", &layer, layer_limit)] {
        if blob.size > limit {
            return Err(ArtifactError::TooLarge { what, size: blob.size, limit });
        }
    }
    Ok(Artifact { form, config, layer })
}

fn form(media_type: &str) -> Option<Form> {
    if WASM_LAYERS.contains(&media_type) {
        Some(Form::Wasm)
    } else if TAR_LAYERS.contains(&media_type) {
        Some(Form::Tar)
    } else if TAR_GZIP_LAYERS.contains(&media_type) {
        Some(Form::TarGzip)
    } else {
        None
    }
}

fn is_one_of(media_type: &str, lists: &[&[&str]]) -> bool {
    lists.iter().any(|list| list.contains(&media_type))
}

pub(crate) fn blob(descriptor: &Descriptor) -> Result<Blob, ArtifactError> {
    Ok(Blob {
        digest: descriptor.digest().to_string().parse().map_err(ArtifactError::Digest)?,
        size: descriptor.size(),
        media_type: descriptor.media_type().to_string(),
    })
}

/// The one entry for WebAssembly, else the only one that is no attestation of a build.
fn choose(index: &ImageIndex) -> Result<Digest, ArtifactError> {
    let platform = |entry: &&Descriptor| {
        entry.platform().as_ref().map(|platform| (platform.os().to_string(), platform.architecture().clone()))
    };
    let is_wasm = |entry: &&Descriptor| platform(entry).is_some_and(|(_, arch)| arch == Arch::Wasm);
    let is_image = |entry: &&Descriptor| platform(entry).is_none_or(|(os, _)| os != "unknown");
    let manifests = index.manifests();
    let wasm: Vec<_> = manifests.iter().filter(is_wasm).collect();
    let images: Vec<_> = manifests.iter().filter(is_image).collect();
    let (([chosen], _) | ([], [chosen])) = (wasm.as_slice(), images.as_slice()) else {
        let shown = images.iter().take(8).map(|entry| match platform(entry) {
            Some((os, arch)) => format!("{os}/{arch}"),
            None => "no platform".to_owned(),
        });
        return Err(ArtifactError::Choice { platforms: shown.collect::<Vec<_>>().join(", ") });
    };
    blob(chosen).map(|blob| blob.digest)
}

#[cfg(test)]
mod tests;
