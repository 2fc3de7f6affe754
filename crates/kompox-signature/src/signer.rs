//! Who signed, and in which form. Values only.

use std::fmt;

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

/// Which of the two forms a signature has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A simple signing payload behind a `.sig` tag.
    SimpleSigning,
    /// A Sigstore bundle among the referrers.
    Bundle,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SimpleSigning => "simple signing",
            Self::Bundle => "sigstore bundle",
        })
    }
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The holder of a key, by its fingerprint: `sha256:` and 64 hex digits.
    Key(String),
    /// The holder of an identity.
    Identity(Identity),
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(fingerprint) => write!(f, "key {fingerprint}"),
            Self::Identity(identity) => write!(f, "{identity}"),
        }
    }
}

/// Whose signature was found. Its text is meant for `status.verifiedBy`: some 100 characters for a key, and
/// for an identity as long as its two names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose.
    pub signer: Signer,

    /// The form of the signature.
    pub form: Form,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.signer, self.form)
    }
}
