//! Cosign signatures: verified with a public key, made with a private one.
//!
//! Both forms that cosign writes: the simple signing payload behind a `.sig` tag, and the Sigstore bundle
//! v0.3 that is found by the referrers of a manifest. What the registry holds is handed in as bytes
//! ([`Evidence`]); the answer is [`Verified`] or a [`Refusal`] that says what to do.
//!
//! It may not fetch, read a file or look at a clock: it maps values to values. Random numbers are drawn
//! where a key is made and where ECDSA needs one.
//!
//! With a key alone the transparency log is not asked for, as with cosign's `--insecure-ignore-tlog`:
//! whoever holds the key signs, whether or not the world was told. Entries of the log in the evidence are
//! neither needed nor read. Signatures that a certificate vouches for need one; they are verified with the feature
//! `keyless`, and refused without it.

mod bundle;
mod key;
mod keyless;
mod policy;
mod refusal;
mod signer;
mod signing;
mod simple;
mod subject;
mod verify;

pub use bundle::BUNDLE_MEDIA_TYPE;
pub use key::{KeyError, KeyKind, PublicKey};
pub use keyless::{TrustRoot, TrustRootError, verify_keyless};
pub use policy::Policy;
pub use refusal::Refusal;
pub use signer::{Form, Identity, Signer, Verified};
pub use signing::{KeyPair, SigningError, SigningKey, generate};
pub use simple::{SIGNATURE_ANNOTATION, SIMPLE_SIGNING_MEDIA_TYPE};
pub use subject::{Subject, SubjectError};
pub use verify::{Evidence, MAX_EVIDENCE, MAX_EVIDENCE_BYTES, verify};
