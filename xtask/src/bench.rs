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
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Disks => "disks",
        }
    }
}

/// Builds in release and measures.
///
/// # Errors
/// When something does not build, or the measurement fails.
pub(crate) fn run(workspace: &Workspace, subject: Subject) -> anyhow::Result<()> {
    let prepared = setup::run(workspace)?;
    let drivers = drivers::run(workspace, Profile::Release)?;
    let build = ["build", "--release", "--workspace", "--bins", "--exclude", "xtask"];
    step("build", || shell::run(shell::cargo(&workspace.root).args(build)))?;
    let mut bench = Command::new(workspace.executable(Profile::Release, "kompox-bench"));
    bench
        .current_dir(&workspace.root)
        .env("KOMPOX_VENV", &prepared.venv)
        .env("KOMPOX_DRIVERS_DIR", &drivers)
        .env("KOMPOX_BIN_DIR", workspace.output(Profile::Release))
        .arg(subject.name());
    step("bench", || shell::run(&mut bench))
}
