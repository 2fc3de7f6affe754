//! The contract as it could become, and what validation says of components and contracts. No component is run.

use std::{collections::BTreeSet, path::Path};
use wit_component::{ComponentEncoder, DecodedWasm, StringEncoding, dummy_module};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, PackageId, Resolve, WorldItem, WorldKey};

/// A contract of some version.
pub(super) struct Contract {
    resolve: Resolve,
    package: PackageId,
    version: &'static str,
}

impl Contract {
    /// The committed contract as `version`, with one text of one file replaced.
    pub(super) fn changed(version: &'static str, edit: Option<(&str, &str, &str)>) -> Self {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/kompox-driver");
        let changed = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(&committed).unwrap() {
            let path = entry.unwrap().path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if !name.ends_with(".wit") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap().replace("@0.1.0;", &format!("@{version};"));
            let text = match edit {
                Some((file, from, to)) if file == name => {
                    assert_eq!(text.matches(from).count(), 1, "{from:?} in {name}");
                    text.replace(from, to)
                }
                _ => text,
            };
            std::fs::write(changed.path().join(name), text).unwrap();
        }
        let deps = changed.path().join("deps");
        std::fs::create_dir(&deps).unwrap();
        for entry in std::fs::read_dir(committed.join("deps")).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, deps.join(path.file_name().unwrap())).unwrap();
        }
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(changed.path()).expect("a valid contract");
        Self { resolve, package, version }
    }
}

/// A component that imports and exports everything of `contract`. Each of its functions traps.
pub(super) fn component(contract: &Contract) -> Vec<u8> {
    let world = contract.resolve.select_world(&[contract.package], Some("full-driver")).unwrap();
    let mut module = dummy_module(&contract.resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    wit_component::embed_component_metadata(&mut module, &contract.resolve, world, StringEncoding::UTF8)
        .unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// What an operator of `contract` finds wrong with `driver`; empty: nothing.
pub(super) fn fits(driver: &[u8], contract: &Contract) -> String {
    let DecodedWasm::Component(decoded, own_world) = wit_component::decode(driver).unwrap() else {
        panic!("a driver is a component")
    };
    // Whatever WASI the driver's language brought along is there in every operator.
    let wasi: BTreeSet<String> = decoded.worlds[own_world]
        .imports
        .iter()
        .filter_map(|(key, item)| match (key, item) {
            (WorldKey::Interface(id), WorldItem::Interface { .. }) => decoded.id_of(*id),
            _ => None,
        })
        .filter(|name| name.starts_with("wasi:"))
        .collect();
    let mut resolve = contract.resolve.clone();
    resolve.merge(decoded).expect("one WASI");
    let imports: String = wasi.iter().map(|name| format!("import {name};\n")).collect();
    let world = format!(
        "package test:operator; world operator {{ {imports} include kompox:driver/full-driver@{}; }}",
        contract.version
    );
    let package = resolve.push_str("operator.wit", &world).expect("a valid world");
    let world = resolve.select_world(&[package], Some("operator")).unwrap();
    wit_component::targets(&resolve, world, driver)
        .map_or_else(|error| format!("{error:#}"), |()| String::new())
}
