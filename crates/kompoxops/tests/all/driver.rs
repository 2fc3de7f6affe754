//! The commands about drivers as files that are none. What they say of real ones is in the end-to-end tests.

use std::fs;

use serde_json::Value;

use super::{kompoxops, stderr, stdout};

#[test]
fn what_is_no_driver_is_invalid_input_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("module.wasm"), b"\0asm\x01\0\0\0").unwrap();
    fs::write(folder.path().join("text.wasm.gz"), "no gzip").unwrap();
    fs::write(folder.path().join("driver.bin"), "x").unwrap();
    for (file, reason) in [
        ("module.wasm", "wasm32-wasip2"),
        ("text.wasm.gz", "failed to unpack"),
        ("driver.bin", "must end in `.wasm`"),
        ("absent.wasm", "failed to read absent.wasm"),
    ] {
        let output = kompoxops(&["driver", "inspect", file], folder.path());
        assert_eq!((output.status.code(), stdout(&output)), (Some(3), String::new()), "{file}");
        assert!(stderr(&output).contains(reason), "{file}: {}", stderr(&output));
    }
}

#[test]
fn every_check_is_reported_and_one_that_fails_is_exit_code_3() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("module.wasm"), b"\0asm\x01\0\0\0").unwrap();
    let pin = format!("--digest=sha256:{}", "0".repeat(64));
    let output = kompoxops(&["driver", "verify", "module.wasm", "-o", "json", &pin], folder.path());
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((&document["kind"], &document["accepted"]), (&"DriverVerification".into(), &false.into()));
    let passed: Vec<_> =
        document["checks"].as_array().unwrap().iter().map(|check| &check["passed"]).collect();
    assert_eq!(passed, [false, false]);
    assert!(stderr(&output).contains("2 check(s) failed"), "{}", stderr(&output));
}
