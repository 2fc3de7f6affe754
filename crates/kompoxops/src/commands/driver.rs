//! `kompoxops driver`: provider drivers as files, as artifacts in registries, and as KompoxDrivers. Here the choice
//! among its commands, and what they share: reading a component.

mod checks;
mod inspect;
mod install;
mod keygen;
mod keys;
mod load;
mod ls;
pub(crate) mod objects;
mod origin;
mod pull;
mod push;
mod remote;
mod report;
mod save;
mod sign;
mod uninstall;
mod verify;

use std::path::Path;
use std::sync::Arc;

use clap::{Args, Subcommand};
use kompox_driver_runtime::{ComponentCache, Limits, Observer, Runtime, RuntimeOptions, unpack};

use crate::failure::Failure;
use crate::files;

/// Provider drivers: look into a component, check it as the operator does, carry it by registries, install it, see
/// which are there.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  From a file:
    kompoxops driver verify my-cloud.wasm
    kompoxops driver install my-cloud.wasm --egress declared
    kompoxops driver ls

  From a registry, signed:
    kompoxops driver keygen
    kompoxops driver push my-cloud.wasm oci://registry.example.com/acme/my-cloud:1.2.0
    kompoxops driver sign oci://registry.example.com/acme/my-cloud:1.2.0 --key cosign.key
    kubectl create secret generic cosign -n k4x-system --from-file=cosign.pub
    kompoxops driver install oci://registry.example.com/acme/my-cloud:1.2.0 \\
        --verify-key cosign/cosign.pub --egress declared

  To a place without that registry:
    kompoxops driver save oci://registry.example.com/acme/my-cloud:1.2.0 my-cloud.tar
    kompoxops driver load my-cloud.tar oci://registry.internal/acme/my-cloud:1.2.0

What `install` makes is a KompoxDriver, and for a file a ConfigMap of the operator's namespace:
  kubectl explain kompoxdriver.spec";

#[derive(Debug, Subcommand)]
enum Command {
    Inspect(inspect::Arguments),
    Verify(verify::Arguments),
    Install(install::Arguments),
    Uninstall(uninstall::Arguments),
    Ls(ls::Arguments),
    Push(push::Arguments),
    Pull(pull::Arguments),
    Save(save::Arguments),
    Load(load::Arguments),
    Keygen(keygen::Arguments),
    Sign(sign::Arguments),
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
        Command::Push(arguments) => push::run(arguments).await,
        Command::Pull(arguments) => pull::run(arguments).await,
        Command::Save(arguments) => save::run(arguments).await,
        Command::Load(arguments) => load::run(arguments).await,
        Command::Keygen(arguments) => keygen::run(arguments),
        Command::Sign(arguments) => sign::run(arguments).await,
    }
}

/// A runtime as the operator's, that keeps nothing and grants nothing.
fn runtime(observer: Arc<dyn Observer>) -> Result<Runtime, Failure> {
    let cache = ComponentCache::Disabled;
    let options = RuntimeOptions { cache, observer, ..RuntimeOptions::default() };
    Runtime::new(options)
        .map_err(|error| Failure::Output(format!("the driver runtime does not start: {error}")))
}

/// Most bytes of a component; the operator's bound.
fn component_limit() -> usize {
    Limits::default().component_bytes
}

/// The component in a file, unpacked.
fn component(path: &Path) -> Result<Vec<u8>, Failure> {
    let limit = component_limit();
    let packed = files::read(path, limit as u64)?;
    let bad = |message: String| Failure::BadFile { path: path.to_owned(), message };
    unpack(&path.to_string_lossy(), &packed, limit).map_err(|error| bad(error.to_string()))
}
