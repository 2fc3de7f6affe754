//! `kompoxops driver verify`: what the operator would say of a component, before it is asked.

use std::path::PathBuf;

use clap::Args;
use kompox_crds::Reason;
use kompox_signature::{PublicKey, Refusal};
use serde_json::json;

use super::checks::{self, Check};
use super::keys;
use super::origin::Origin;
use super::remote::Remote;
use super::report::{Common, Format};
use crate::failure::Failure;
use crate::output;

/// Checks a component as the operator does before it takes it, and that its pure functions are pure. Needs no cluster;
/// nothing of the driver reaches any network.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Component: a file that ends in .wasm, .wasm.gz or .wasm.zst, or oci:// and a reference to a registry
    #[arg(value_name = "FILE|oci://REFERENCE")]
    origin: Origin,
    /// Digest that the component must have, as in `spec.source.digest` of a KompoxDriver
    #[arg(long, value_name = "sha256:HEX")]
    digest: Option<String>,
    /// Public key that must have signed the reference, such as cosign.pub, as in `spec.source.oci.verify`
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Output and registry.
    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops driver verify my-cloud.wasm
  kompoxops driver verify my-cloud.wasm.zst --digest sha256:3b0c…
  kompoxops driver verify oci://registry.example.com/acme/my-cloud:1.2.0 --key cosign.pub

A refused signature is told with the reason that the condition Verified of the KompoxDriver would
have; `kompoxops explain SignedByAnother` tells more.

Exit codes: 0 every check passed; 1 the registry does not give it; 3 a check failed.";

/// Runs the command.
///
/// # Errors
/// When the component cannot be had, a check fails, or standard output cannot be written.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let key = key(arguments)?;
    let found = arguments.origin.find(&arguments.common.registries).await?;
    let mut checks = match &found.remote {
        Some(remote) => of_artifact(remote, key.as_ref()).await?,
        None => Vec::new(),
    };
    checks.extend(checks::of(found.bytes, arguments.digest.as_deref()).await?.checks);
    print(arguments, &checks)?;
    match checks.iter().filter(|check| check.outcome.is_err()).count() {
        0 => Ok(()),
        failed => Err(Failure::Driver { origin: arguments.origin.to_string(), failed }),
    }
}

/// An option that would have no effect is a mistake.
fn key(arguments: &Arguments) -> Result<Option<PublicKey>, Failure> {
    match (&arguments.key, &arguments.origin) {
        (Some(_), Origin::File(_)) => {
            let message = "it goes with oci:// references; a file carries no signature".to_owned();
            Err(Failure::Option { option: "key", message })
        }
        (path, _) => path.as_deref().map(keys::public).transpose(),
    }
}

/// What is checked of an artifact before its component.
async fn of_artifact(remote: &Remote, key: Option<&PublicKey>) -> Result<Vec<Check>, Failure> {
    let mut checks = vec![Check { name: "artifact", outcome: Ok(remote.pinned()) }];
    if let Some(key) = key {
        let verdict = remote.signed_by(key).await?;
        let outcome = verdict.map(|verified| verified.to_string());
        let outcome = outcome.map_err(|refusal| format!("{}: {refusal}", reason(&refusal)));
        checks.push(Check { name: "signature", outcome });
    }
    Ok(checks)
}

/// The reason that the operator gives for it.
fn reason(refusal: &Refusal) -> Reason {
    match refusal {
        Refusal::Unsigned { .. } => Reason::Unsigned,
        Refusal::WrongKey { .. } | Refusal::WrongKeyOrForm { .. } => Reason::SignedByAnother,
        Refusal::Tampered { .. } => Reason::SignatureTampered,
        Refusal::OtherSubject { .. } => Reason::SignedForAnother,
        _ => Reason::SignatureInvalid,
    }
}

fn print(arguments: &Arguments, checks: &[Check]) -> Result<(), Failure> {
    let object = |check: &Check| {
        let (Ok(message) | Err(message)) = &check.outcome;
        json!({"check": check.name, "passed": check.outcome.is_ok(), "message": message})
    };
    output::print(&match arguments.common.output {
        Format::Text => checks.iter().map(|check| check.line() + "\n").collect::<String>(),
        Format::Json => output::to_json(&json!({
            "apiVersion": output::API_VERSION,
            "kind": "DriverVerification",
            "accepted": checks.iter().all(|check| check.outcome.is_ok()),
            "checks": checks.iter().map(object).collect::<Vec<_>>(),
        }))?,
    })
}
