//! Keyless signatures: made with a certificate of a few minutes that a Fulcio authority issued for an
//! identity, and proven to have been made in those minutes by a transparency log.
//!
//! The cryptography is that of the Sigstore project's `sigstore-verify` (`sigstore`); without the feature `keyless`
//! there is none, and every signature is refused (`absent`). Here is what is asked for. Nothing is fetched:
//! authorities and logs come with the [`TrustRoot`].

#[cfg(not(feature = "keyless"))]
mod absent;
#[cfg(feature = "keyless")]
mod sigstore;

#[cfg(not(feature = "keyless"))]
use absent as backend;
#[cfg(feature = "keyless")]
use sigstore as backend;

use crate::{
    refusal::Refusal,
    signer::{Form, Identity, Signer, Verified},
    subject::Subject,
    verify::{Evidence, first_good},
};
use std::fmt;

/// Longest trust root that is read, in bytes: Sigstore's own has 7 KiB.
const MAX_TRUST_ROOT: usize = 1024 * 1024;

/// The authorities and logs that are believed.
pub struct TrustRoot(backend::Root);

/// The trust root cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the trust root: {0}; give the `trusted_root.json` of the Sigstore instance")]
pub struct TrustRootError(String);

impl TrustRoot {
    /// Most bytes of a `trusted_root.json`; callers need not read more.
    pub const MAX_BYTES: usize = MAX_TRUST_ROOT;

    /// Reads a `trusted_root.json`, as `cosign trusted-root create` and Sigstore's TUF repository give it:
    /// certificates of the authorities, keys of the transparency logs.
    ///
    /// # Errors
    /// It does not parse, or names keys and certificates that cannot be used; or the feature `keyless` is missing.
    pub fn from_json(json: &str) -> Result<Self, TrustRootError> {
        if json.len() > MAX_TRUST_ROOT {
            return Err(TrustRootError(format!("it has more than {MAX_TRUST_ROOT} bytes")));
        }
        backend::root(json).map(Self).map_err(TrustRootError)
    }

    /// Sigstore's public instance, as it was when the library was released.
    ///
    /// # Errors
    /// The library's own copy cannot be read.
    pub fn public_instance() -> Result<Self, TrustRootError> {
        backend::public().map(Self).map_err(TrustRootError)
    }
}

impl fmt::Debug for TrustRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrustRoot")
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
        Evidence::Bundle(json) => backend::check(&root.0, identity, subject, json).map(|()| Form::Bundle),
        Evidence::SimpleSigning { .. } => {
            Err(Refusal::Unsupported("the `.sig` form of a keyless signature".to_owned()))
        }
    })?;
    Ok(Verified { signer: Signer::Identity(identity.clone()), form })
}
