//! Drivers of a generation of the contract: components compiled once and committed, against this operator and
//! against operators and drivers of other versions. This is the table of what may change in `wit/kompox-driver`.

mod contract;

use crate::support::{behaving, call, patched, request};
use contract::{Contract, component, fits};
use kompox_core::driver::{Driver as _, Query};
use kompox_driver_runtime::{ComponentCache, LoadError, LoadedDriver, Runtime, RuntimeOptions, digest};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/generations/0.1")
}

/// A committed component of generation 0.1.
fn committed(name: &str) -> Vec<u8> {
    std::fs::read(directory().join(format!("{name}.wasm"))).unwrap()
}

async fn load(bytes: Vec<u8>) -> Result<Arc<LoadedDriver>, LoadError> {
    let options = RuntimeOptions { cache: ComponentCache::Disabled, ..RuntimeOptions::default() };
    Runtime::new(options).unwrap().load(bytes).await
}

/// Why this operator refuses a component; empty if it does not.
async fn refusal(bytes: Vec<u8>) -> String {
    load(bytes).await.map_or_else(|error| error.to_string(), |_| String::new())
}

/// Somebody who builds them again for a changed contract would test nothing.
#[test]
fn the_components_are_those_that_were_released() {
    let recorded = std::fs::read_to_string(directory().join("SHA256SUMS")).unwrap();
    let recorded: BTreeMap<&str, &str> =
        recorded.lines().filter_map(|line| line.split_once("  ")).map(|(hex, name)| (name, hex)).collect();
    assert_eq!(recorded.keys().copied().collect::<Vec<_>>(), ["extended.wasm", "full.wasm", "smallest.wasm"]);
    for (name, hex) in recorded {
        let found = digest(&committed(name.trim_end_matches(".wasm")));
        assert_eq!(found, format!("sha256:{hex}"), "{name} is not the component that was released");
    }
}

/// Without any optional interface, with all, and with one that this operator does not know.
#[tokio::test]
async fn drivers_of_generation_0_1_are_served() {
    for (name, provider_type, optional) in
        [("smallest", "minimal", false), ("extended", "minimal", false), ("full", "open", true)]
    {
        let driver = load(committed(name)).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((driver.has_snapshots(), driver.has_disk_modify()), (optional, optional), "{name}");
        let call = if optional { behaving("quiet") } else { call(provider_type, &[]) };
        let plan = driver.plan(&call, &request()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        // The one rounds up to gibibytes.
        assert_eq!(plan.size_bytes, if optional { 1 << 30 } else { 1 }, "{name}");
        let snapshots = driver.find_snapshots(&call, &Query::default(), None).await;
        assert_eq!(snapshots.is_ok(), optional, "{name}: {snapshots:?}");
    }
}

/// One change of the contract, and what becomes of compiled drivers.
struct Change {
    what: &'static str,
    version: &'static str,
    /// File, text in it, and what stands there after the change.
    edit: Option<(&'static str, &'static str, &'static str)>,
    /// What an operator after the change says of a driver before it; empty: the driver is served.
    old_driver: &'static str,
    /// What this operator says of a driver after the change; empty: the driver is served.
    new_driver: &'static str,
}

/// A change within 0.1 may add functions to what the host offers, and interfaces. Nothing else.
const CHANGES: [Change; 10] = [
    Change { what: "nothing", version: "0.1.1", edit: None, old_driver: "", new_driver: "" },
    Change {
        what: "a function in an imported interface",
        version: "0.1.1",
        edit: Some((
            "host.wit",
            "remaining-ms: func() -> u32;",
            "remaining-ms: func() -> u32; deadline: func() -> u64;",
        )),
        old_driver: "",
        new_driver: "driver needs the function `call.deadline` of kompox:driver 0.1.1, which this operator does not offer; \
                     use an operator that offers 0.1.1, or build the driver for an earlier 0.1",
    },
    Change {
        what: "an interface that drivers may import",
        version: "0.1.1",
        edit: Some((
            "host.wit",
            "world imports {",
            "interface quota { left: func() -> u32; }\nworld imports { import quota;",
        )),
        old_driver: "",
        new_driver: "driver needs the interface `quota` of kompox:driver 0.1.1",
    },
    Change {
        what: "a field in a record that drivers read",
        version: "0.1.1",
        edit: Some((
            "host.wit",
            "traceparent: option<string>,",
            "traceparent: option<string>, tenant: string,",
        )),
        old_driver: "type mismatch in instance export `call-context`",
        new_driver: "its `kompox:driver/call@0.1.1` is not that of the published contract",
    },
    Change {
        what: "a field in a record that drivers write",
        version: "0.1.1",
        edit: Some(("disk.wit", "findings: list<finding>,", "findings: list<finding>, price: u64,")),
        old_driver: "type mismatch in instance export `disk-plan`",
        new_driver: "its `kompox:driver/disk` is not that of the published contract",
    },
    Change {
        what: "a case in an enum",
        version: "0.1.1",
        edit: Some(("types.wit", "    data-loss,", "    data-loss,\n    out-of-time,")),
        old_driver: "type mismatch in instance export `error-code`",
        new_driver: "is not that of the published contract",
    },
    Change {
        what: "a case in a variant",
        version: "0.1.1",
        edit: Some(("disk.wit", "variant source { empty,", "variant source { empty, image(string),")),
        old_driver: "type mismatch in instance export `source`",
        new_driver: "its `kompox:driver/disk` is not that of the published contract",
    },
    Change {
        what: "a function in an exported interface",
        version: "0.1.1",
        edit: Some((
            "snapshot.wit",
            "  find: func(",
            "  copy: func(handle: string) -> string;\n  find: func(",
        )),
        old_driver: "`copy`",
        new_driver: "",
    },
    Change {
        what: "the generation",
        version: "0.2.0",
        edit: None,
        old_driver: "kompox:driver/",
        new_driver: "driver needs kompox:driver 0.2; this operator offers 0.1; use an operator that offers 0.2, or build the \
                     driver for 0.1",
    },
    Change {
        what: "the first stable generation",
        version: "1.0.0",
        edit: None,
        old_driver: "kompox:driver/",
        new_driver: "driver needs kompox:driver 1; this operator offers 0.1; use an operator that offers 1, or build the \
                     driver for 0.1",
    },
];

fn is(found: &str, expected: &str) -> bool {
    found.contains(expected) && found.is_empty() == expected.is_empty()
}

/// The judge is the component model's own validation: such an operator cannot run here.
#[test]
fn what_other_operators_say_of_drivers_of_generation_0_1() {
    let full = committed("full");
    for change in &CHANGES {
        let contract = Contract::changed(change.version, change.edit);
        // An operator takes a driver of the same version line for one of its own version.
        let same_line = change.version.starts_with("0.1.");
        let driver = if same_line {
            patched(full.clone(), "@0.1.0", &format!("@{}", change.version))
        } else {
            full.clone()
        };
        let found = fits(&driver, &contract);
        assert!(is(&found, change.old_driver), "{}: {found:?}", change.what);
    }
}

/// Drivers that import and export all of a changed contract; they would trap in every call.
#[tokio::test]
async fn what_this_operator_says_of_drivers_of_other_contracts() {
    for change in &CHANGES {
        let found = refusal(component(&Contract::changed(change.version, change.edit))).await;
        // What gets through is asked who it is, and traps.
        let passed = if found.contains("failed to ask the driver for its descriptor") { "" } else { &found };
        assert!(is(passed, change.new_driver), "{}: {found:?}", change.what);
    }
}

/// Versions that differ in the last number are one line, in both directions.
#[tokio::test]
async fn a_later_patch_version_of_the_same_contract_is_served() {
    let driver =
        load(patched(committed("full"), "kompox:driver/disk@0.1.0", "kompox:driver/disk@0.1.9")).await;
    assert_eq!(driver.unwrap().plan(&behaving("quiet"), &request()).await.unwrap().size_bytes, 1 << 30);
}

#[tokio::test]
async fn a_component_for_somebody_else_is_told_so() {
    let foreign = patched(committed("smallest"), "kompox:driver/", "others:plugin/");
    let error = refusal(foreign).await;
    assert!(error.contains("it imports `others:plugin/types@0.1.0`"), "{error}");
    assert!(error.contains("may import `kompox:driver` 0.1 and WASI 0.2 only"), "{error}");
}
