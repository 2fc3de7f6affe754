//! Public keys as cosign takes them. They verify bytes; what the bytes mean is not theirs.

use crate::subject::shown;
use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer as _, PublicKeyX509Der},
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, ParsedPublicKey,
        RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
    },
};
use std::fmt;

/// Longest PEM document that is read: an RSA key of 8192 bits takes 1.5 KiB.
pub(crate) const MAX_PEM: usize = 64 * 1024;

/// Kind of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on P-256 with SHA-256: what `cosign generate-key-pair` makes.
    EcdsaP256,
    /// ECDSA on P-384 with SHA-384 (cosign 3) or SHA-256 (earlier).
    EcdsaP384,
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 to 8192 bits.
    Rsa,
    /// Ed25519 (RFC 8032).
    Ed25519,
}

impl KeyKind {
    const ALL: [Self; 4] = [Self::EcdsaP256, Self::EcdsaP384, Self::Rsa, Self::Ed25519];

    /// What a signature of this kind may be; one of them must fit.
    fn algorithms(self) -> &'static [&'static dyn VerificationAlgorithm] {
        match self {
            Self::EcdsaP256 => &[&ECDSA_P256_SHA256_ASN1],
            Self::EcdsaP384 => &[&ECDSA_P384_SHA384_ASN1, &ECDSA_P384_SHA256_ASN1],
            Self::Rsa => &[&RSA_PKCS1_2048_8192_SHA256],
            Self::Ed25519 => &[&ED25519],
        }
    }
}

/// A key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not one PEM document.
    #[error(
        "failed to read the key: it is not one PEM document of at most {MAX_PEM} bytes; give the file `cosign.pub`"
    )]
    NotPem,
    /// PEM, but of something else.
    #[error("failed to read the key: it is a `{0}`, not a `PUBLIC KEY`; give the file `cosign.pub`")]
    NotPublic(String),
    /// No kind of key that is known here.
    #[error(
        "failed to read the key: it is none of ECDSA P-256, ECDSA P-384, RSA of 2048 to 8192 bits, Ed25519"
    )]
    Kind,
}

/// A public key as cosign takes it.
#[derive(Clone)]
pub struct PublicKey {
    kind: KeyKind,
    parsed: Vec<ParsedPublicKey>,
    spki: Vec<u8>,
}

impl PublicKey {
    /// Reads a PEM document `PUBLIC KEY` (SubjectPublicKeyInfo, RFC 5280), the form of `cosign.pub`.
    ///
    /// # Errors
    /// It is something else, or of a kind that is not known here.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        if pem.len() > MAX_PEM {
            return Err(KeyError::NotPem);
        }
        let documents = pem::parse_many(pem).map_err(|_| KeyError::NotPem)?;
        let [document] = documents.as_slice() else { return Err(KeyError::NotPem) };
        match document.tag() {
            "PUBLIC KEY" => Self::from_spki(document.contents()),
            other => Err(KeyError::NotPublic(shown(other))),
        }
    }

    /// Reads the DER form of a SubjectPublicKeyInfo.
    pub(crate) fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        KeyKind::ALL.into_iter().find_map(|kind| Self::of_kind(kind, der)).ok_or(KeyError::Kind)
    }

    fn of_kind(kind: KeyKind, der: &[u8]) -> Option<Self> {
        let parsed: Vec<ParsedPublicKey> = kind
            .algorithms()
            .iter()
            .map(|algorithm| ParsedPublicKey::new(*algorithm, der))
            .collect::<Result<_, _>>()
            .ok()?;
        let encoded: PublicKeyX509Der<'_> = parsed.first()?.as_der().ok()?;
        // The library reads bare points and PKCS #1 as well: one key would have several fingerprints.
        (encoded.as_ref() == der).then(|| Self { kind, parsed, spki: der.to_vec() })
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// `sha256:` and the hex SHA-256 of its SubjectPublicKeyInfo, what `openssl pkey -pubin -outform DER | sha256sum` prints.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.digest().iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// The PEM document `PUBLIC KEY`.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        pem::encode_config(&pem::Pem::new("PUBLIC KEY", self.spki.as_slice()), config)
    }

    /// SHA-256 of the SubjectPublicKeyInfo.
    pub(crate) fn digest(&self) -> Vec<u8> {
        digest(&SHA256, &self.spki).as_ref().to_vec()
    }

    /// Whether `signature` is this key's over `message`.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.iter().any(|key| key.verify_sig(message, signature).is_ok())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?}, {})", self.kind, self.fingerprint())
    }
}
