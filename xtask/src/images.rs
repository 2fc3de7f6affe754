//! The container images of the tests: builds the demo service as a static executable, and calls the image builder.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::report::step;
use crate::workspace::Workspace;
use crate::{setup, shell};

/// What the images are made for besides being made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// Fetch newer packages where there are some.
    pub(crate) update: bool,
    /// Make every image twice and compare.
    pub(crate) check: bool,
}

/// Makes the images that are not up to date; gives the folder that holds them.
///
/// # Errors
/// When the demo service does not build, or an image cannot be made or reproduced.
pub(crate) fn run(workspace: &Workspace, options: Options) -> anyhow::Result<PathBuf> {
    step("images", || {
        let target = setup::musl_target();
        setup::rust_target(workspace, &target)?;
        let demo = demo(workspace, &target)?;
        let out = workspace.target.join("images");
        let mut make = shell::cargo(&workspace.root);
        make.args(["run", "--quiet", "--package", "kompox-images", "--", "--demo"]).arg(&demo);
        make.arg("--out").arg(&out);
        make.args(options.update.then_some("--update")).args(options.check.then_some("--check"));
        shell::run(&mut make)?;
        Ok(out)
    })
}

/// As [`run`], where real containers may not be left out, or this machine has what they take; none elsewhere, where
/// tests and demo say themselves, loudly, what is missing. The images are made of Debian's packages.
///
/// # Errors
/// As [`run`].
pub(crate) fn where_containers_run(workspace: &Workspace) -> anyhow::Result<Option<PathBuf>> {
    let required = std::env::var_os("KOMPOX_REQUIRE_REAL_NODE").is_some_and(|value| value == "1");
    let has = |program: &str| shell::succeeds(Command::new(program).arg("--version"));
    let possible = has("containerd") && has("runc") && has("apt-get");
    (required || possible).then(|| run(workspace, Options::default())).transpose()
}

/// Builds the demo service. The folders of this machine do not get into it: its bytes are an input of the images.
fn demo(workspace: &Workspace, target: &str) -> anyhow::Result<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home =
        home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).context("there is no home folder")?;
    let mut build = shell::cargo(&workspace.root);
    build.args(["build", "--package", "kompox-demo-service", "--profile", "image", "--target", target]);
    build.env("RUSTFLAGS", format!("--remap-path-prefix={}=/cargo", home.display()));
    shell::run(&mut build)?;
    Ok(workspace.target.join(target).join("image/demo"))
}
