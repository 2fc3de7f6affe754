//! Brings a machine to the point where everything builds and every test can run. Safe to repeat.

mod tools;
mod venv;

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::drivers::TARGET;
use crate::report::step;
use crate::shell;
use crate::workspace::Workspace;

/// What is there after a setup.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    /// The Python environment that holds the cloud double.
    pub(crate) venv: PathBuf,
}

/// What builds take, and a Python environment for the tests.
///
/// # Errors
/// When a tool is missing (all missing ones are named with their remedies), or a download fails.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<Prepared> {
    step("setup", || {
        tools::check(&[tools::BUILDS, tools::TESTS].concat())?;
        targets(workspace)?;
        Ok(Prepared { venv: venv::ensure(workspace)? })
    })
}

/// Checks the tools and adds the targets of components and images: everything runs then but the tests.
///
/// # Errors
/// As [`run`].
pub(crate) fn for_builds(workspace: &Workspace) -> anyhow::Result<()> {
    step("setup", || {
        tools::check(tools::BUILDS)?;
        targets(workspace)
    })
}

fn targets(workspace: &Workspace) -> anyhow::Result<()> {
    rust_target(workspace, TARGET)?;
    rust_target(workspace, &musl_target())
}

/// Adds a target to the toolchain when its standard library is not there.
///
/// # Errors
/// When it is missing and there is no rustup to add it.
pub(crate) fn rust_target(workspace: &Workspace, target: &str) -> anyhow::Result<()> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut question = Command::new(rustc);
    question.current_dir(&workspace.root).args(["--print", "target-libdir", "--target", target]);
    let folder = PathBuf::from(shell::output(&mut question)?.trim());
    if folder.is_dir() {
        eprintln!("    target {target}: installed");
        return Ok(());
    }
    let mut add = Command::new("rustup");
    add.current_dir(&workspace.root).args(["target", "add", target]);
    shell::run(&mut add).with_context(|| {
        format!("the Rust target {target} is missing; install Rust with rustup (https://rustup.rs), or add the target to this toolchain by hand")
    })
}

/// Static executables for this processor.
pub(crate) fn musl_target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}
