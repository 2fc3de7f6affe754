//! What is signed here. That genuine cosign accepts it too is seen with `tests/fixtures/make/check.sh`.

use crate::fixtures::{Signed, every_kind, p256};
use kompox_signature::{Evidence, KeyKind, PublicKey, SigningKey, generate, verify};
use secrecy::SecretString;

fn signing_key(signed: &Signed) -> SigningKey {
    let pem = String::from_utf8(signed.private.to_vec()).unwrap();
    SigningKey::from_pem(&pem.into(), Some(&"kompox".into())).unwrap()
}

#[test]
fn the_payload_is_that_of_cosign_byte_for_byte() {
    let Evidence::SimpleSigning { payload: ours, .. } =
        signing_key(&p256()).sign_simple(&p256().subject()).unwrap()
    else {
        panic!("a simple signing evidence is made");
    };
    let Evidence::SimpleSigning { payload: theirs, .. } = p256().simple else {
        panic!("the fixture is a simple signing evidence");
    };
    assert_eq!(String::from_utf8(ours), String::from_utf8(theirs));
}

#[test]
fn both_forms_are_accepted_for_every_kind_of_key() {
    for signed in every_kind() {
        let key = signing_key(&signed);
        for evidence in
            [key.sign_simple(&signed.subject()).unwrap(), key.sign_bundle(&signed.subject()).unwrap()]
        {
            verify(&signed.key(), &signed.subject(), &[evidence]).unwrap();
        }
    }
}

#[test]
fn a_signature_is_the_same_each_time_where_the_algorithm_allows_it() {
    for signed in every_kind() {
        let key = signing_key(&signed);
        let same = key.sign_bundle(&signed.subject()).unwrap() == key.sign_bundle(&signed.subject()).unwrap();
        assert_eq!(same, matches!(key.kind(), KeyKind::Rsa | KeyKind::Ed25519), "{}", signed.name);
    }
}

#[test]
fn a_new_pair_signs_and_verifies() {
    let password = SecretString::from("a password");
    let pair = generate(&password).unwrap();
    let private = SigningKey::from_pem(&pair.private_pem, Some(&password)).unwrap();
    let public = PublicKey::from_pem(pair.public_pem.as_bytes()).unwrap();
    let subject = p256().subject();
    verify(&public, &subject, &[private.sign_bundle(&subject).unwrap()]).unwrap();
    let refusal = verify(&p256().key(), &subject, &[private.sign_bundle(&subject).unwrap()]).unwrap_err();
    assert_eq!(refusal.reason(), "WrongKey");
}
