//! Which manifests are taken, as a table.

use super::*;

const LIMIT: u64 = 1000;

fn described(media_type: &str, size: u64) -> serde_json::Value {
    serde_json::json!({ "mediaType": media_type, "digest": Digest::of(media_type.as_bytes()), "size": size })
}

fn manifest(config: &str, layers: &[(&str, u64)]) -> String {
    serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described(config, 2),
        "layers": layers.iter().map(|(type_, size)| described(type_, *size)).collect::<Vec<_>>(),
    })
    .to_string()
}

#[test]
fn every_form_that_is_in_use_is_taken() {
    let image = "application/vnd.oci.image.config.v1+json";
    let docker = "application/vnd.docker.container.image.v1+json";
    for (config, layer, form) in [
        (WASM_CONFIG, WASM_LAYER, Form::Wasm),
        ("application/vnd.wasm.config.v1+json", "application/vnd.wasm.content.layer.v1+wasm", Form::Wasm),
        (image, "application/vnd.wasm.content.layer.v1+wasm", Form::Wasm),
        (image, "application/vnd.module.wasm.content.layer.v1+wasm", Form::Wasm),
        (image, "application/vnd.oci.image.layer.v1.tar", Form::Tar),
        (image, "application/vnd.oci.image.layer.v1.tar+gzip", Form::TarGzip),
        (docker, "application/vnd.docker.image.rootfs.diff.tar.gzip", Form::TarGzip),
    ] {
        match read(manifest(config, &[(layer, LIMIT)]).as_bytes(), LIMIT) {
            Ok(Document::Artifact(artifact)) => assert_eq!(artifact.form, form, "{layer}"),
            other => panic!("{layer}: {other:?}"),
        }
    }
}

#[test]
fn what_is_refused_is_named() {
    let image = "application/vnd.oci.image.config.v1+json";
    let big = 10 << 30;
    for (text, expected) in [
        (manifest(image, &[]), "0 layers"),
        (manifest(WASM_CONFIG, &[(WASM_LAYER, 1), (WASM_LAYER, 1)]), "2 layers"),
        (manifest(image, &[("application/vnd.cncf.helm.chart.content.v1.tar+gzip", 1)]), "helm.chart"),
        (manifest(image, &[("application/vnd.oci.image.layer.v1.tar+zstd", 1)]), "tar+zstd"),
        (manifest(image, &[(WASM_LAYER, 1)]), "`application/vnd.wasm.config.v0+json`"),
        (manifest(WASM_CONFIG, &[(WASM_LAYER, big)]), "layer has 10737418240 bytes, 1000 are taken"),
        (manifest(image, &[("application/vnd.oci.image.layer.v1.tar", big)]), "10737418240 bytes"),
        ("[]".to_owned(), "not one of OCI"),
        ("{}".to_owned(), "not one of OCI"),
        (r#"{"schemaVersion":2,"layers":[],"manifests":[]}"#.to_owned(), "both `layers` and `manifests`"),
    ] {
        let error = read(text.as_bytes(), LIMIT).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn of_an_index_the_one_for_webassembly_is_taken() {
    let entry = |name: &str, os: &str, arch: &str| {
        let mut entry = described("application/vnd.oci.image.manifest.v1+json", 3);
        entry["digest"] = serde_json::to_value(Digest::of(name.as_bytes())).unwrap();
        if !os.is_empty() {
            entry["platform"] = serde_json::json!({ "os": os, "architecture": arch });
        }
        entry
    };
    let choose = |entries: &[serde_json::Value]| {
        let index = serde_json::json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": entries,
        });
        read(index.to_string().as_bytes(), LIMIT)
    };
    let (wasm, amd64, arm64) =
        (entry("w", "wasip2", "wasm"), entry("a", "linux", "amd64"), entry("b", "linux", "arm64"));
    let (attestation, bare) = (entry("x", "unknown", "unknown"), entry("n", "", ""));
    for (entries, chosen) in [
        (&[amd64.clone(), wasm.clone(), arm64.clone()][..], "w"),
        (&[amd64.clone(), attestation][..], "a"),
        (&[bare][..], "n"),
    ] {
        assert_eq!(choose(entries).unwrap(), Document::Index(Digest::of(chosen.as_bytes())));
    }
    for (entries, expected) in [
        (&[amd64, arm64][..], "linux/amd64, linux/arm64"),
        (&[wasm.clone(), wasm][..], "wasip2/wasm"),
        (&[][..], "by its digest"),
    ] {
        let error = choose(entries).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
