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

/// Checks the tools, adds the wasm target and makes the Python environment.
///
/// # Errors
/// When a tool is missing (all missing ones are named with their remedies), or a download fails.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<Prepared> {
    step("setup", || {
        tools::check(&tools::REQUIRED)?;
        wasm_target(workspace)?;
        Ok(Prepared { venv: venv::ensure(workspace)? })
    })
}

/// Adds the components' target to the toolchain when its standard library is not there.
fn wasm_target(workspace: &Workspace) -> anyhow::Result<()> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut question = Command::new(rustc);
    question.current_dir(&workspace.root).args(["--print", "target-libdir", "--target", TARGET]);
    let folder = PathBuf::from(shell::output(&mut question)?.trim());
    if folder.is_dir() {
        eprintln!("    target {TARGET}: installed");
        return Ok(());
    }
    let mut add = Command::new("rustup");
    add.current_dir(&workspace.root).args(["target", "add", TARGET]);
    shell::run(&mut add).with_context(|| {
        format!("the Rust target {TARGET} is missing; install Rust with rustup (https://rustup.rs), or add the target to this toolchain by hand")
    })
}
