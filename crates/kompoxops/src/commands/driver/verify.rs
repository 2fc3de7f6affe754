//! `kompoxops driver verify`: what the operator would say of a component, before it is asked.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use kompox_core::signature::reason;
use kompox_signature::{Identity, Policy};
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
    /// Subject that must have signed the reference without a key: an e-mail address or the URI of a workflow
    #[arg(long, value_name = "SUBJECT", requires = "certificate_oidc_issuer", conflicts_with = "key")]
    certificate_identity: Option<String>,
    /// Issuer that vouches for the subject, such as https://token.actions.githubusercontent.com
    #[arg(long, value_name = "URL", requires = "certificate_identity")]
    certificate_oidc_issuer: Option<String>,
    /// File trusted_root.json of a private Sigstore instance [default: the public one, as this release knows it]
    #[arg(long, value_name = "FILE", requires = "certificate_identity")]
    trusted_root: Option<PathBuf>,
    /// Output and registry.
    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops driver verify my-cloud.wasm
  kompoxops driver verify my-cloud.wasm.zst --digest sha256:3b0c…
  kompoxops driver verify oci://registry.example.com/acme/my-cloud:1.2.0 --key cosign.pub
  kompoxops driver verify oci://registry.example.com/acme/my-cloud:1.2.0 \\
      --certificate-identity release@example.com \\
      --certificate-oidc-issuer https://accounts.google.com

A refused signature is told with the reason that the condition Verified of the KompoxDriver would
have; `kompoxops explain SignedByAnother` tells more.

Exit codes: 0 every check passed; 1 the registry does not give it; 3 a check failed.";

/// Runs the command.
///
/// # Errors
/// When the component cannot be had, a check fails, or standard output cannot be written.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let signer = signer(arguments)?;
    let found = arguments.origin.find(&arguments.common.registries).await?;
    let mut checks = match &found.remote {
        Some(remote) => of_artifact(remote, signer.as_ref()).await?,
        None => Vec::new(),
    };
    checks.extend(checks::of(found.bytes, arguments.digest.as_deref()).await?.checks);
    print(arguments, &checks)?;
    match checks.iter().filter(|check| check.outcome.is_err()).count() {
        0 => Ok(()),
        failed => Err(Failure::Driver { origin: arguments.origin.to_string(), failed }),
    }
}

/// Who must have signed. An option that would have no effect is a mistake.
fn signer(arguments: &Arguments) -> Result<Option<Policy>, Failure> {
    let identity = arguments.certificate_identity.as_ref().zip(arguments.certificate_oidc_issuer.as_ref());
    let option = match (&arguments.key, identity) {
        (None, None) => return Ok(None),
        (Some(_), _) => "key",
        (None, Some(_)) => "certificate-identity",
    };
    if matches!(arguments.origin, Origin::File(_)) {
        let message = "it goes with oci:// references; a file carries no signature".to_owned();
        return Err(Failure::Option { option, message });
    }
    let key = arguments.key.as_deref().map(keys::public).transpose()?.map(Policy::Key);
    let keyless = match identity {
        Some((subject, issuer)) => Some(Policy::Keyless {
            identity: Identity { issuer: issuer.clone(), subject: subject.clone() },
            root: Arc::new(keys::trust_root(arguments.trusted_root.as_deref())?),
        }),
        None => None,
    };
    Ok(key.or(keyless))
}

/// What is checked of an artifact before its component.
async fn of_artifact(remote: &Remote, signer: Option<&Policy>) -> Result<Vec<Check>, Failure> {
    let mut checks = vec![Check { name: "artifact", outcome: Ok(remote.pinned()) }];
    if let Some(signer) = signer {
        let verdict = remote.signed_by(signer).await?;
        let outcome = verdict.map(|verified| verified.to_string());
        let outcome = outcome.map_err(|refusal| format!("{}: {refusal}", reason(&refusal)));
        checks.push(Check { name: "signature", outcome });
    }
    Ok(checks)
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
