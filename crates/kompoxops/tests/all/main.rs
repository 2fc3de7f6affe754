//! The executable as users meet it: exit codes, what is on which stream, help, offline commands. No cluster.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod compose;
mod driver;
mod help;
mod offline;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs `kompoxops` without the environment of whoever runs the tests.
fn kompoxops(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kompoxops"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("XDG_STATE_HOME", folder.join("state"))
        .env("COLUMNS", "100")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn gitea() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/gitea")
}
