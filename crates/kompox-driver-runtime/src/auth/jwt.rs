//! JSON Web Tokens signed with RS256 (RFC 7515, RFC 7519), as proofs for token endpoints.

use super::keys::RsaKey;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;

/// The compact form of a token with these JSON texts as header and claims.
///
/// # Errors
/// The key cannot sign.
pub(super) fn sign(header: &str, claims: &str, key: &RsaKey) -> Result<SecretString, &'static str> {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes())?);
    Ok(format!("{input}.{signature}").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    /// RFC 7515 appendix A.2: its key in PKCS #8 form, its header and payload, its signature.
    #[test]
    fn the_example_of_the_standard() {
        let key = RsaKey::read(include_str!("testdata/rfc7515-a2.pem")).unwrap();
        let claims = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
        let token = sign(r#"{"alg":"RS256"}"#, claims, &key).unwrap();
        let expected = include_str!("testdata/rfc7515-a2.jws").trim();
        assert_eq!(token.expose_secret(), expected);
    }

    #[test]
    fn unusable_keys_are_told_apart() {
        let cases = [
            ("", "not a private key in PEM form"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "not an RSA key"),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
                "without a passphrase",
            ),
            (include_str!("testdata/p256.pem"), "not an RSA key"),
        ];
        for (pem, expected) in cases {
            let error = RsaKey::read(pem).err().unwrap();
            assert!(error.contains(expected), "{error}");
        }
    }
}
