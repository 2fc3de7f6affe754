//! A keyless signature of the real world: the image of kubewarden-controller 1.34.0, signed by its release
//! workflow with cosign and recorded in Sigstore's public log. The bundle is a test file of the crate
//! `sigstore` 0.15.0 (Apache-2.0).

use crate::fixtures::{fixture, p256};
use kompox_signature::{Evidence, Identity, Refusal, Subject, TrustRoot, verify, verify_keyless};

const DIGEST: &str = "sha256:c811d58de79c92f03214e63aa339484e488d694ae8a6283b5f3f17a9faf50172";

fn bundle() -> Vec<u8> {
    fixture!("keyless/kubewarden-controller.bundle.json").to_vec()
}

fn subject(digest: &str) -> Subject {
    Subject::new("ghcr.io/kubewarden/kubewarden-controller", digest).unwrap()
}

fn workflow() -> Identity {
    Identity {
        issuer: "https://token.actions.githubusercontent.com".to_owned(),
        subject: "https://github.com/kubewarden/kubewarden-controller/.github/workflows/release.yml@refs/tags/v1.34.0"
            .to_owned(),
    }
}

fn refuse(identity: &Identity, digest: &str, bundle: Vec<u8>) -> Refusal {
    let root = TrustRoot::public_instance().unwrap();
    verify_keyless(&root, identity, &subject(digest), &[Evidence::Bundle(bundle)]).unwrap_err()
}

/// The bundle with one value replaced.
fn with(pointer: &str, value: serde_json::Value) -> Vec<u8> {
    let mut json: serde_json::Value = serde_json::from_slice(&bundle()).unwrap();
    *json.pointer_mut(pointer).unwrap() = value;
    serde_json::to_vec(&json).unwrap()
}

#[test]
fn the_workflow_that_signed_is_accepted() {
    let root = TrustRoot::public_instance().unwrap();
    let verified =
        verify_keyless(&root, &workflow(), &subject(DIGEST), &[Evidence::Bundle(bundle())]).unwrap();
    assert_eq!(verified.to_string(), format!("{} (sigstore bundle)", workflow()));
}

#[test]
fn another_identity_is_refused_however_near_it_comes() {
    for (issuer, subject, reason) in [
        (
            "https://token.actions.githubusercontent.com",
            "https://github.com/kubewarden/kubewarden-controller",
            "WrongIdentity",
        ),
        ("https://token.actions.githubusercontent.com/", workflow().subject.as_str(), "WrongIssuer"),
        ("https://accounts.google.com", workflow().subject.as_str(), "WrongIssuer"),
        ("", "", "WrongIdentity"),
    ] {
        let identity = Identity { issuer: issuer.to_owned(), subject: subject.to_owned() };
        let refusal = refuse(&identity, DIGEST, bundle());
        assert_eq!(refusal.reason(), reason, "{refusal}");
    }
}

#[test]
fn a_signature_of_another_image_is_refused() {
    let refusal = refuse(&workflow(), &DIGEST.replace("c811", "c812"), bundle());
    assert_eq!(refusal.reason(), "OtherSubject", "{refusal}");
    assert!(refusal.to_string().contains(DIGEST), "{refusal}");
}

#[test]
fn what_the_trust_root_does_not_vouch_for_is_refused() {
    let entry = "/verificationMaterial/tlogEntries/0";
    let cases = [
        with("/dsseEnvelope/signatures/0/sig", "MAYCAQECAQE=".into()),
        with(&format!("{entry}/integratedTime"), "1775719999".into()),
        with(
            &format!("{entry}/inclusionProof/rootHash"),
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into(),
        ),
        with(&format!("{entry}/logId/keyId"), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into()),
    ];
    for (at, bundle) in cases.into_iter().enumerate() {
        let refusal = refuse(&workflow(), DIGEST, bundle);
        assert_eq!(refusal.reason(), "Untrusted", "case {at}: {refusal}");
    }
}

#[test]
fn a_signature_that_no_log_knows_is_refused() {
    let refusal =
        refuse(&workflow(), DIGEST, with("/verificationMaterial/tlogEntries", serde_json::json!([])));
    assert_eq!(refusal.reason(), "Unlogged", "{refusal}");
    assert!(refusal.to_string().contains("--tlog-upload"), "{refusal}");
}

#[test]
fn another_trust_root_vouches_for_nothing() {
    let empty = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[],"certificateAuthorities":[],"ctlogs":[],"timestampAuthorities":[]}"#;
    let root = TrustRoot::from_json(empty).unwrap();
    let refusal =
        verify_keyless(&root, &workflow(), &subject(DIGEST), &[Evidence::Bundle(bundle())]).unwrap_err();
    assert_eq!(refusal.reason(), "Untrusted", "{refusal}");
    assert!(TrustRoot::from_json("{").unwrap_err().to_string().contains("trusted_root.json"));
}

#[test]
fn keys_and_identities_do_not_stand_in_for_each_other() {
    let keyless = [Evidence::Bundle(bundle())];
    assert_eq!(verify(&p256().key(), &subject(DIGEST), &keyless).unwrap_err().reason(), "Unsupported");
    let root = TrustRoot::public_instance().unwrap();
    for evidence in p256().evidence() {
        let refusal = verify_keyless(&root, &workflow(), &p256().subject(), &[evidence]).unwrap_err();
        assert_eq!(refusal.reason(), "Unsupported", "{refusal}");
    }
}
