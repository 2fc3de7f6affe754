//! Builds the members that are provider drivers as WebAssembly components. Those below `drivers/` are put beside
//! the operator; the examples of third parties' drivers go to a folder of their own, from where nobody loads them
//! unasked.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use crate::report::step;
use crate::shell::{self, Profile};
use crate::workspace::{Package, Workspace};

/// The target of every component.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Where the drivers' sources are, and the folder below the output that takes their components.
const FOLDERS: [(&str, &str); 2] = [("drivers", "drivers"), ("examples", "example-drivers")];
/// The rest of a driver's package name is the driver's own.
const PREFIX: &str = "kompox-driver-";

/// Largest component that may ship, in bytes: a driver stays small enough for a ConfigMap with room to grow.
const LARGEST: u64 = 300_000;

/// Builds, copies and weighs the components; gives the folder that now holds the operator's own ones.
///
/// # Errors
/// When a driver does not build or is heavier than allowed.
pub(crate) fn run(workspace: &Workspace, profile: Profile) -> anyhow::Result<PathBuf> {
    step("drivers", || build(workspace, profile))
}

/// [`run`] without the heading.
///
/// # Errors
/// As [`run`].
pub(crate) fn build(workspace: &Workspace, profile: Profile) -> anyhow::Result<PathBuf> {
    let output = workspace.output(profile);
    let mut drivers: Vec<(&Package, PathBuf)> = Vec::new();
    for (sources, folder) in FOLDERS {
        let below = workspace.packages.iter().filter(|package| is_below(workspace, package, sources));
        drivers.extend(below.map(|driver| (driver, output.join(folder))));
    }
    ensure!(!drivers.is_empty(), "no member of the workspace is a driver");
    let mut command = shell::cargo(&workspace.root);
    command.args(["build", "--target", TARGET, "--profile", "driver", "--lib"]);
    for (driver, _) in &drivers {
        command.args(["--package", driver.name.as_str()]);
    }
    shell::run(&mut command)?;
    drivers.iter().try_for_each(|(driver, folder)| place(workspace, driver, folder))?;
    Ok(output.join("drivers"))
}

fn is_below(workspace: &Workspace, package: &Package, sources: &str) -> bool {
    package.manifest_path.starts_with(workspace.root.join(sources))
}

/// Copies one component to `<folder>/<driver>.wasm`.
fn place(workspace: &Workspace, driver: &Package, folder: &Path) -> anyhow::Result<()> {
    let built =
        workspace.target.join(TARGET).join("driver").join(format!("{}.wasm", driver.name.replace('-', "_")));
    let name = driver.name.strip_prefix(PREFIX);
    let name = name.with_context(|| format!("the driver {} must be called {PREFIX}…", driver.name))?;
    fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    let place = folder.join(name).with_extension("wasm");
    // A running operator may have the old file open: replace it whole, never write into it.
    let partial = place.with_extension("partial");
    let size = fs::copy(&built, &partial)
        .with_context(|| format!("failed to copy {} to {}", built.display(), partial.display()))?;
    fs::rename(&partial, &place).with_context(|| format!("failed to put {} in place", place.display()))?;
    eprintln!("    {name:<8}{size:>9} bytes  {}", place.display());
    check_size(&driver.name, size)
}

fn check_size(name: &str, size: u64) -> anyhow::Result<()> {
    if size > LARGEST {
        bail!("{name} has {size} bytes, more than the {LARGEST} a component may have");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_allowed_and_one_byte_more_is_not() {
        assert!(check_size("eks", LARGEST).is_ok());
        let error = check_size("eks", LARGEST + 1).unwrap_err().to_string();
        assert_eq!(error, "eks has 300001 bytes, more than the 300000 a component may have");
    }
}
