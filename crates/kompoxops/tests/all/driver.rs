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

#[test]
fn what_cannot_be_used_is_told_before_any_registry_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("module.wasm"), b"\0asm\x01\0\0\0").unwrap();
    fs::write(folder.path().join("text"), "no key").unwrap();
    fs::write(folder.path().join("registries.yaml"), "plainHttp: true\n").unwrap();
    // Nothing listens there: whoever asks ends with exit code 1.
    let at = "oci://127.0.0.1:1/acme/driver:1";
    for (arguments, code, said) in [
        (&["push", "module.wasm", at][..], 3, "wasm32-wasip2"),
        (&["push", "module.wasm", "127.0.0.1:1/acme/driver:1"], 2, "must begin with oci://"),
        (&["pull", "oci://Acme"], 2, "is no reference"),
        (&["pull", at, "--registries-config", "registries.yaml"], 3, "plainHttp"),
        (&["pull", at, "--key", "text"], 3, "cosign.pub"),
        (&["sign", at, "--key", "text"], 3, "cosign.key"),
        (&["verify", "module.wasm", "--key", "text"], 3, "it goes with oci:// references"),
        (&["load", "absent.tar", at], 3, "absent.tar: No such file"),
        (&["load", "text", at], 3, "text"),
        (&["keygen"], 3, "set KOMPOX_KEY_PASSWORD or COSIGN_PASSWORD"),
        (&["pull", at], 1, "nothing listens at the address"),
    ] {
        let output = kompoxops(&[&["driver"], arguments].concat(), folder.path());
        assert_eq!((output.status.code(), stdout(&output)), (Some(code), String::new()), "{arguments:?}");
        assert!(stderr(&output).contains(said), "{arguments:?}: {}", stderr(&output));
    }
    assert!(!folder.path().join("cosign.key").exists());
}

#[test]
fn the_page_about_drivers_has_every_reason_of_theirs() {
    let page = include_str!("../../../../docs/drivers.md");
    let of_drivers = kompox_crds::Reason::ALL.iter().filter(|reason| reason.code().starts_with("KPX60"));
    let missing: Vec<_> = of_drivers.filter(|reason| !page.contains(&format!("`{reason}`"))).collect();
    assert!(missing.is_empty(), "docs/drivers.md does not have {missing:?}");
}
