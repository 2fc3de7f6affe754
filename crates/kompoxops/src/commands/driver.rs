//! `kompoxops driver`: provider drivers as files and as KompoxDrivers. Here the choice among its commands, and what
//! they share: reading a component.

mod inspect;
mod install;
mod ls;
pub(crate) mod objects;
mod uninstall;
mod verify;

use std::path::Path;
use std::sync::Arc;

use clap::{Args, Subcommand};
use kompox_driver_runtime::{ComponentCache, Observer, Runtime, RuntimeOptions, unpack};

use crate::failure::Failure;

/// Provider drivers: look into a component, check it as the operator does, install it, see which are there.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops driver inspect my-cloud.wasm
  kompoxops driver verify my-cloud.wasm.zst
  kompoxops driver install my-cloud.wasm --egress declared
  kompoxops driver ls

What `install` makes is a ConfigMap of the operator's namespace and a KompoxDriver that names it:
  kubectl explain kompoxdriver.spec";

#[derive(Debug, Subcommand)]
enum Command {
    Inspect(inspect::Arguments),
    Verify(verify::Arguments),
    Install(install::Arguments),
    Uninstall(uninstall::Arguments),
    Ls(ls::Arguments),
}

/// Runs the command.
///
/// # Errors
/// What the command says.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Inspect(arguments) => inspect::run(arguments).await,
        Command::Verify(arguments) => verify::run(arguments).await,
        Command::Install(arguments) => install::run(arguments).await,
        Command::Uninstall(arguments) => uninstall::run(arguments).await,
        Command::Ls(arguments) => ls::run(arguments).await,
    }
}

/// A runtime as the operator's, that keeps nothing and grants nothing.
fn runtime(observer: Arc<dyn Observer>) -> Result<Runtime, Failure> {
    let cache = ComponentCache::Disabled;
    let options = RuntimeOptions { cache, observer, ..RuntimeOptions::default() };
    Runtime::new(options)
        .map_err(|error| Failure::Output(format!("the driver runtime does not start: {error}")))
}

/// The component in a file, unpacked.
fn component(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;
    let failed = |source| Failure::ReadFile { path: path.to_owned(), source };
    let bad = |message: String| Failure::BadFile { path: path.to_owned(), message };
    let mut packed = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take((limit as u64).saturating_add(1)).read_to_end(&mut packed).map_err(failed)?;
    unpack(&path.to_string_lossy(), &packed, limit).map_err(|error| bad(error.to_string()))
}
