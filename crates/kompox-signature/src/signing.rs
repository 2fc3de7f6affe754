//! Private keys as cosign keeps them, and the signatures made with them.
//!
//! A private key is never shown: it has no text form but the encrypted one of [`generate`].
//! Signatures of RSA and Ed25519 keys are the same each time; those of ECDSA keys are not, since
//! ECDSA draws a random number for each.

mod encrypted;

use crate::{
    bundle,
    key::{KeyKind, MAX_PEM, PublicKey},
    simple::{self, SIGNATURE_ANNOTATION},
    subject::{Subject, shown},
    verify::Evidence,
};
use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use std::{collections::BTreeMap, fmt};

/// A private key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// Not one PEM document.
    #[error(
        "failed to read the private key: it is not one PEM document of at most {MAX_PEM} bytes; give the file `cosign.key`"
    )]
    NotPem,
    /// PEM, but of something else.
    #[error(
        "failed to read the private key: it is a `{0}`; give the file `cosign.key`, or turn the key into PKCS #8 with `openssl pkcs8 -topk8 -nocrypt`"
    )]
    NotPrivate(String),
    /// It is encrypted, and no password was given.
    #[error("failed to decrypt the private key: it needs a password; set `COSIGN_PASSWORD`")]
    NoPassword,
    /// It is encrypted with another password, or damaged.
    #[error("failed to decrypt the private key: the password is wrong, or the file is damaged")]
    WrongPassword,
    /// It is encrypted in a way that cosign does not encrypt.
    #[error(
        "failed to decrypt the private key: {0}; make it with `cosign generate-key-pair` or `cosign import-key-pair`"
    )]
    Encryption(String),
    /// No kind of key that is known here.
    #[error(
        "failed to read the private key: it is none of ECDSA P-256, ECDSA P-384, RSA of 2048 to 8192 bits, Ed25519"
    )]
    Kind,
    /// A library failed at what it does not fail at.
    #[error("failed to {0}: the library behind it refused; try another key")]
    Failed(&'static str),
}

/// A private key.
pub struct SigningKey {
    pair: Pair,
    public: PublicKey,
}

/// The forms in which the library holds a key.
enum Pair {
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A new pair, in the files of cosign.
#[derive(Debug)]
pub struct KeyPair {
    /// Contents of `cosign.key`, encrypted with the password.
    pub private_pem: SecretString,

    /// Contents of `cosign.pub`.
    pub public_pem: String,
}

/// Makes a pair as `cosign generate-key-pair` does: ECDSA on P-256, the private key encrypted with `password`.
///
/// # Errors
/// A library failed.
pub fn generate(password: &SecretString) -> Result<KeyPair, SigningError> {
    let failed = |_| SigningError::Failed("make a key pair");
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(failed)?;
    let pkcs8 = SecretSlice::from(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec());
    let key = SigningKey::new(Pair::Ecdsa(pair))?;
    let private_pem = encrypted::seal(&pkcs8, password)?;
    Ok(KeyPair { private_pem, public_pem: key.public.to_pem() })
}

impl SigningKey {
    /// Reads the private key of cosign (`ENCRYPTED SIGSTORE PRIVATE KEY`, which needs the password), or an
    /// unencrypted `PRIVATE KEY` (PKCS #8, RFC 5958).
    ///
    /// # Errors
    /// It is something else, the password does not fit, or the kind of key is not known here.
    pub fn from_pem(pem: &SecretString, password: Option<&SecretString>) -> Result<Self, SigningError> {
        let text = pem.expose_secret();
        if text.len() > MAX_PEM {
            return Err(SigningError::NotPem);
        }
        let document = pem::parse(text).map_err(|_| SigningError::NotPem)?;
        let (tag, contents) = (document.tag().to_owned(), SecretSlice::from(document.into_contents()));
        match tag.as_str() {
            "PRIVATE KEY" => Self::from_pkcs8(&contents),
            encrypted::TAG | encrypted::OLD_TAG => {
                let password = password.ok_or(SigningError::NoPassword)?;
                Self::from_pkcs8(&encrypted::open(&contents, password)?)
            }
            other => Err(SigningError::NotPrivate(shown(other))),
        }
    }

    fn from_pkcs8(der: &SecretSlice<u8>) -> Result<Self, SigningError> {
        let der = der.expose_secret();
        let ecdsa = [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING]
            .into_iter()
            .find_map(|algorithm| EcdsaKeyPair::from_pkcs8(algorithm, der).ok().map(Pair::Ecdsa));
        let pair = ecdsa
            .or_else(|| RsaKeyPair::from_pkcs8(der).ok().map(Pair::Rsa))
            .or_else(|| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(Pair::Ed25519))
            .ok_or(SigningError::Kind)?;
        Self::new(pair)
    }

    fn new(pair: Pair) -> Result<Self, SigningError> {
        let spki: Result<PublicKeyX509Der<'_>, _> = match &pair {
            Pair::Ecdsa(pair) => pair.public_key().as_der(),
            Pair::Rsa(pair) => pair.public_key().as_der(),
            Pair::Ed25519(pair) => pair.public_key().as_der(),
        };
        let spki = spki.map_err(|_| SigningError::Failed("derive the public key"))?;
        let public = PublicKey::from_spki(spki.as_ref()).map_err(|_| SigningError::Kind)?;
        Ok(Self { pair, public })
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.public.kind()
    }

    /// Signs in the first form: what goes behind [`Subject::signature_tag`], payload and annotations of one layer.
    ///
    /// # Errors
    /// A library failed.
    pub fn sign_simple(&self, subject: &Subject) -> Result<Evidence, SigningError> {
        let payload = simple::payload(subject).map_err(|_| SigningError::Failed("write the payload"))?;
        let signature = STANDARD.encode(self.sign(&payload)?);
        let annotations = BTreeMap::from([(SIGNATURE_ANNOTATION.to_owned(), signature)]);
        Ok(Evidence::SimpleSigning { payload, annotations })
    }

    /// Signs in the second form: a bundle that goes among the referrers of the manifest.
    ///
    /// # Errors
    /// A library failed.
    pub fn sign_bundle(&self, subject: &Subject) -> Result<Evidence, SigningError> {
        let failed = |_| SigningError::Failed("write the bundle");
        let statement = bundle::statement(subject).map_err(failed)?;
        let signature = self.sign(&bundle::pre_authentication(bundle::PAYLOAD_TYPE, &statement))?;
        bundle::bundle(&self.public, &statement, &signature).map(Evidence::Bundle).map_err(failed)
    }

    /// Signs bytes as they are.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let failed = |_| SigningError::Failed("sign");
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ecdsa(pair) => Ok(pair.sign(&random, message).map_err(failed)?.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            Pair::Ed25519(pair) => Ok(pair.try_sign(message).map_err(failed)?.as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(private half of {:?})", self.public)
    }
}

#[cfg(test)]
impl SigningKey {
    /// A new key, never written down.
    pub(crate) fn for_tests() -> Self {
        Self::new(Pair::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())).unwrap()
    }
}
