//! The project's automation. One file per task; this one only picks the task.
//!
//! It must build in seconds: nothing but anyhow, clap and serde may be a dependency.

mod bench;
mod check;
mod cli;
mod demo;
mod drivers;
mod gen_files;
mod images;
mod layers;
mod report;
mod setup;
mod shell;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::run(&cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Never with a backtrace: the message is for the person at the keyboard.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
