//! What the config of an artifact must say. Pure.

use super::{Artifact, ArtifactError, IMAGE_CONFIGS, WASM_CONFIG};
use crate::digest::Digest;
use serde::Deserialize;

/// `application/vnd.wasm.config.v0+json`, as far as it is checked.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wasm {
    architecture: String,
    os: String,
    #[serde(default)]
    layer_digests: Vec<String>,
}

/// The config of an image, as far as it is checked.
#[derive(Deserialize)]
struct Image {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

/// Checks a config, and returns the digest that the unpacked archive must have, if it says so.
pub(crate) fn check(artifact: &Artifact, config: &[u8]) -> Result<Option<Digest>, ArtifactError> {
    let media_type = artifact.config.media_type.as_str();
    if media_type == WASM_CONFIG {
        let wasm: Wasm = read(config)?;
        if wasm.architecture != "wasm" || wasm.os != "wasip2" {
            return Err(ArtifactError::Target { found: format!("{}/{}", wasm.os, wasm.architecture) });
        }
        let named = wasm.layer_digests.is_empty()
            || wasm.layer_digests.iter().any(|digest| digest == artifact.layer.digest.as_str());
        return if named { Ok(None) } else { Err(ArtifactError::ForeignConfig) };
    }
    if IMAGE_CONFIGS.contains(&media_type) && artifact.form != super::Form::Wasm {
        let image: Image = read(config)?;
        return match image.rootfs.diff_ids.as_slice() {
            [one] => Ok(Some(one.clone())),
            _ => Err(ArtifactError::ForeignConfig),
        };
    }
    Ok(None)
}

fn read<'a, T: Deserialize<'a>>(config: &'a [u8]) -> Result<T, ArtifactError> {
    serde_json::from_slice(config).map_err(|error| ArtifactError::Config(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Blob, Form, WASM_LAYER};

    fn artifact(config: &str, form: Form) -> Artifact {
        let blob = |media_type: &str| Blob {
            digest: Digest::of(b"layer"),
            size: 5,
            media_type: media_type.to_owned(),
        };
        Artifact { form, config: blob(config), layer: blob(WASM_LAYER) }
    }

    #[test]
    fn a_config_is_for_components_and_names_its_layer() {
        let layer = Digest::of(b"layer");
        let other = Digest::of(b"other");
        for (config, expected) in [
            (serde_json::json!({"architecture": "wasm", "os": "wasip2", "layerDigests": [layer]}), ""),
            (serde_json::json!({"architecture": "wasm", "os": "wasip2"}), ""),
            (serde_json::json!({"architecture": "wasm", "os": "wasip1"}), "wasm32-wasip2"),
            (serde_json::json!({"architecture": "amd64", "os": "linux"}), "linux/amd64"),
            (
                serde_json::json!({"architecture": "wasm", "os": "wasip2", "layerDigests": [other]}),
                "do not belong together",
            ),
            (serde_json::json!({"os": "wasip2"}), "architecture"),
        ] {
            let checked = check(&artifact(WASM_CONFIG, Form::Wasm), config.to_string().as_bytes());
            match checked {
                Ok(diff) => assert!(expected.is_empty() && diff.is_none(), "{config}"),
                Err(error) => {
                    assert!(!expected.is_empty() && error.to_string().contains(expected), "{error}");
                }
            }
        }
    }

    #[test]
    fn the_config_of_an_image_says_what_its_archive_is() {
        let of = |ids: &[Digest]| {
            let config = serde_json::json!({ "rootfs": { "type": "layers", "diff_ids": ids } });
            check(&artifact(IMAGE_CONFIGS[0], Form::Tar), config.to_string().as_bytes())
        };
        let one = Digest::of(b"tar");
        assert_eq!(of(std::slice::from_ref(&one)).unwrap(), Some(one.clone()));
        assert!(matches!(of(&[]), Err(ArtifactError::ForeignConfig)));
        assert!(matches!(of(&[one.clone(), one]), Err(ArtifactError::ForeignConfig)));
    }
}
