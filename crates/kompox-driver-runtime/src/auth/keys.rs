//! Private keys: read from PEM, used to sign, never shown.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use secrecy::SecretString;
use serde_json::Value;

/// Members of a JSON document that are secret by themselves.
const MEMBERS: [&str; 6] = ["private_key", "client_secret", "refresh_token", "password", "secret", "token"];

/// A private RSA key of 2048 bits or more.
pub(super) struct RsaKey(RsaKeyPair);

impl RsaKey {
    /// Reads a PEM document of PKCS #8 or PKCS #1.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(pem: &str) -> Result<Self, &'static str> {
        let pair = match der(pem)? {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err("it is not an RSA key"),
        };
        pair.map(Self).map_err(|_| "it is not an RSA key of 2048 bits or more")
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2), `RS256` of RFC 7518.
    ///
    /// # Errors
    /// The key cannot sign.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, &'static str> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| "the key cannot sign")?;
        Ok(signature)
    }
}

/// ECDSA on P-256 with SHA-256; the signature is `r` and `s`, 32 bytes each (RFC 7518 §3.4).
///
/// # Errors
/// The key cannot be read.
pub(super) fn sign_p256(pem: &str, message: &[u8]) -> Result<Vec<u8>, &'static str> {
    let PrivateKeyDer::Pkcs8(der) = der(pem)? else { return Err("it is not a key in PKCS #8 form") };
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der())
        .map_err(|_| "it is not a key of the curve P-256")?;
    let signature = pair.sign(&SystemRandom::new(), message).map_err(|_| "the key cannot sign")?;
    Ok(signature.as_ref().to_vec())
}

/// Ed25519 (RFC 8032).
///
/// # Errors
/// The key cannot be read.
pub(super) fn sign_ed25519(pem: &str, message: &[u8]) -> Result<Vec<u8>, &'static str> {
    let PrivateKeyDer::Pkcs8(der) = der(pem)? else { return Err("it is not a key in PKCS #8 form") };
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der())
        .map_err(|_| "it is not an Ed25519 key")?;
    Ok(pair.sign(message).as_ref().to_vec())
}

fn der(pem: &str) -> Result<PrivateKeyDer<'static>, &'static str> {
    if pem.contains("ENCRYPTED") {
        return Err("it is encrypted: store the key without a passphrase");
    }
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| "it is not a private key in PEM form")
}

/// The secrets inside an entry that is a JSON document, as a service-account key is.
pub(super) fn parts(value: &str) -> Vec<SecretString> {
    if !value.trim_start().starts_with('{') {
        return Vec::new();
    }
    let document: Value = serde_json::from_str(value).unwrap_or_default();
    MEMBERS.iter().filter_map(|name| document.get(name)?.as_str()).map(SecretString::from).collect()
}
