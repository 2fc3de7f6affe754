//! The tasks as a command line. What a task does stands in the file of its name.

use clap::{Parser, Subcommand};

use crate::shell::Profile;
use crate::workspace::Workspace;
use crate::{bench, check, demo, drivers, gen_files, images, layers, setup, test};

/// Everything one does to this repository besides editing it.
#[derive(Debug, Parser)]
#[command(
    bin_name = "cargo xtask",
    after_help = "Examples:\n  cargo xtask demo          see the whole product work, in one go\n  cargo xtask test          run every check and every test\n  cargo xtask gen           write the generated files again"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what builds and tests need: the Rust targets of drivers and images, and a Python environment with the cloud double
    Setup,
    /// Build the provider drivers as components and put them beside the operator
    Drivers {
        /// Put them beside the release build
        #[arg(long)]
        release: bool,
    },
    /// Make the container images of the tests, from Debian's packages and our demo service, into target/images
    Images {
        /// Fetch newer packages where there are some
        #[arg(long)]
        update: bool,
        /// Make every image a second time and fail when its bytes differ
        #[arg(long)]
        check: bool,
    },
    /// Write the generated files (the CRD manifests)
    Gen {
        /// Write nothing; fail when a file is not what would be written
        #[arg(long)]
        check: bool,
    },
    /// Check who depends on whom against the layers of ARCHITECTURE.md
    Layers,
    /// Format, lints, layers, generated files, dependency policy
    Check,
    /// Set up, build, check and run every test
    Test,
    /// Show a Compose app from disk to restored snapshot on a local control plane
    Demo {
        /// Leave everything running and say how to look around
        #[arg(long)]
        keep: bool,
        /// Let pods be simulated, also where containers could run
        #[arg(long)]
        simulated: bool,
    },
    /// Measure
    Bench {
        #[command(subcommand)]
        subject: bench::Subject,
    },
}

/// Runs the chosen task.
pub(crate) fn run(cli: &Cli) -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    match &cli.task {
        Task::Setup => setup::run(&workspace).map(drop),
        Task::Drivers { release } => {
            drivers::run(&workspace, if *release { Profile::Release } else { Profile::Debug }).map(drop)
        }
        Task::Images { update, check } => {
            images::run(&workspace, images::Options { update: *update, check: *check }).map(drop)
        }
        Task::Gen { check } => {
            gen_files::run(&workspace, if *check { gen_files::Mode::Check } else { gen_files::Mode::Write })
                .map(drop)
        }
        Task::Layers => layers::run(&workspace),
        Task::Check => check::run(&workspace),
        Task::Test => test::run(&workspace),
        Task::Demo { keep, simulated } => {
            let afterwards = if *keep { demo::Afterwards::Keep } else { demo::Afterwards::TearDown };
            let pods = if *simulated { demo::Pods::Simulated } else { demo::Pods::WhereTheyRun };
            demo::run(&workspace, afterwards, pods)
        }
        Task::Bench { subject } => bench::run(&workspace, *subject),
    }
}
