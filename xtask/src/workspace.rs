//! What Cargo knows of the workspace: its members, who depends on whom, where output goes.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::shell;

/// The part of `cargo metadata --no-deps` (format 1) that the tasks read.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Workspace {
    /// Folder of the root Cargo.toml.
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    /// Where Cargo puts what it builds.
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
    /// The members.
    pub(crate) packages: Vec<Package>,
}

/// One member.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Package {
    /// Name in its Cargo.toml.
    pub(crate) name: String,
    /// Its Cargo.toml.
    pub(crate) manifest_path: PathBuf,
    /// Declared dependencies of every kind.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a `[dependencies]` table.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Dependency {
    /// Name of the package, also where it is renamed.
    pub(crate) name: String,
    /// `None` for normal ones, else `dev` or `build`.
    pub(crate) kind: Option<String>,
    /// Folder, for a dependency of this workspace.
    pub(crate) path: Option<PathBuf>,
}

impl Workspace {
    /// Asks Cargo.
    ///
    /// # Errors
    /// When Cargo refuses the manifests.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let text = shell::output(shell::cargo(&here).args(["metadata", "--format-version=1", "--no-deps"]))?;
        serde_json::from_str(&text).context("failed to read `cargo metadata`")
    }

    /// `target/debug` or `target/release`.
    pub(crate) fn output(&self, profile: shell::Profile) -> PathBuf {
        self.target.join(profile.folder())
    }

    /// An executable of this workspace, built before by `cargo build --workspace --bins`.
    pub(crate) fn executable(&self, profile: shell::Profile, name: &str) -> PathBuf {
        self.output(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

impl Package {
    /// The member's folder.
    ///
    /// # Errors
    /// When Cargo gave a manifest path without a folder.
    pub(crate) fn folder(&self) -> anyhow::Result<&Path> {
        self.manifest_path.parent().with_context(|| format!("{} has no folder", self.name))
    }
}
