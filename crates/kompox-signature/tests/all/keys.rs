//! Keys as files.

use crate::fixtures::{every_kind, fixture, p256};
use kompox_signature::{KeyKind, PublicKey, SigningKey};
use secrecy::SecretString;

fn secret(bytes: &[u8]) -> SecretString {
    String::from_utf8(bytes.to_vec()).unwrap().into()
}

fn password() -> SecretString {
    "kompox".into()
}

#[test]
fn the_key_files_of_cosign_are_read() {
    let kinds = [KeyKind::EcdsaP256, KeyKind::EcdsaP384, KeyKind::Rsa, KeyKind::Ed25519];
    for (signed, kind) in every_kind().into_iter().zip(kinds) {
        assert_eq!(signed.key().kind(), kind);
        assert_eq!(signed.key().to_pem().as_bytes(), signed.public, "{}", signed.name);
        let private = SigningKey::from_pem(&secret(signed.private), Some(&password())).unwrap();
        assert_eq!(private.public_key().to_pem().as_bytes(), signed.public, "{}", signed.name);
        assert_eq!(private.kind(), kind);
    }
}

#[test]
fn an_unencrypted_key_needs_no_password() {
    let key = SigningKey::from_pem(&secret(fixture!("keys/p384.plain.pem")), None).unwrap();
    assert_eq!(key.public_key().to_pem().as_bytes(), fixture!("keys/p384.pub"));
}

#[test]
fn a_private_key_is_never_printed() {
    let key = SigningKey::from_pem(&secret(p256().private), Some(&password())).unwrap();
    assert_eq!(format!("{key:?}"), format!("SigningKey(private half of {:?})", p256().key()));
    let pair = kompox_signature::generate(&password()).unwrap();
    assert!(!format!("{pair:?}").contains("PRIVATE"), "{pair:?}");
}

#[test]
fn a_private_key_that_cannot_be_read_says_why() {
    let unknown_cost = {
        let document = pem::parse(p256().private).unwrap();
        let json = String::from_utf8(document.contents().to_vec()).unwrap();
        let json = json.replace("65536", "1073741824");
        pem::encode(&pem::Pem::new("ENCRYPTED SIGSTORE PRIVATE KEY", json))
    };
    let cases: [(&[u8], Option<SecretString>, &str); 7] = [
        (p256().private, None, "COSIGN_PASSWORD"),
        (p256().private, Some("wrong".into()), "the password is wrong"),
        (p256().public, None, "it is a `PUBLIC KEY`"),
        (unknown_cost.as_bytes(), Some(password()), "N=1073741824"),
        (b"no key at all", None, "not one PEM document"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", None, "none of ECDSA P-256"),
        (&[b'-'; 100_000], None, "at most 65536 bytes"),
    ];
    for (pem, password, words) in cases {
        let error = SigningKey::from_pem(&secret(pem), password.as_ref()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_public_key_that_cannot_be_read_says_why() {
    // A point on secp256k1, made with `openssl ecparam -name secp256k1 -genkey | openssl ec -pubout`.
    let secp256k1 = SECP256K1;
    let twice = [p256().public, p256().public].concat();
    let cases: [(&[u8], &str); 6] = [
        (p256().private, "it is a `ENCRYPTED SIGSTORE PRIVATE KEY`"),
        (secp256k1.as_bytes(), "none of ECDSA P-256"),
        (&twice, "not one PEM document"),
        (b"", "not one PEM document"),
        (b"-----BEGIN PUBLIC KEY-----\nMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=\n-----END PUBLIC KEY-----\n", "none of"),
        (&[b'-'; 100_000], "at most 65536 bytes"),
    ];
    for (pem, words) in cases {
        let error = PublicKey::from_pem(pem).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

const SECP256K1: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEKhmIliC3szeTcnDNN0kP2MIEWhaaWkEV\n\
U6T5CtGb2WAWrk1CWg5nZnLLJ/u3mz8KCeae9jtDA00pFDiuvHACvA==\n\
-----END PUBLIC KEY-----\n\
";
