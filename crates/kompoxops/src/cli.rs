//! The command line as a whole, and what `--help` teaches of it. A command stands in its own file, arguments of
//! several in `arguments.rs`.

use clap::{Parser, Subcommand};

use crate::commands::{check, config, dev, driver, explain, render, status, up};

/// Runs Docker Compose apps with real disks on Kubernetes.
#[derive(Debug, Parser)]
#[command(
    name = "kompoxops",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = EXAMPLES
)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  A cluster on this machine, pods simulated, then an app on it:
    kompoxops dev up
    export KUBECONFIG=\"$(kompoxops dev kubeconfig --path)\"
    kompoxops up -f compose.yml --wait
    kompoxops status

  See what a Compose file becomes, without a cluster:
    kompoxops check -f compose.yml
    kompoxops render -f compose.yml
    kompoxops explain KPX7201

Exit codes: 0 ok, 1 failed, 2 usage, 3 invalid input, 4 not ready in time,
            5 refused for data safety, 130 interrupted.";

// The variants carry no text of their own: help takes that of the arguments, which stands beside the command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(up::Arguments),
    Render(render::Arguments),
    Check(check::Arguments),
    Config(config::Arguments),
    Explain(explain::Arguments),
    Status(status::Arguments),
    Driver(driver::Arguments),
    Dev(dev::Arguments),
}
