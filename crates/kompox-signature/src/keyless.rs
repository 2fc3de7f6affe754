//! Keyless signatures: made with a certificate of a few minutes that a Fulcio authority issued for an
//! identity, and proven to have been made in those minutes by a transparency log.
//!
//! The cryptography is that of the Sigstore project's `sigstore-verify`; here the result is tied to what was
//! asked for: the issuer, the subject and the manifest. Nothing is fetched: authorities and logs come with the
//! [`TrustRoot`]. The library looks at the clock in one place: to refuse an entry of the log from the future.

use crate::{
    bundle,
    refusal::Refusal,
    subject::{Subject, shown},
    verify::{Evidence, Form, Signer, Verified, first_good},
};
use sigstore_verify::{
    Error, VerificationPolicy, Verifier,
    trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot},
    types::{Bundle, Sha256Hash, SignatureContent},
};
use std::fmt;

/// Longest trust root that is read, in bytes: Sigstore's own has 7 KiB.
const MAX_TRUST_ROOT: usize = 1024 * 1024;

/// The authorities and logs that are believed.
pub struct TrustRoot(Verifier);

/// The trust root cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the trust root: {0}; give the `trusted_root.json` of the Sigstore instance")]
pub struct TrustRootError(String);

impl TrustRoot {
    /// Reads a `trusted_root.json`, as `cosign trusted-root create` and Sigstore's TUF repository give it:
    /// certificates of the authorities, keys of the transparency logs.
    ///
    /// # Errors
    /// It does not parse, or names keys and certificates that cannot be used.
    pub fn from_json(json: &str) -> Result<Self, TrustRootError> {
        if json.len() > MAX_TRUST_ROOT {
            return Err(TrustRootError(format!("it has more than {MAX_TRUST_ROOT} bytes")));
        }
        let root = TrustedRoot::from_json(json).map_err(|error| TrustRootError(error.to_string()))?;
        Verifier::new(&root).map(Self).map_err(|error| TrustRootError(error.to_string()))
    }

    /// Sigstore's public instance, as it was when the library was released.
    ///
    /// # Errors
    /// The library's own copy cannot be read.
    pub fn public_instance() -> Result<Self, TrustRootError> {
        Self::from_json(SIGSTORE_PRODUCTION_TRUSTED_ROOT)
    }
}

impl fmt::Debug for TrustRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrustRoot")
    }
}

/// Who must have signed. Both must match exactly; patterns are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Issuer of the identity token, such as `https://token.actions.githubusercontent.com`.
    pub issuer: String,

    /// Subject of the certificate: an e-mail address or the URI of a workflow.
    pub subject: String,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.subject, self.issuer)
    }
}

/// Looks for one good signature of `identity` on `subject`, among the bundles; the `.sig` form has no proof of
/// its time that could be checked here, and is not taken.
///
/// Asked for are: the certificate's chain and its entry in a certificate log, a time inside its validity that
/// an authority or log signed, the inclusion of the signature in a transparency log, the signature, and the subject.
///
/// # Errors
/// There is none; of several refusals the most telling one.
pub fn verify_keyless(
    root: &TrustRoot,
    identity: &Identity,
    subject: &Subject,
    evidence: &[Evidence],
) -> Result<Verified, Refusal> {
    let form = first_good(subject, evidence, |one| match one {
        Evidence::Bundle(json) => check(root, identity, subject, json).map(|()| Form::Bundle),
        Evidence::SimpleSigning { .. } => {
            Err(Refusal::Unsupported("the `.sig` form of a keyless signature".to_owned()))
        }
    })?;
    Ok(Verified { signer: Signer::Identity(identity.clone()), form })
}

fn check(root: &TrustRoot, identity: &Identity, subject: &Subject, json: &[u8]) -> Result<(), Refusal> {
    let malformed = |error: &dyn fmt::Display| Refusal::Malformed(shown(&format!("the bundle: {error}")));
    let text = std::str::from_utf8(json).map_err(|error| malformed(&error))?;
    let bundle = Bundle::from_json(text).map_err(|error| malformed(&error))?;
    if bundle.signing_certificate().is_none() {
        return Err(Refusal::Unsupported("a signature of a key, where an identity is asked for,".to_owned()));
    }
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
        return Err(Refusal::Unsupported("a bundle without a DSSE envelope".to_owned()));
    };
    let about = || bundle::about(subject, &envelope.payload_type, envelope.payload.as_bytes());
    let digest = Sha256Hash::from_hex(subject.hex()).map_err(|error| malformed(&error))?;
    let policy = VerificationPolicy::new(identity.subject.as_str(), identity.issuer.as_str());
    root.0.verify(digest, &bundle, &policy).map_err(|error| {
        let (subject, why) = (subject.clone(), shown(&error.to_string()));
        match error {
            // Said of a signature that is good: what it is about can be named.
            Error::ArtifactMismatch(_) => about().err().unwrap_or(Refusal::Untrusted { subject, why }),
            Error::IdentityMismatch { .. } | Error::IssuerMismatch { .. } => {
                Refusal::WrongIdentity { subject, why }
            }
            Error::UnsupportedBundle(_) => Refusal::Unsupported(why),
            _ => Refusal::Untrusted { subject, why },
        }
    })?;
    about()
}
