//! Which interfaces a component imports and exports, read from its type without running it.

use crate::error::LoadError;
use wasmtime::{Engine, component::types};

/// The version line of the contract that this operator offers.
const DRIVER_LINE: &str = "0.1";
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

/// Checks names and versions, so that the linker's refusals are about shapes only.
pub(super) fn check(component: &types::Component, engine: &Engine) -> Result<Interfaces, LoadError> {
    let imports: Vec<&str> = component.imports(engine).map(|(name, _)| name).collect();
    let exports: Vec<&str> = component.exports(engine).map(|(name, _)| name).collect();
    check_names(&imports, &exports)
}

fn check_names(imports: &[&str], exports: &[&str]) -> Result<Interfaces, LoadError> {
    for import in imports {
        check_import(import)?;
    }
    for interface in ["identity", "disk"] {
        if !has(exports, interface) {
            return Err(missing(exports, interface));
        }
    }
    let mut restricted: Vec<String> = imports
        .iter()
        .filter(|import| RESTRICTED.iter().any(|prefix| import.starts_with(prefix)))
        .map(|import| (*import).to_owned())
        .collect();
    restricted.sort();
    Ok(Interfaces {
        disk_modify: has(exports, "disk-modify"),
        snapshot: has(exports, "snapshot"),
        restricted,
        imports: sorted(imports),
        exports: sorted(exports),
    })
}

fn sorted(names: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    names.sort();
    names
}

fn check_import(import: &str) -> Result<(), LoadError> {
    let (package, offered) = match import.split_once('/').map_or(import, |(package, _)| package) {
        "kompox:driver" => ("kompox:driver", DRIVER_LINE),
        package if package.starts_with("wasi:") => ("WASI", WASI_LINE),
        _ => return Err(LoadError::UnknownImport { import: import.to_owned() }),
    };
    match line(import) {
        Some(needed) if needed == offered => Ok(()),
        Some(needed) => Err(LoadError::Version { package, needed, offered }),
        None => Err(LoadError::UnknownImport { import: import.to_owned() }),
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
        None => LoadError::MissingExport { interface },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let interfaces = check_names(&imports, &exports).unwrap();
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
            (&[], &GOOD[..1], "does not export `kompox:driver/disk`"),
            (&[], &[], "does not export `kompox:driver/identity`"),
        ];
        for (imports, exports, expected) in cases {
            let error = check_names(imports, exports).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
