//! The cryptography of `sigstore-verify`, tied to what was asked for: the issuer, the subject and the manifest.
//!
//! The library looks at the clock in one place: to refuse an entry of the log from the future.

use super::Identity;
use crate::{
    bundle,
    refusal::Refusal,
    subject::{Subject, shown},
};
use sigstore_verify::{
    Error, VerificationPolicy, Verifier,
    trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot},
    types::{Bundle, Sha256Hash, SignatureContent},
};
use std::fmt;

/// Authorities and logs, ready to verify.
pub(super) type Root = Verifier;

/// # Errors
/// What is wrong with the document.
pub(super) fn root(json: &str) -> Result<Root, String> {
    let root = TrustedRoot::from_json(json).map_err(|error| error.to_string())?;
    Verifier::new(&root).map_err(|error| error.to_string())
}

/// # Errors
/// The library's own copy cannot be read.
pub(super) fn public() -> Result<Root, String> {
    root(SIGSTORE_PRODUCTION_TRUSTED_ROOT)
}

/// # Errors
/// Why the bundle is no signature of `identity` on `subject`.
pub(super) fn check(root: &Root, identity: &Identity, subject: &Subject, json: &[u8]) -> Result<(), Refusal> {
    let malformed = |error: &dyn fmt::Display| Refusal::Malformed(shown(&format!("the bundle: {error}")));
    let text = std::str::from_utf8(json).map_err(|error| malformed(&error))?;
    let bundle = Bundle::from_json(text).map_err(|error| malformed(&error))?;
    if bundle.signing_certificate().is_none() {
        return Err(Refusal::Unsupported("a signature of a key, where an identity is asked for,".to_owned()));
    }
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
        return Err(Refusal::Unsupported("a bundle without a DSSE envelope".to_owned()));
    };
    if bundle.verification_material.tlog_entries.is_empty() {
        return Err(Refusal::Unlogged { subject: subject.clone() });
    }
    let about = || bundle::about(subject, &envelope.payload_type, envelope.payload.as_bytes());
    let digest = Sha256Hash::from_hex(subject.hex()).map_err(|error| malformed(&error))?;
    let policy = VerificationPolicy::new(identity.subject.as_str(), identity.issuer.as_str());
    root.verify(digest, &bundle, &policy).map_err(|error| {
        let (subject, why) = (subject.clone(), shown(&error.to_string()));
        match error {
            // Said of a signature that is good: what it is about can be named.
            Error::ArtifactMismatch(_) => about().err().unwrap_or(Refusal::Untrusted { subject, why }),
            Error::IdentityMismatch { .. } => Refusal::WrongIdentity { subject, why },
            Error::IssuerMismatch { .. } => Refusal::WrongIssuer { subject, why },
            Error::UnsupportedBundle(_) => Refusal::Unsupported(why),
            _ => Refusal::Untrusted { subject, why },
        }
    })?;
    about()
}
