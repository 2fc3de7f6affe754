//! The demonstration: prepares everything, then hands over to the program `kompox-demo` of the tests' package.

use std::process::Command;

use crate::report::step;
use crate::shell::{self, Profile};
use crate::workspace::Workspace;
use crate::{drivers, images, setup};

/// What happens to the demo's processes at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// Everything ends.
    TearDown,
    /// Everything stays and the demo prints how to look around.
    Keep,
}

/// What runs the app's pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pods {
    /// Real containers where this machine can.
    WhereTheyRun,
    /// Nothing, also where it could.
    Simulated,
}

/// Runs the demonstration with debug builds: what counts is the time of a first run.
///
/// # Errors
/// When something does not build, or the demonstration fails.
pub(crate) fn run(workspace: &Workspace, afterwards: Afterwards, pods: Pods) -> anyhow::Result<()> {
    setup::for_builds(workspace)?;
    let drivers = drivers::run(workspace, Profile::Debug)?;
    // As `cargo xtask test` builds: a narrower choice has other features, and so a second build of most dependencies.
    step("build", || {
        shell::run(shell::cargo(&workspace.root).args(["build", "--workspace", "--all-targets"]))
    })?;
    let images = match pods {
        Pods::WhereTheyRun => images::where_containers_run(workspace)?,
        Pods::Simulated => None,
    };
    let mut demo = Command::new(workspace.executable(Profile::Debug, "kompox-demo"));
    demo.current_dir(&workspace.root)
        .env("KOMPOX_DRIVERS_DIR", &drivers)
        .env("KOMPOX_BIN_DIR", workspace.output(Profile::Debug));
    if let Some(images) = images {
        demo.env("KOMPOX_IMAGES_DIR", images);
    }
    if afterwards == Afterwards::Keep {
        demo.arg("--keep");
    }
    if pods == Pods::Simulated {
        demo.arg("--simulated");
    }
    step("demo", || shell::run(&mut demo))
}
