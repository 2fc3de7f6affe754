//! One file for each command; here only the choice among them.

mod apply;
pub mod check;
pub mod config;
pub mod dev;
pub mod driver;
pub mod explain;
pub mod render;
mod request;
pub mod status;
pub mod up;
mod wait;

use crate::cli::{Cli, Command};
use crate::failure::Failure;

/// Runs the chosen command to its end, or until Ctrl-C.
///
/// # Errors
/// What the command says; [`Failure::Interrupted`] for Ctrl-C.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Up(arguments) => interruptible(up::run(&arguments)).await,
        Command::Render(arguments) => render::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Config(arguments) => config::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Driver(arguments) => interruptible(driver::run(&arguments)).await,
        Command::Status(arguments) => interruptible(status::run(&arguments)).await,
        // It ends its processes in order, so it listens to signals itself.
        Command::Dev(arguments) => dev::run(&arguments).await,
    }
}

async fn interruptible(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::select! {
        result = work => result,
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
    }
}
