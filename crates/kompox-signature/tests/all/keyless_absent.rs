//! Without the feature `keyless` nothing is accepted, and the message says why.

use crate::fixtures::{fixture, p256};
use kompox_signature::{Evidence, Identity, TrustRoot, verify_keyless};

#[test]
fn without_the_feature_every_keyless_signature_is_refused() {
    let root = TrustRoot::public_instance().unwrap();
    let identity =
        Identity { issuer: "https://issuer.example".to_owned(), subject: "a@example.com".to_owned() };
    let bundle = Evidence::Bundle(fixture!("keyless/kubewarden-controller.bundle.json").to_vec());
    let refusal = verify_keyless(&root, &identity, &p256().subject(), &[bundle]).unwrap_err();
    assert_eq!(refusal.reason(), "NotBuilt");
    assert!(refusal.to_string().contains("cargo feature `keyless`"), "{refusal}");
    assert!(TrustRoot::from_json("{}").is_err());
}
