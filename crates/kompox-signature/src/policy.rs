//! Who must have signed, in either of the two ways, so that callers need not tell them apart.

use crate::{
    key::PublicKey,
    keyless::{TrustRoot, verify_keyless},
    refusal::Refusal,
    signer::{Identity, Verified},
    subject::Subject,
    verify::{Evidence, verify},
};
use std::sync::Arc;

/// Who must have signed.
#[derive(Clone, Debug)]
pub enum Policy {
    /// The holder of a key.
    Key(PublicKey),
    /// Whoever could show this identity.
    Keyless {
        /// The identity.
        identity: Identity,
        /// The authorities and logs that vouch for it.
        root: Arc<TrustRoot>,
    },
}

impl Policy {
    /// Looks for one good signature on `subject`; see [`verify`] and [`verify_keyless`].
    ///
    /// # Errors
    /// There is none; of several refusals the most telling one.
    pub fn verify(&self, subject: &Subject, evidence: &[Evidence]) -> Result<Verified, Refusal> {
        match self {
            Self::Key(key) => verify(key, subject, evidence),
            Self::Keyless { identity, root } => verify_keyless(root, identity, subject, evidence),
        }
    }
}
