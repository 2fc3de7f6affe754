//! Keys of cosign and trust roots of Sigstore in files, and the password of a private key. Nothing here shows a secret.

use std::io::{ErrorKind, IsTerminal as _};
use std::path::Path;

use kompox_signature::{PublicKey, SigningError, SigningKey, TrustRoot};
use secrecy::{ExposeSecret as _, SecretString};

use crate::failure::Failure;
use crate::files;

/// Variables that hold a password, the first that is set counts; the second is cosign's own.
const PASSWORDS: [&str; 2] = ["KOMPOX_KEY_PASSWORD", "COSIGN_PASSWORD"];
/// Most bytes of a key in a file; the library's own bound is lower.
const KEY_BYTES: u64 = 1 << 20;

/// The public key in a file such as `cosign.pub`.
///
/// # Errors
/// When it cannot be read or is no such key.
pub(super) fn public(path: &Path) -> Result<PublicKey, Failure> {
    let pem = files::read(path, KEY_BYTES)?;
    let bad = |message: String| Failure::BadFile { path: path.to_owned(), message };
    PublicKey::from_pem(&pem).map_err(|error| bad(error.to_string()))
}

/// The trust root in a file such as `trusted_root.json`; of no file, that of Sigstore's public instance.
///
/// # Errors
/// When it cannot be read or is no trust root.
pub(super) fn trust_root(path: Option<&Path>) -> Result<TrustRoot, Failure> {
    let Some(path) = path else {
        return TrustRoot::public_instance().map_err(|error| Failure::Output(error.to_string()));
    };
    let bad = |message: String| Failure::BadFile { path: path.to_owned(), message };
    let json = String::from_utf8(files::read(path, TrustRoot::MAX_BYTES as u64)?);
    let json = json.map_err(|_| bad("it is no JSON document".to_owned()))?;
    TrustRoot::from_json(&json).map_err(|error| bad(error.to_string()))
}

/// The private key in a file such as `cosign.key`; asks for the password if it needs one.
///
/// # Errors
/// When it cannot be read, is no such key, or the password is not its own.
pub(super) fn private(path: &Path) -> Result<SigningKey, Failure> {
    let bad = |message: String| Failure::BadFile { path: path.to_owned(), message };
    let pem = String::from_utf8(files::read(path, KEY_BYTES)?);
    let pem = SecretString::from(pem.map_err(|_| bad("it is no PEM document".to_owned()))?);
    match SigningKey::from_pem(&pem, None) {
        Err(SigningError::NoPassword) => {
            let password = password(&format!("Password of {}: ", path.display()))?;
            SigningKey::from_pem(&pem, Some(&password))
        }
        other => other,
    }
    .map_err(|error| bad(error.to_string()))
}

/// The password for a new key, asked for twice at a terminal.
///
/// # Errors
/// When there is none, or the second is not the first.
pub(super) fn new_password() -> Result<SecretString, Failure> {
    if let Some(password) = given() {
        return Ok(password);
    }
    let first = password("Password for the new key: ")?;
    let second = password("The same again: ")?;
    if first.expose_secret() != second.expose_secret() {
        let message = "the two are not the same; nothing was written".to_owned();
        return Err(Failure::Argument { argument: "password".to_owned(), message });
    }
    Ok(first)
}

/// The password in the environment, else that of whoever sits at the terminal, who does not see it.
fn password(prompt: &str) -> Result<SecretString, Failure> {
    let missing = |message: String| Failure::Argument { argument: "password".to_owned(), message };
    if let Some(password) = given() {
        return Ok(password);
    }
    let [ours, cosigns] = PASSWORDS;
    if !std::io::stdin().is_terminal() {
        return Err(missing(format!("there is no terminal to ask at; set {ours} or {cosigns}")));
    }
    match rpassword::prompt_password(prompt) {
        Ok(password) => Ok(password.into()),
        Err(error) if error.kind() == ErrorKind::Interrupted => Err(Failure::Interrupted),
        Err(error) => {
            Err(missing(format!("failed to ask at the terminal ({error}); set {ours} or {cosigns}")))
        }
    }
}

fn given() -> Option<SecretString> {
    PASSWORDS.into_iter().find_map(|name| std::env::var(name).ok()).map(SecretString::from)
}
