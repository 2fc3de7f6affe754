//! Components on their way in: directories, refusals, the cache.

use crate::support::{behaving, guest, patched, request};
use kompox_core::driver::{Driver as _, Drivers as _, ErrorCode, Facts, Query, SnapshotRequest};
use kompox_driver_runtime::{ComponentCache, LoadError, Registry, Runtime, RuntimeOptions};
use std::{fs, path::Path};

fn runtime(cache: &Path) -> Runtime {
    Runtime::new(RuntimeOptions {
        cache: ComponentCache::Directory(cache.to_owned()),
        ..RuntimeOptions::default()
    })
    .unwrap()
}

#[tokio::test]
async fn a_directory_is_loaded_and_every_refusal_is_explained() {
    let drivers = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| fs::write(drivers.path().join(name), bytes).unwrap();
    let minimal = guest("minimal");
    file("10-minimal.wasm", &minimal);
    file("20-behaviours.wasm", &guest("behaviours"));
    file("30-same-name.wasm", &minimal);
    file("40-same-type.wasm", &patched(minimal.clone(), "\"name\":\"minimal\"", "\"name\":\"another\""));
    file("50-truncated.wasm", &minimal[..minimal.len() / 2]);
    file("60-module.wasm", b"\0asm\x01\0\0\0");
    file("70-text.wasm", b"hello");
    file("80-bad-json.wasm", &patched(minimal.clone(), "\"requires\":[]", "\"requires\":[ ").to_vec());
    file("notes.txt", b"not looked at");
    let cache = tempfile::tempdir().unwrap();
    let registry = Registry::new();
    let report = registry.load_directory(&runtime(cache.path()), drivers.path()).await;

    assert!(report.directory_found);
    let loaded: Vec<_> =
        report.loaded.iter().map(|file| (file.driver.as_str(), file.types.join(","))).collect();
    assert_eq!(
        loaded,
        [("minimal", "minimal".to_owned()), ("behaviours", "signed,token,paced,open".to_owned())]
    );
    let expected = [
        ("30-same-name.wasm", "another loaded driver has the same name"),
        ("40-same-type.wasm", "provider type `minimal` is already served by driver `minimal`"),
        ("50-truncated.wasm", "failed to compile the component"),
        ("60-module.wasm", "build it for the target wasm32-wasip2"),
        ("70-text.wasm", "not a WebAssembly component"),
        ("80-bad-json.wasm", "does not follow the descriptor's schema"),
    ];
    assert_eq!(report.refused.len(), expected.len(), "{:?}", report.refused);
    for ((path, error), (name, text)) in report.refused.iter().zip(expected) {
        assert!(path.ends_with(name), "{path:?}");
        assert!(error.to_string().contains(text), "{name}: {error}");
    }

    assert_eq!(registry.types(), ["minimal", "open", "paced", "signed", "token"]);
    assert_eq!(
        registry.all().iter().map(|d| d.descriptor().name.clone()).collect::<Vec<_>>(),
        ["behaviours", "minimal"]
    );
    assert!(registry.for_type("eks").is_none());
    let minimal = registry.for_type("minimal").unwrap();
    assert!(!minimal.has_snapshots() && !minimal.has_disk_modify());
    let call = crate::support::call("minimal", &[]);
    let error = minimal.find_snapshots(&call, &Query::default(), None).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Unsupported);
    let snapshot = SnapshotRequest::default();
    let intent = crate::support::intent();
    assert_eq!(
        minimal.create_snapshot(&call, &intent, &snapshot, None).await.unwrap_err().code,
        ErrorCode::Unsupported
    );
    assert_eq!(minimal.plan(&call, &request()).await.unwrap().size_bytes, 1);
    assert!(minimal.detect(&behaving("quiet"), &Facts::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_missing_directory_has_no_drivers() {
    let cache = tempfile::tempdir().unwrap();
    let report = Registry::new().load_directory(&runtime(cache.path()), &cache.path().join("none")).await;
    assert!(!report.directory_found && report.loaded.is_empty() && report.refused.is_empty());
}

#[tokio::test]
async fn versions_are_translated() {
    let cache = tempfile::tempdir().unwrap();
    let newer = patched(guest("minimal"), "kompox:driver/disk@0.1.0", "kompox:driver/disk@0.2.0");
    let error = runtime(cache.path()).load(newer).await.err().unwrap();
    assert!(matches!(error, LoadError::Version { .. }), "{error}");
    assert!(
        error.to_string().contains("driver needs kompox:driver 0.2; this operator offers 0.1"),
        "{error}"
    );
}

#[tokio::test]
async fn oversized_components_are_not_parsed() {
    let options = RuntimeOptions {
        cache: ComponentCache::Disabled,
        limits: kompox_driver_runtime::Limits { component_bytes: 1000, ..Default::default() },
        ..RuntimeOptions::default()
    };
    let error = Runtime::new(options).unwrap().load(guest("minimal")).await.err().unwrap();
    assert!(matches!(error, LoadError::TooLarge { limit: 1000 }), "{error}");
}

#[tokio::test]
async fn compiled_components_are_found_again_and_damaged_ones_are_replaced() {
    fn entries(directory: &Path) -> Vec<std::path::PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { found.extend(entries(&path)) } else { found.push(path) }
        }
        // The cache's own bookkeeping comes and goes.
        found.retain(|path| path.extension().is_none() && path.iter().any(|part| part == "modules"));
        found
    }
    let cache = tempfile::tempdir().unwrap();
    let first = runtime(cache.path()).load(guest("minimal")).await.unwrap();
    let kept = entries(cache.path());
    assert_eq!(kept.len(), 1, "{kept:?}");
    let second = runtime(cache.path()).load(guest("minimal")).await.unwrap();
    assert_eq!(first.digest(), second.digest());
    assert_eq!(entries(cache.path()), kept);
    fs::write(&kept[0], b"damaged").unwrap();
    let third = runtime(cache.path()).load(guest("minimal")).await.unwrap();
    let call = crate::support::call("minimal", &[]);
    assert_eq!(third.plan(&call, &request()).await.unwrap().size_bytes, 1);
}
