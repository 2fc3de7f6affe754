//! Why a manifest is not taken as signed, in words that say what to do.

use crate::{
    key::{KeyKind, PublicKey},
    subject::Subject,
};

/// The manifest is not taken as signed. Not open-ended: whoever maps it to reasons must know every case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// The issuer that is asked for did not vouch for the signer.
    #[error("failed to verify `{subject}`: {why}; check the issuer of the identity")]
    WrongIssuer {
        /// What was asked for.
        subject: Subject,
        /// Which issuer was asked for, and which it was.
        why: String,
    },
    /// A certificate was issued to somebody else.
    #[error("failed to verify `{subject}`: {why}; check the subject of the identity")]
    WrongIdentity {
        /// What was asked for.
        subject: Subject,
        /// Who was asked for, and who it was.
        why: String,
    },
    /// A keyless signature without an entry of a transparency log: nothing proves that it was made while its
    /// certificate was valid.
    #[error(
        "failed to verify `{subject}`: its keyless signature has no entry of a transparency log; sign it again with `cosign sign`, without `--tlog-upload=false`"
    )]
    Unlogged {
        /// What was asked for.
        subject: Subject,
    },
    /// Certificate, log or time stamp are not vouched for by the trust root.
    #[error(
        "failed to verify `{subject}`: {why}; check that the trust root is the signer's, and sign it again"
    )]
    Untrusted {
        /// What was asked for.
        subject: Subject,
        /// What is not vouched for.
        why: String,
    },
    /// This program was built without what verifies keyless signatures.
    #[error(
        "failed to verify a keyless signature: this program was built without the cargo feature `keyless`; build it with that feature, or ask for the signature of a key"
    )]
    NotBuilt,
    /// It was signed, but for another image.
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

    /// One word, for tests. What users see are the reasons that `kompox-core` maps refusals to.
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
            Self::WrongIssuer { .. } => "WrongIssuer",
            Self::WrongIdentity { .. } => "WrongIdentity",
            Self::Unlogged { .. } => "Unlogged",
            Self::Untrusted { .. } => "Untrusted",
            Self::NotBuilt => "NotBuilt",
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
            Self::WrongIssuer { .. }
            | Self::WrongIdentity { .. }
            | Self::Unlogged { .. }
            | Self::Untrusted { .. }
            | Self::NotBuilt => 4,
            Self::Tampered { .. } => 5,
            Self::OtherSubject { .. } => 6,
        }
    }
}
