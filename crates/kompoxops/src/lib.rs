//! The Kompox command line as a library: `main.rs` only calls [`main`].
//!
//! [`cli`] defines the command line, [`arguments`] what commands share of it, [`commands`] has a file for each
//! command, [`generate`] makes the objects of an app (pure), [`output`] writes data to standard output, [`console`]
//! everything else to standard error.

pub mod arguments;
pub mod cli;
pub mod cluster;
pub mod commands;
pub mod compose_input;
pub mod console;
pub mod conversion;
pub mod dev;
pub mod failure;
pub mod files;
pub mod generate;
pub mod naming;
pub mod output;
pub mod registry;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use failure::Failure;

/// Parses the arguments, runs the command, prints a failure, and gives the exit code of the reference.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = match cli::Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are data and no failure; clap picks the stream and the number.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(failure::USAGE));
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::from(failure::OK),
        Err(failure) => {
            console::note(format!("error: {failure}"));
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(cli: cli::Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::Output(format!("failed to start the runtime: {error}")))?;
    runtime.block_on(commands::run(cli))
}
