//! `kompoxops dev kubectl`: the genuine kubectl, built with the cluster, for machines that have none.

use std::os::unix::process::CommandExt as _;

use clap::Args;
use kompox_devcluster::Reporter;
use kompox_devcluster::binary::{Binaries, BinarySource};

use super::running;
use crate::dev::failed;
use crate::dev::layout::Layout;
use crate::failure::Failure;

/// Runs kubectl against the development cluster, whatever KUBECONFIG says.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What kubectl is told
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

/// Becomes kubectl.
///
/// # Errors
/// When the cluster does not run or there is no kubectl.
pub(super) async fn run(layout: &Layout, arguments: &Arguments) -> Result<(), Failure> {
    let (_, cluster) = running(layout)?;
    let binaries = Binaries::find(&BinarySource::Search, &Reporter::default()).await;
    let binaries = binaries.map_err(|error| failed(&error))?;
    let mut command = binaries.kubectl(&cluster.kubeconfig);
    // Does not return unless it fails: signals, terminal and exit code are kubectl's own.
    let error = command.as_std_mut().args(&arguments.arguments).exec();
    Err(failed(&error))
}
