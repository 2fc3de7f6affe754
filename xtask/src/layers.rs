//! Checks that the code keeps to the layers of ARCHITECTURE.md: who depends on whom, what may not occur
//! below whom, and that every member is under the workspace's lints. Reads manifests; changes nothing.

mod table;
#[cfg(test)]
mod tests;

use std::fs;

use anyhow::Context as _;

use crate::shell;
use crate::workspace::{Dependency, Package, Workspace};
use table::{BANNED, PURE_BANS, Purity, Rule, TOP, rule_of};

/// Runs all checks of this file.
///
/// # Errors
/// When something is not as the table says; the message has a line for each violation.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let mut violations = Vec::new();
    let root_clippy = read(workspace.root.join("clippy.toml"))?;
    for package in &workspace.packages {
        violations.extend(declared(package));
        let folder = package.folder()?;
        violations.extend(lints(&package.name, &read(&package.manifest_path)?));
        let Some(rule) = rule_of(&package.name) else { continue };
        if !rule.never.is_empty() {
            violations.extend(reached(
                &package.name,
                rule.never,
                &closure(workspace, &["-p", &package.name])?,
            ));
        }
        if rule.purity == Purity::Pure {
            let clippy = fs::read_to_string(folder.join("clippy.toml")).unwrap_or_default();
            violations.extend(pure_clippy(&package.name, &root_clippy, &clippy));
        }
    }
    violations.extend(reached(
        "the workspace",
        BANNED,
        &closure(workspace, &["--workspace", "--target=all"])?,
    ));
    if violations.is_empty() {
        eprintln!("    {} members keep to their layers", workspace.packages.len());
        return Ok(());
    }
    anyhow::bail!("the layers are broken:\n  {}", violations.join("\n  "))
}

fn read(path: impl AsRef<std::path::Path>) -> anyhow::Result<String> {
    let path = path.as_ref();
    fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))
}

/// Declared dependencies between members, against the table.
fn declared(package: &Package) -> Vec<String> {
    let Some(rule) = rule_of(&package.name) else {
        return vec![format!(
            "{} is in no layer: enter it in xtask/src/layers/table.rs and in ARCHITECTURE.md",
            package.name
        )];
    };
    let internal = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
    internal.filter_map(|dependency| forbidden(package, rule, dependency)).collect()
}

/// Tests may use members of any layer but the top; all else keeps to the rule.
fn forbidden(package: &Package, rule: &Rule, dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    let is_test = dependency.kind.as_deref() == Some("dev");
    let allowed = rule.allows(name) || (is_test && !TOP.contains(&name));
    let kind = if is_test { "in its tests " } else { "" };
    (!allowed)
        .then(|| format!("{} may not use {name} {kind}({})", package.name, package.manifest_path.display()))
}

/// Names of all packages that end up in a build of the selection, proc macros and dev-dependencies aside.
/// Cargo's resolver does the work: only it knows which features, and so which packages, a member really gets.
fn closure(workspace: &Workspace, selection: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut command = shell::cargo(&workspace.root);
    command.args(["tree", "--quiet", "--edges=normal,build,no-proc-macro", "--prefix=none", "--format={p}"]);
    Ok(package_names(&shell::output(command.args(selection))?))
}

/// The first word of every line of `cargo tree --prefix=none --format={p}`.
fn package_names(tree: &str) -> Vec<String> {
    let mut names: Vec<_> =
        tree.lines().filter_map(|line| line.split_whitespace().next()).map(ToOwned::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Packages of `never` that are among `names`.
fn reached(who: &str, never: &[&str], names: &[String]) -> Vec<String> {
    never
        .iter()
        .filter(|banned| names.iter().any(|name| name == *banned))
        .map(|banned| {
            format!("{who} may not depend on {banned}, not even indirectly: see `cargo tree -i {banned}`")
        })
        .collect()
}

/// A member that does not inherit the workspace's lints is not checked by them.
fn lints(member: &str, manifest: &str) -> Option<String> {
    let inherits = manifest
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[lints]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .any(|line| line.replace(' ', "") == "workspace=true");
    (!inherits).then(|| format!("{member} does not have `[lints] workspace = true`"))
}

/// A member's clippy.toml replaces the root's: it must repeat the root's keys and add the bans of a pure member.
fn pure_clippy(member: &str, root: &str, own: &str) -> Vec<String> {
    let settings = root.lines().map(str::trim).filter(|line| line.contains('=') && !line.starts_with('#'));
    let missing_settings = settings
        .filter(|setting| !own.lines().any(|line| line.trim() == *setting))
        .map(|setting| format!("{member}/clippy.toml must repeat `{setting}` of the root"));
    let missing_bans = PURE_BANS
        .iter()
        .filter(|path| !own.contains(&format!("path = \"{path}\"")))
        .map(|path| format!("{member}/clippy.toml must ban {path}: the crate is pure"));
    missing_settings.chain(missing_bans).collect()
}
