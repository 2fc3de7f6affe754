//! Which interfaces a component imports and exports, read from its type without running it.

use crate::error::LoadError;
use wasmtime::{
    Engine,
    component::types::{self, ComponentItem},
};

/// The version line of the contract that this operator offers.
const DRIVER_LINE: &str = "0.1";
/// What a driver may call of it: a test compares this with `wit/kompox-driver`.
const OFFERED: [(&str, &[&str]); 5] = [
    ("types", &[]),
    ("log", &["log"]),
    ("credentials", &["reveal", "sign"]),
    ("call", &["context", "remaining-ms"]),
    ("session", &["get", "put"]),
];
/// Exports that a refusal names at most.
const NAMED: usize = 5;
/// The version line of WASI that this operator offers.
const WASI_LINE: &str = "0.2";
/// Parts of WASI of which a driver gets an empty version only.
const RESTRICTED: [&str; 3] = ["wasi:filesystem/", "wasi:sockets/", "wasi:cli/environment"];

/// What a component has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Interfaces {
    pub(super) disk_modify: bool,
    pub(super) snapshot: bool,
    /// Imports of [`RESTRICTED`], sorted.
    pub(super) restricted: Vec<String>,
    /// All imports, sorted.
    pub(super) imports: Vec<String>,
    /// All exports, sorted.
    pub(super) exports: Vec<String>,
}

impl Interfaces {
    /// The refusal of a component whose imports have another shape than what is offered. `cause` is the linker's
    /// text: it names the import somewhere.
    pub(super) fn misfit(&self, cause: String) -> LoadError {
        let named = self.imports.iter().find(|import| cause.contains(import.as_str()));
        LoadError::Shape { interface: named.cloned().unwrap_or_else(|| "kompox:driver".to_owned()), cause }
    }
}

/// An imported interface and the functions that the component uses of it.
struct Import<'a> {
    name: &'a str,
    functions: Vec<String>,
}

/// Checks names and versions, so that the linker's refusals are about shapes only.
pub(super) fn check(component: &types::Component, engine: &Engine) -> Result<Interfaces, LoadError> {
    let imports: Vec<Import<'_>> = component
        .imports(engine)
        .map(|(name, item)| Import { name, functions: functions(&item.ty, engine) })
        .collect();
    let exports: Vec<&str> = component.exports(engine).map(|(name, _)| name).collect();
    check_names(&imports, &exports)
}

fn functions(item: &ComponentItem, engine: &Engine) -> Vec<String> {
    let ComponentItem::ComponentInstance(instance) = item else { return Vec::new() };
    let is_function = |item: &ComponentItem| matches!(item, ComponentItem::ComponentFunc(_));
    let exports = instance.exports(engine).filter(|(_, item)| is_function(&item.ty));
    exports.map(|(name, _)| name.to_owned()).collect()
}

fn check_names(imports: &[Import<'_>], exports: &[&str]) -> Result<Interfaces, LoadError> {
    for import in imports {
        check_import(import)?;
    }
    for interface in ["identity", "disk"] {
        if !has(exports, interface) {
            return Err(missing(exports, interface));
        }
    }
    let imports = sorted(&imports.iter().map(|import| import.name).collect::<Vec<_>>());
    let is_restricted = |import: &&String| RESTRICTED.iter().any(|prefix| import.starts_with(prefix));
    Ok(Interfaces {
        disk_modify: has(exports, "disk-modify"),
        snapshot: has(exports, "snapshot"),
        restricted: imports.iter().filter(is_restricted).cloned().collect(),
        imports,
        exports: sorted(exports),
    })
}

fn sorted(names: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    names.sort();
    names
}

fn check_import(import: &Import<'_>) -> Result<(), LoadError> {
    let name = import.name;
    let (package, offered) = match name.split_once('/').map_or(name, |(package, _)| package) {
        "kompox:driver" => ("kompox:driver", DRIVER_LINE),
        package if package.starts_with("wasi:") => ("WASI", WASI_LINE),
        _ => return Err(LoadError::UnknownImport { import: name.to_owned() }),
    };
    match line(name) {
        Some(needed) if needed == offered => check_offered(import),
        Some(needed) => Err(LoadError::Version { package, needed, offered }),
        None => Err(LoadError::UnknownImport { import: name.to_owned() }),
    }
}

/// A later operator of the same line may offer more than this one, and a driver may need it.
fn check_offered(import: &Import<'_>) -> Result<(), LoadError> {
    let Some((interface, version)) =
        import.name.strip_prefix("kompox:driver/").and_then(|rest| rest.split_once('@'))
    else {
        return Ok(());
    };
    let later = |what: String| LoadError::Later { what, version: version.to_owned(), offered: DRIVER_LINE };
    let Some((_, offered)) = OFFERED.iter().find(|(name, _)| *name == interface) else {
        return Err(later(format!("the interface `{interface}`")));
    };
    match import.functions.iter().find(|function| !offered.contains(&function.as_str())) {
        Some(function) => Err(later(format!("the function `{interface}.{function}`"))),
        None => Ok(()),
    }
}

/// The versions with which this one is compatible: `0.1` of `kompox:driver/disk@0.1.3`.
fn line(name: &str) -> Option<String> {
    let version = semver::Version::parse(name.split_once('@')?.1).ok()?;
    if !version.pre.is_empty() {
        return Some(version.to_string());
    }
    Some(if version.major > 0 { version.major.to_string() } else { format!("0.{}", version.minor) })
}

fn versions<'a>(exports: &'a [&str], interface: &'a str) -> impl Iterator<Item = String> + 'a {
    exports.iter().filter_map(move |export| {
        let (name, _) = export.strip_prefix("kompox:driver/")?.split_once('@')?;
        (name == interface).then(|| line(export)).flatten()
    })
}

fn has(exports: &[&str], interface: &str) -> bool {
    versions(exports, interface).any(|line| line == DRIVER_LINE)
}

fn missing(exports: &[&str], interface: &'static str) -> LoadError {
    match versions(exports, interface).next() {
        Some(needed) => LoadError::Version { package: "kompox:driver", needed, offered: DRIVER_LINE },
        None => LoadError::MissingExport { interface, found: listed(exports) },
    }
}

/// The first of some names, for people.
fn listed(names: &[&str]) -> String {
    let mut shown: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    if shown.is_empty() {
        return "nothing".to_owned();
    }
    if names.len() > NAMED {
        shown.push("and more".to_owned());
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use wit_parser::Resolve;

    fn import(name: &str) -> Import<'_> {
        Import { name, functions: Vec::new() }
    }

    const GOOD: [&str; 2] = ["kompox:driver/identity@0.1.0", "kompox:driver/disk@0.1.2"];

    #[test]
    fn optional_interfaces_and_restricted_imports_are_seen() {
        let exports = [
            GOOD[0],
            GOOD[1],
            "kompox:driver/snapshot@0.1.0",
            "kompox:driver/disk-modify@0.2.0",
            "a:b/c@1.0.0",
        ];
        let imports = ["wasi:sockets/tcp@0.2.3", "wasi:http/types@0.2.12", "kompox:driver/log@0.1.0"];
        let interfaces = check_names(&imports.map(import), &exports).unwrap();
        assert!(interfaces.snapshot && !interfaces.disk_modify);
        assert_eq!(interfaces.restricted, ["wasi:sockets/tcp@0.2.3"]);
    }

    #[test]
    fn refusals_name_the_versions() {
        let cases: &[(&[&str], &[&str], &str)] = &[
            (&["kompox:driver/log@0.2.0"], &GOOD, "driver needs kompox:driver 0.2; this operator offers 0.1"),
            (&["wasi:http/types@0.3.0"], &GOOD, "driver needs WASI 0.3; this operator offers 0.2"),
            (&["wasi:config/store@0.2.0-rc.1"], &GOOD, "needs WASI 0.2.0-rc.1"),
            (&["evil:host/exec@1.0.0"], &GOOD, "imports `evil:host/exec@1.0.0`"),
            (&["exec"], &GOOD, "imports `exec`"),
            (
                &[],
                &["kompox:driver/identity@0.2.0"],
                "driver needs kompox:driver 0.2; this operator offers 0.1",
            ),
            (&["kompox:driver/log@1.0.0"], &GOOD, "driver needs kompox:driver 1; this operator offers 0.1"),
            (&["kompox:cluster/nodes@0.1.0"], &GOOD, "imports `kompox:cluster/nodes@0.1.0`"),
            (&[], &GOOD[..1], "does not export `kompox:driver/disk`"),
            (&[], &["acme:cloud/disks@1.0.0"], "it exports `acme:cloud/disks@1.0.0`"),
            (
                &[],
                &[],
                "does not export `kompox:driver/identity`, which every driver must; it exports nothing",
            ),
            (
                &["kompox:driver/quota@0.1.7"],
                &GOOD,
                "driver needs the interface `quota` of kompox:driver 0.1.7, which this operator does not offer",
            ),
        ];
        for (imports, exports, expected) in cases {
            let imports: Vec<Import<'_>> = imports.iter().map(|name| import(name)).collect();
            let error = check_names(&imports, exports).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_function_that_came_later_is_named() {
        let of = |functions: &[&str]| {
            let functions = functions.iter().map(|name| (*name).to_owned()).collect();
            check_names(&[Import { name: "kompox:driver/call@0.1.3", functions }], &GOOD)
        };
        assert!(of(&["context", "remaining-ms"]).is_ok());
        let error = of(&["context", "deadline"]).unwrap_err().to_string();
        assert!(error.contains("the function `call.deadline` of kompox:driver 0.1.3"), "{error}");
    }

    #[test]
    fn what_is_offered_is_what_the_contract_says() {
        let mut resolve = Resolve::default();
        let (package, _) =
            resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/kompox-driver")).unwrap();
        let world = resolve.select_world(&[package], Some("imports")).unwrap();
        let ids = resolve.worlds[world].imports.values().filter_map(|item| match item {
            wit_parser::WorldItem::Interface { id, .. } => Some(&resolve.interfaces[*id]),
            _ => None,
        });
        let contract: Vec<(String, Vec<String>)> = ids
            .filter(|interface| interface.package == Some(package))
            .map(|interface| {
                (interface.name.clone().unwrap(), interface.functions.keys().cloned().collect::<Vec<_>>())
            })
            .collect();
        for (name, functions) in OFFERED {
            let found = contract.iter().find(|(interface, _)| interface == name);
            let sorted = |list: &[String]| list.iter().cloned().collect::<std::collections::BTreeSet<_>>();
            let expected: Vec<String> = functions.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(found.map(|(_, found)| sorted(found)), Some(sorted(&expected)), "{name}");
        }
        assert_eq!(contract.len(), OFFERED.len(), "{contract:?}");
    }
}
