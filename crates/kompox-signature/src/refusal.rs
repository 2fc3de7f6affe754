//! Why a manifest is not taken as signed, in words that say what to do.

use crate::{
    key::{KeyKind, PublicKey},
    subject::Subject,
};

/// The manifest is not taken as signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no signature at all.
    #[error(
        "failed to verify `{subject}`: it carries no signature; sign it with `cosign sign --key`, or correct the reference"
    )]
    Unsigned {
        /// What was asked for.
        subject: Subject,
    },
    /// More signatures than are looked at.
    #[error(
        "failed to verify the signatures: there are {count}, more than {limit}; remove those that are not needed"
    )]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many are looked at.
        limit: usize,
    },
    /// Larger than a signature ever is.
    #[error(
        "failed to read a signature: it has {bytes} bytes, more than {limit}; remove it from the registry"
    )]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The longest that is read.
        limit: usize,
    },
    /// It cannot be read.
    #[error("failed to read a signature: {0}; sign the manifest again")]
    Malformed(String),
    /// It is of a kind that a public key does not verify.
    #[error("failed to verify a signature: {0} is not supported; sign the manifest with `cosign sign`")]
    Unsupported(String),
    /// It does not match the key, and nothing says that it ever did.
    #[error(
        "failed to verify `{subject}`: its signature was not made by the key {key}, or was changed since; check that the public key is the signer's"
    )]
    WrongKey {
        /// What was asked for.
        subject: Subject,
        /// Fingerprint of the key.
        key: String,
    },
    /// As [`Refusal::WrongKey`], of an Ed25519 key: `cosign sign` makes the pre-hashed form (RFC 8032 §5.1),
    /// which `cosign verify` refuses too.
    #[error(
        "failed to verify `{subject}`: its signature was not made by the Ed25519 key {key}, or in the pre-hashed form of `cosign sign`, which `cosign verify` refuses as well; sign with `kompoxops driver sign`, or with an ECDSA key"
    )]
    WrongKeyOrForm {
        /// What was asked for.
        subject: Subject,
        /// Fingerprint of the key.
        key: String,
    },
    /// It names the key, and does not match it.
    #[error(
        "failed to verify `{subject}`: its signature names the key {key} but what was signed has been changed; do not use the artifact, and sign it again"
    )]
    Tampered {
        /// What was asked for.
        subject: Subject,
        /// Fingerprint of the key.
        key: String,
    },
    /// A certificate was issued to somebody else.
    #[cfg(feature = "keyless")]
    #[error("failed to verify `{subject}`: {why}; check issuer and subject of the identity")]
    WrongIdentity {
        /// What was asked for.
        subject: Subject,
        /// Who was asked for, and who it was.
        why: String,
    },
    /// Certificate, log or time stamp are not vouched for by the trust root.
    #[cfg(feature = "keyless")]
    #[error(
        "failed to verify `{subject}`: {why}; check that the trust root is the signer's, and sign it again"
    )]
    Untrusted {
        /// What was asked for.
        subject: Subject,
        /// What is not vouched for.
        why: String,
    },
    /// The key signed it, but for another image.
    #[error(
        "failed to verify `{subject}`: the signature was made for `{signed}`; sign this manifest under this name"
    )]
    OtherSubject {
        /// What was asked for.
        subject: Subject,
        /// What the signature is about.
        signed: String,
    },
}

impl Refusal {
    /// A signature that does not match `key`; `named`: though it names that key.
    pub(crate) fn mismatch(key: &PublicKey, subject: &Subject, named: bool) -> Self {
        let (subject, fingerprint) = (subject.clone(), key.fingerprint());
        match (key.kind(), named) {
            (KeyKind::Ed25519, _) => Self::WrongKeyOrForm { subject, key: fingerprint },
            (_, true) => Self::Tampered { subject, key: fingerprint },
            (_, false) => Self::WrongKey { subject, key: fingerprint },
        }
    }

    /// One word for metrics and tests.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unsigned { .. } => "Unsigned",
            Self::TooMany { .. } => "TooMany",
            Self::TooLarge { .. } => "TooLarge",
            Self::Malformed(_) => "Malformed",
            Self::Unsupported(_) => "Unsupported",
            Self::WrongKey { .. } | Self::WrongKeyOrForm { .. } => "WrongKey",
            Self::Tampered { .. } => "Tampered",
            #[cfg(feature = "keyless")]
            Self::WrongIdentity { .. } => "WrongIdentity",
            #[cfg(feature = "keyless")]
            Self::Untrusted { .. } => "Untrusted",
            Self::OtherSubject { .. } => "OtherSubject",
        }
    }

    /// How much it tells: of several refused signatures the most telling refusal is shown.
    pub(crate) fn weight(&self) -> u8 {
        match self {
            Self::Unsigned { .. } => 0,
            Self::TooMany { .. } | Self::TooLarge { .. } => 1,
            Self::Malformed(_) => 2,
            Self::Unsupported(_) => 3,
            Self::WrongKey { .. } | Self::WrongKeyOrForm { .. } => 4,
            #[cfg(feature = "keyless")]
            Self::WrongIdentity { .. } | Self::Untrusted { .. } => 4,
            Self::Tampered { .. } => 5,
            Self::OtherSubject { .. } => 6,
        }
    }
}
