//! `kompoxops driver keygen`: a pair of keys to sign drivers with, in the files of cosign.

use std::path::PathBuf;

use clap::Args;
use kompox_crds::names::OPERATOR_NAMESPACE;
use kompox_signature::{PublicKey, generate};
use secrecy::ExposeSecret as _;

use super::keys;
use super::report::{Format, Report};
use crate::console::note;
use crate::failure::Failure;
use crate::files;

/// Makes a pair of keys to sign drivers with, as `cosign generate-key-pair` does: the private one encrypted with a
/// password, the public one for those who verify. Files that are there stay.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Names of the files, without their ends .key and .pub
    #[arg(default_value = "cosign", value_name = "NAME")]
    name: PathBuf,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops driver keygen
  kompoxops driver keygen keys/acme

The password is $KOMPOX_KEY_PASSWORD, else $COSIGN_PASSWORD, else it is asked for. Whoever has the
private key and its password can make drivers that your clusters take.";

/// Runs the command.
///
/// # Errors
/// When there is no password, or a file is there or cannot be written.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let file = |end: &str| {
        let mut name = arguments.name.clone().into_os_string();
        name.push(end);
        PathBuf::from(name)
    };
    let (private, public) = (file(".key"), file(".pub"));
    absent(&private)?;
    absent(&public)?;
    let failed = |message: String| Failure::BadFile { path: private.clone(), message };
    let pair = generate(&keys::new_password()?).map_err(|error| failed(error.to_string()))?;
    let key = PublicKey::from_pem(pair.public_pem.as_bytes()).map_err(|error| failed(error.to_string()))?;
    files::create(&private, pair.private_pem.expose_secret().as_bytes(), 0o600)?;
    files::create(&public, pair.public_pem.as_bytes(), 0o644)?;
    let shown = public.display().to_string();
    Report::default()
        .fact("privateKey", private.display().to_string())
        .fact("publicKey", shown.clone())
        .fact("fingerprint", key.fingerprint())
        .print(arguments.output)?;
    note(format!(
        "next: kubectl create secret generic cosign -n {OPERATOR_NAMESPACE} --from-file=cosign.pub={shown}"
    ));
    Ok(())
}

/// Told before anybody types a password.
fn absent(path: &std::path::Path) -> Result<(), Failure> {
    if path.exists() {
        let message = "it is there already, and a key is never overwritten; give another NAME".to_owned();
        return Err(Failure::BadFile { path: path.to_owned(), message });
    }
    Ok(())
}
