//! The interface `credentials` of a call: signing one text with an entry of the Secret, and showing one
//! in clear. A driver signs with entries that it declares; it sees none without the administrator's grant.
//! Both are recorded.

use super::keys::{self, RsaKey};
use aws_lc_rs::hmac;
use kompox_core::driver::Credentials;
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeSet;

/// Longest text that is signed, in bytes.
const PAYLOAD: usize = 1 << 20;
/// Signatures of one call: each takes the host's time and not the guest's.
const SIGNATURES: u32 = 64;

/// What a driver may do with entries of the Secret by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SecretAccess {
    /// Keys whose values the driver may see in clear, and sign with.
    pub(crate) reveal: BTreeSet<String>,
    /// Keys that the driver may sign with.
    pub(crate) sign: BTreeSet<String>,
}

/// Why an entry cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotFound,
    NotGranted,
    Failed(&'static str),
}

/// The entries that one call may use.
#[derive(Clone)]
pub(crate) struct Vault {
    credentials: Credentials,
    access: SecretAccess,
    signatures: u32,
}

impl Vault {
    /// The entries of a call.
    pub(crate) fn new(credentials: Credentials, access: SecretAccess) -> Self {
        Self { credentials, access, signatures: 0 }
    }

    /// The entry `name` in clear.
    ///
    /// # Errors
    /// It is not granted, or not there. Without the grant nobody learns whether it is there.
    pub(crate) fn reveal(&self, name: &str) -> Result<&SecretString, Refusal> {
        if !self.access.reveal.contains(name) {
            return Err(Refusal::NotGranted);
        }
        self.credentials.get(name).ok_or(Refusal::NotFound)
    }

    /// Signs with the entry `name`, as the WIT package says: for HMAC the key is the entry between
    /// the parameters `keyPrefix` and `keySuffix`, for the others a private key in PEM form.
    ///
    /// # Errors
    /// As [`Self::reveal`]; or the algorithm is not known, or the entry is no key for it.
    pub(crate) fn sign(
        &mut self,
        name: &str,
        algorithm: &str,
        params: &[(String, String)],
        payload: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        if !self.access.sign.contains(name) && !self.access.reveal.contains(name) {
            return Err(Refusal::NotGranted);
        }
        self.signatures += 1;
        if self.signatures > SIGNATURES {
            return Err(Refusal::Failed("a call may ask for 64 signatures at most"));
        }
        if payload.len() > PAYLOAD {
            return Err(Refusal::Failed("the payload is longer than 1 MiB"));
        }
        let key = self.credentials.get(name).ok_or(Refusal::NotFound)?;
        sign(key, algorithm, params, payload).map_err(Refusal::Failed)
    }
}

fn sign(
    key: &SecretString,
    algorithm: &str,
    params: &[(String, String)],
    payload: &[u8],
) -> Result<Vec<u8>, &'static str> {
    let pem = key.expose_secret();
    let mac = match algorithm {
        "hmac-sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "hmac-sha256" => hmac::HMAC_SHA256,
        "hmac-sha512" => hmac::HMAC_SHA512,
        "rsa-pkcs1-sha256" => return RsaKey::read(pem)?.sign(payload),
        "ecdsa-p256-sha256" => return keys::sign_p256(pem, payload),
        "ed25519" => return keys::sign_ed25519(pem, payload),
        _ => return Err("the algorithm is not known"),
    };
    let param =
        |name: &str| params.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let key = SecretString::from(format!("{}{pem}{}", param("keyPrefix"), param("keySuffix")));
    let key = hmac::Key::new(mac, key.expose_secret().as_bytes());
    Ok(hmac::sign(&key, payload).as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::hex;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey};

    fn vault(secret: &str, reveal: &[&str], sign: &[&str]) -> Vault {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        let credentials = Credentials::new([("key".to_owned(), secret.into())].into());
        Vault::new(credentials, SecretAccess { reveal: names(reveal), sign: names(sign) })
    }

    #[test]
    fn nothing_without_a_grant() {
        let mut none = vault("s", &[], &[]);
        assert_eq!(none.reveal("key").err(), Some(Refusal::NotGranted));
        assert_eq!(none.reveal("other").err(), Some(Refusal::NotGranted), "not even whether it is there");
        assert_eq!(none.sign("key", "hmac-sha256", &[], b""), Err(Refusal::NotGranted));
        let mut signing = vault("s", &[], &["key", "other"]);
        assert_eq!(signing.reveal("key").err(), Some(Refusal::NotGranted), "signing shows nothing");
        assert!(signing.sign("key", "hmac-sha256", &[], b"").is_ok());
        assert_eq!(signing.sign("other", "hmac-sha256", &[], b""), Err(Refusal::NotFound));
        let mut revealing = vault("s", &["key"], &[]);
        assert_eq!(
            revealing.reveal("key").map(|secret| secret.expose_secret().to_owned()),
            Ok("s".to_owned())
        );
        assert!(revealing.sign("key", "hmac-sha256", &[], b"").is_ok(), "who sees a key can sign with it");
    }

    #[test]
    fn signatures_are_bounded() {
        let mut vault = vault("s", &[], &["key"]);
        let long = vec![0; PAYLOAD + 1];
        assert!(matches!(vault.sign("key", "hmac-sha1", &[], &long), Err(Refusal::Failed(_))));
        assert!(matches!(
            vault.sign("key", "md5", &[], b""),
            Err(Refusal::Failed("the algorithm is not known"))
        ));
        for _ in 2..SIGNATURES {
            vault.sign("key", "hmac-sha1", &[], b"x").unwrap();
        }
        assert!(
            matches!(vault.sign("key", "hmac-sha1", &[], b"x"), Err(Refusal::Failed(what)) if what.contains("64"))
        );
    }

    /// RFC 2202 and RFC 4231, test case 2; RFC 7515 appendix A.2; RFC 8032 §7.1, test 1.
    #[test]
    fn published_vectors() {
        let data = b"what do ya want for nothing?";
        let params = [("keyPrefix".to_owned(), "Je".to_owned()), ("keySuffix".to_owned(), "e".to_owned())];
        let cases = [
            ("hmac-sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            ("hmac-sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                "hmac-sha512",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ];
        for (algorithm, expected) in cases {
            assert_eq!(hex(&sign(&"f".into(), algorithm, &params, data).unwrap()), expected);
            assert_eq!(hex(&sign(&"Jefe".into(), algorithm, &[], data).unwrap()), expected);
        }
        let (input, expected) = include_str!("testdata/rfc7515-a2.jws").trim().rsplit_once('.').unwrap();
        let rsa =
            sign(&include_str!("testdata/rfc7515-a2.pem").into(), "rsa-pkcs1-sha256", &[], input.as_bytes());
        use base64::Engine as _;
        assert_eq!(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(rsa.unwrap()), expected);
        let ed25519 = sign(&include_str!("testdata/ed25519.pem").into(), "ed25519", &[], b"").unwrap();
        assert_eq!(
            hex(&ed25519),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        );
    }

    /// ECDSA signatures differ each time: this one is verified instead.
    #[test]
    fn ecdsa() {
        use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
        let pem = include_str!("testdata/p256.pem");
        let signature = sign(&pem.into(), "ecdsa-p256-sha256", &[], b"text").unwrap();
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        let algorithm = &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, der.secret_pkcs8_der()).unwrap();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref());
        assert_eq!(signature.len(), 64);
        public.verify(b"text", &signature).unwrap();
        public.verify(b"other", &signature).unwrap_err();
        assert!(sign(&"no key".into(), "ecdsa-p256-sha256", &[], b"").is_err());
    }
}
