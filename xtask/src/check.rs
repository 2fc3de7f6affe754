//! Everything that can be said about the code without running it.

use std::process::Command;

use crate::report::{Outcome, Report};
use crate::workspace::Workspace;
use crate::{drivers, gen_files, layers, shell};

/// Runs all checks, the later ones also when an earlier one failed.
///
/// # Errors
/// When a check found something.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let mut report = Report::default();
    parts(workspace, &mut report);
    report.finish()
}

/// Adds the checks to a larger run.
pub(crate) fn parts(workspace: &Workspace, report: &mut Report) {
    report.part("format", || cargo(workspace, &["fmt", "--all", "--check"]));
    report.part("lints", || {
        cargo(workspace, &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])
    });
    report.part("Compose reader for WebAssembly", || {
        cargo(workspace, &["check", "--package", "kompox-compose", "--target", drivers::TARGET])
    });
    report.part("layers", || {
        layers::run(workspace)?;
        Ok(Outcome::Passed(format!("{} members", workspace.packages.len())))
    });
    report.part("generated files", || {
        let count = gen_files::run(workspace, gen_files::Mode::Check)?;
        Ok(Outcome::Passed(format!("{count} generators")))
    });
    report.part("dependency policy", || dependency_policy(workspace));
}

fn cargo(workspace: &Workspace, arguments: &[&str]) -> anyhow::Result<Outcome> {
    shell::run(shell::cargo(&workspace.root).args(arguments))?;
    Ok(Outcome::Passed(String::new()))
}

/// deny.toml, by cargo-deny. It takes longer to build than the product, so it stays optional here; the bans
/// are also part of the layers' check, which always runs.
fn dependency_policy(workspace: &Workspace) -> anyhow::Result<Outcome> {
    if !shell::succeeds(Command::new("cargo-deny").arg("--version")) {
        return Ok(Outcome::NotInstalled(
            "cargo-deny is not installed (optional: `cargo install --locked cargo-deny`); bans were checked with the layers".into(),
        ));
    }
    cargo(workspace, &["deny", "--workspace", "check"])
}
