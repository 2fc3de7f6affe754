//! Generated files. Each generator writes its files or compares them; a new one is a line in the list.

use anyhow::Context as _;

use crate::shell;
use crate::workspace::Workspace;

/// Whether files may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Bring them up to date.
    Write,
    /// Fail when they are not.
    Check,
}

/// A program of the workspace that writes files.
struct Generator {
    /// What it writes.
    name: &'static str,
    /// The Cargo command that starts it.
    command: &'static [&'static str],
    /// Its arguments to write.
    write: &'static [&'static str],
    /// Its arguments to compare.
    check: &'static [&'static str],
}

const GENERATORS: &[Generator] = &[
    Generator {
        name: "the CRD manifests",
        command: &["run", "--quiet", "--package", "kompox-crds", "--bin", "crdgen", "--"],
        write: &["--out", "crds/manifests"],
        check: &["--check", "crds/manifests"],
    },
    Generator {
        name: "the page of the conversion table",
        command: &["run", "--quiet", "--package", "kompox-core", "--bin", "matrixgen", "--"],
        write: &["--out", "docs/compose.md"],
        check: &["--check", "docs/compose.md"],
    },
];

/// Runs every generator under its own heading; the number of generators is given back.
///
/// # Errors
/// At the first generator that fails or, in a check, finds a stale file.
pub(crate) fn run(workspace: &Workspace, mode: Mode) -> anyhow::Result<usize> {
    for generator in GENERATORS {
        let arguments = if mode == Mode::Check { generator.check } else { generator.write };
        shell::run(shell::cargo(&workspace.root).args(generator.command).args(arguments)).with_context(
            || format!("{} are stale or could not be made; `cargo xtask gen` writes them", generator.name),
        )?;
    }
    Ok(GENERATORS.len())
}
