//! `kompoxops driver sign`: puts a signature beside an artifact, as cosign does.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use kompox_oci::Image;
use kompox_signature::{Evidence, Form, SigningError, SigningKey, Subject, verify};

use super::keys;
use super::remote::Remote;
use super::report::{Common, Report};
use crate::console::{Activity, note};
use crate::failure::Failure;
use crate::registry::{OciReference, Purpose};

/// Signs an artifact in a registry with a private key, in a form that `cosign verify --key` takes. What is signed is
/// the digest that the reference names now. An artifact that the key has signed already stays as it is.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Which artifact
    #[arg(value_name = "oci://REFERENCE")]
    reference: OciReference,
    /// Private key, such as cosign.key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Form of the signature
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    format: SignatureForm,
    /// Output and registry.
    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops driver keygen
  kompoxops driver sign oci://registry.example.com/acme/my-cloud:1.2.0 --key cosign.key
  cosign verify --key cosign.pub --insecure-ignore-tlog registry.example.com/acme/my-cloud:1.2.0

The password of the key is $KOMPOX_KEY_PASSWORD, else $COSIGN_PASSWORD, else it is asked for. No
transparency log is told.

Exit codes: 1 when the registry does not take it, 3 when key or password are not right.";

/// Where a signature is, and what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum SignatureForm {
    /// A Sigstore bundle among the referrers; holds wherever the artifact is copied to
    #[default]
    Bundle,
    /// A payload behind the tag sha256-….sig, for registries and tools of old; holds under this name only
    Simple,
}

impl SignatureForm {
    fn form(self) -> Form {
        match self {
            Self::Bundle => Form::Bundle,
            Self::Simple => Form::SimpleSigning,
        }
    }

    fn sign(self, key: &SigningKey, subject: &Subject) -> Result<Evidence, SigningError> {
        match self {
            Self::Bundle => key.sign_bundle(subject),
            Self::Simple => key.sign_simple(subject),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// When key or password are not right, or the registry does not take the signature.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let key = keys::private(&arguments.key)?;
    let remote = Remote::resolve(&arguments.reference, &arguments.common.registries, Purpose::Push).await?;
    let subject = remote.subject()?;
    let there = is_signed(&remote, &key, &subject, arguments.format).await?;
    if !there {
        let evidence = arguments.format.sign(&key, &subject);
        let evidence = evidence
            .map_err(|error| Failure::BadFile { path: arguments.key.clone(), message: error.to_string() })?;
        let _activity = Activity::start(&format!("signing {}", remote.pinned()));
        let access = &remote.access;
        let attached =
            access.client.attach(&access.reference, remote.digest(), &evidence, &access.credentials).await;
        attached.map_err(|error| access.failed(error))?;
    }
    Report::default()
        .fact("reference", remote.pinned())
        .fact("digest", remote.digest().as_str())
        .fact("signedBy", format!("key {}", key.public_key().fingerprint()))
        .fact("form", arguments.format.form().to_string())
        .fact("signature", if there { "was there" } else { "added" })
        .print(arguments.common.output)?;
    note(format!("next: kompoxops driver verify {} --key cosign.pub", remote.pinned()));
    Ok(())
}

/// Whether the key has signed it already in this form.
async fn is_signed(
    remote: &Remote,
    key: &SigningKey,
    subject: &Subject,
    form: SignatureForm,
) -> Result<bool, Failure> {
    let signatures = remote.signatures().await?;
    let evidence: Vec<Evidence> = signatures
        .iter()
        .flat_map(Image::evidence)
        .filter(|evidence| matches!(evidence, Evidence::Bundle(_)) == (form == SignatureForm::Bundle))
        .collect();
    Ok(verify(key.public_key(), subject, &evidence).is_ok())
}
