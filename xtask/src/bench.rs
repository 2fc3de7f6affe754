//! Measurements on release builds; the measuring itself is in the tests' package.

use std::process::Command;

use clap::Subcommand;

use crate::report::step;
use crate::shell::{self, Profile};
use crate::workspace::Workspace;
use crate::{drivers, setup};

/// What is measured.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Subject {
    /// 1,000 disks to Ready, against the same writes made bare
    Disks,
    /// Compose files to objects, against kompose ($KOMPOSE, else on the PATH) and a bare YAML parse; the real
    /// files are those below $KOMPOX_CORPUS
    Compose,
    /// Drivers: a call, loading, memory, against the same driver linked natively, swapping under load
    Drivers,
    /// What a driver's calls feel of adversaries in the same operator
    Neighbour,
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Disks => "disks",
            Self::Compose => "compose",
            Self::Drivers => "drivers",
            Self::Neighbour => "neighbour",
        }
    }
}

/// Builds in release and measures.
///
/// # Errors
/// When something does not build, or the measurement fails.
pub(crate) fn run(workspace: &Workspace, subject: Subject) -> anyhow::Result<()> {
    let mut bench = Command::new(workspace.executable(Profile::Release, "kompox-bench"));
    bench
        .current_dir(&workspace.root)
        .env("KOMPOX_BIN_DIR", workspace.output(Profile::Release))
        .arg(subject.name());
    match subject {
        Subject::Disks => {
            let prepared = setup::run(workspace)?;
            let drivers = drivers::run(workspace, Profile::Release)?;
            bench.env("KOMPOX_VENV", &prepared.venv).env("KOMPOX_DRIVERS_DIR", &drivers);
            build(workspace, &["--workspace", "--exclude", "xtask"])?;
        }
        Subject::Compose => build(workspace, &["--package", "kompoxops", "--package", "kompox-tests"])?,
        Subject::Drivers => {
            bench.env("KOMPOX_DRIVERS_DIR", drivers::run(workspace, Profile::Release)?);
            build(workspace, &["--package", "kompox-tests"])?;
        }
        Subject::Neighbour => return neighbour(workspace),
    }
    step("bench", || shell::run(&mut bench))
}

/// The adversaries are those of the runtime's tests, and so it is an example there.
fn neighbour(workspace: &Workspace) -> anyhow::Result<()> {
    let mut cargo = shell::cargo(&workspace.root);
    cargo.args(["run", "--release", "--package", "kompox-driver-runtime", "--example", "neighbour"]);
    step("bench", || shell::run(&mut cargo))
}

fn build(workspace: &Workspace, packages: &[&str]) -> anyhow::Result<()> {
    let mut cargo = shell::cargo(&workspace.root);
    cargo.args(["build", "--release", "--bins"]).args(packages);
    step("build", || shell::run(&mut cargo))
}
