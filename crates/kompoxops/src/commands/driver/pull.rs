//! `kompoxops driver pull`: a component from a registry becomes a file.

use std::path::PathBuf;

use clap::Args;
use kompox_driver_runtime::digest;
use kompox_signature::Policy;

use super::report::{Common, Report};
use super::{install, keys, remote::Remote};
use crate::failure::Failure;
use crate::files;
use crate::registry::{OciReference, Purpose};

/// Pulls a component from a registry into a file. With a key its signature is verified before a byte of it is pulled.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Which artifact
    #[arg(value_name = "oci://REFERENCE")]
    reference: OciReference,
    /// File to write [default: the end of the repository, with .wasm, here]
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Public key that must have signed it, such as cosign.pub
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Output and registry.
    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops driver pull oci://registry.example.com/acme/my-cloud:1.2.0
  kompoxops driver pull oci://registry.example.com/acme/my-cloud:1.2.0 --key cosign.pub
  kompoxops driver pull oci://registry.example.com/acme/my-cloud@sha256:3b0c… --file driver.wasm

Exit codes: 1 when the registry does not give it, 3 when it is no driver or not signed by the key
(nothing was written).";

/// Runs the command.
///
/// # Errors
/// When the registry does not give it, it is not signed by the key, or the file cannot be written.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let signer = arguments.key.as_deref().map(keys::public).transpose()?.map(Policy::Key);
    let remote = Remote::resolve(&arguments.reference, &arguments.common.registries, Purpose::Pull).await?;
    let mut report =
        Report::default().fact("reference", remote.pinned()).fact("digest", remote.digest().as_str());
    if let Some(signer) = signer {
        let verified = remote.signed_by(&signer).await?;
        let verified = verified.map_err(|refusal| Failure::Unverified(Box::new(refusal)))?;
        report = report.fact("verifiedBy", verified.to_string());
    }
    let component = remote.component().await?;
    let name =
        || PathBuf::from(format!("{}.wasm", install::name_of_reference(&arguments.reference.0.to_string())));
    let file = arguments.file.clone().unwrap_or_else(name);
    files::write(&file, &component)?;
    report
        .fact("component", digest(&component))
        .fact("sizeBytes", component.len())
        .fact("file", file.display().to_string())
        .print(arguments.common.output)
}
