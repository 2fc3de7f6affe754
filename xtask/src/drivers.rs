//! Builds every member below `drivers/` as a WebAssembly component and puts it beside the operator.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use crate::report::step;
use crate::shell::{self, Profile};
use crate::workspace::{Package, Workspace};

/// The target of every component.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Largest component that may ship, in bytes: a driver stays small enough for a ConfigMap with room to grow.
const LARGEST: u64 = 300_000;

/// Builds, copies and weighs the components; gives the folder that now holds them.
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
    let drivers: Vec<_> = workspace.packages.iter().filter(|package| is_driver(workspace, package)).collect();
    ensure!(!drivers.is_empty(), "no member of the workspace lies below drivers/");
    let mut command = shell::cargo(&workspace.root);
    command.args(["build", "--target", TARGET, "--profile", "driver", "--lib"]);
    for driver in &drivers {
        command.args(["--package", driver.name.as_str()]);
    }
    shell::run(&mut command)?;
    let folder = workspace.output(profile).join("drivers");
    fs::create_dir_all(&folder).with_context(|| format!("failed to create {}", folder.display()))?;
    drivers.iter().try_for_each(|driver| place(workspace, driver, &folder))?;
    Ok(folder)
}

fn is_driver(workspace: &Workspace, package: &Package) -> bool {
    package.manifest_path.starts_with(workspace.root.join("drivers"))
}

/// Copies one component to `<folder>/<driver>.wasm`; the driver's name is that of its folder.
fn place(workspace: &Workspace, driver: &Package, folder: &Path) -> anyhow::Result<()> {
    let built =
        workspace.target.join(TARGET).join("driver").join(format!("{}.wasm", driver.name.replace('-', "_")));
    let name = driver.folder()?.file_name().context("a driver's folder has no name")?;
    let place = folder.join(name).with_extension("wasm");
    // A running operator may have the old file open: replace it whole, never write into it.
    let partial = place.with_extension("partial");
    let size = fs::copy(&built, &partial)
        .with_context(|| format!("failed to copy {} to {}", built.display(), partial.display()))?;
    fs::rename(&partial, &place).with_context(|| format!("failed to put {} in place", place.display()))?;
    eprintln!("    {:<8}{size:>9} bytes  {}", name.to_string_lossy(), place.display());
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
