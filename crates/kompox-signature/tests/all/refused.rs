//! What differs from what cosign signed.

use crate::fixtures::{
    Signed, attestation, every_kind, fixture, other, p256, p384, prehashed, sha256, subject,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use kompox_signature::{
    Evidence, MAX_EVIDENCE, MAX_EVIDENCE_BYTES, PublicKey, Refusal, SIGNATURE_ANNOTATION, Subject, verify,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn refuse(key: &PublicKey, subject: &Subject, evidence: &[Evidence]) -> Refusal {
    verify(key, subject, evidence).expect_err("it is refused")
}

/// The parts of a simple signing evidence.
fn parts(evidence: &Evidence) -> (Vec<u8>, BTreeMap<String, String>) {
    match evidence {
        Evidence::SimpleSigning { payload, annotations } => (payload.clone(), annotations.clone()),
        Evidence::Bundle(_) => panic!("a simple signing evidence is needed"),
    }
}

/// A bundle, changed.
fn edited(evidence: &Evidence, edit: impl Fn(&mut serde_json::Value)) -> Evidence {
    let Evidence::Bundle(json) = evidence else { panic!("a bundle is needed") };
    let mut bundle = serde_json::from_slice(json).unwrap();
    edit(&mut bundle);
    Evidence::Bundle(serde_json::to_vec(&bundle).unwrap())
}

/// Each evidence is refused for the subject, with this reason and these words.
fn assert_refused(
    subject: &Subject,
    cases: impl IntoIterator<Item = (Evidence, &'static str, &'static str)>,
) {
    for (at, (evidence, reason, words)) in cases.into_iter().enumerate() {
        let refusal = refuse(&p256().key(), subject, &[evidence]);
        assert_eq!(refusal.reason(), reason, "case {at}: {refusal}");
        assert!(refusal.to_string().contains(words), "case {at}: {refusal}");
    }
}

#[test]
fn an_artifact_without_a_signature_is_unsigned() {
    let refusal = refuse(&p256().key(), &p256().subject(), &[]);
    assert_eq!(refusal.reason(), "Unsigned");
    assert!(refusal.to_string().contains("cosign sign --key"), "{refusal}");
}

#[test]
fn a_signature_of_another_key_is_refused_in_both_forms() {
    let words = "check that the public key is the signer's";
    assert_refused(
        &p256().subject(),
        p384().evidence().into_iter().map(|evidence| (evidence, "WrongKey", words)),
    );
}

#[test]
fn a_signature_of_another_image_is_refused_in_both_forms() {
    let replayed = |evidence| (evidence, "OtherSubject", "the signature was made for");
    assert_refused(&p256().subject(), other().evidence().into_iter().map(replayed));
    let changed = subject("p256", &[fixture!("driver/manifest.json"), b"\n".as_slice()].concat());
    assert_refused(&changed, p256().evidence().into_iter().map(replayed));
}

#[test]
fn a_signature_of_the_same_image_in_another_repository_is_refused_where_it_names_one() {
    let copy = Subject::new("localhost:5099/acme/copy", &p256().subject().manifest_digest()).unwrap();
    assert_refused(&copy, [(p256().simple, "OtherSubject", "`localhost:5099/acme/p256@sha256:")]);
    // The other form is about a digest, wherever it lies: that is what makes mirrors possible.
    assert!(verify(&p256().key(), &copy, &[p256().bundle()]).is_ok());
}

#[test]
fn a_bundle_that_was_changed_is_tampered_with_or_of_another_kind() {
    let change = |edit: &dyn Fn(&mut serde_json::Value)| edited(&p256().bundle(), edit);
    let statement = STANDARD.encode(r#"{"_type":"https://in-toto.io/Statement/v1"}"#);
    let payload = change(&|bundle| bundle["dsseEnvelope"]["payload"] = statement.as_str().into());
    let payload_type = change(&|bundle| bundle["dsseEnvelope"]["payloadType"] = "text/plain".into());
    let later =
        change(&|bundle| bundle["mediaType"] = "application/vnd.dev.sigstore.bundle.v0.9+json".into());
    let certificate = change(&|bundle| {
        bundle["verificationMaterial"] = serde_json::json!({ "certificate": { "rawBytes": "" } });
    });
    let twice = change(&|bundle| {
        let first = bundle["dsseEnvelope"]["signatures"][0].clone();
        bundle["dsseEnvelope"]["signatures"].as_array_mut().unwrap().push(first);
    });
    let nobody = change(&|bundle| bundle["verificationMaterial"] = serde_json::json!({}));
    let message = change(&|bundle| bundle["dsseEnvelope"] = serde_json::Value::Null);
    assert_refused(
        &p256().subject(),
        [
            (payload, "Tampered", "do not use the artifact"),
            (payload_type, "Tampered", "do not use the artifact"),
            (later, "Unsupported", "bundle.v0.9"),
            (certificate, "Unsupported", "keyless"),
            (twice, "Malformed", "exactly one signature"),
            (nobody, "Malformed", "does not say that a key signed it"),
            (message, "Unsupported", "without a DSSE envelope"),
            (attestation(), "Unsupported", "https://example.com/licence"),
        ],
    );
}

#[test]
fn what_is_no_signature_or_larger_than_one_is_refused_before_it_costs_anything() {
    let (payload, annotations) = parts(&p256().simple);
    let bare = Evidence::SimpleSigning { payload, annotations: BTreeMap::new() };
    let huge = Evidence::SimpleSigning { payload: vec![b' '; MAX_EVIDENCE_BYTES], annotations };
    assert_refused(
        &p256().subject(),
        [
            (Evidence::Bundle(b"[]".to_vec()), "Malformed", "sign the manifest again"),
            (bare, "Malformed", SIGNATURE_ANNOTATION),
            (huge, "TooLarge", "more than 262144"),
            (Evidence::Bundle(vec![b' '; MAX_EVIDENCE_BYTES + 1]), "TooLarge", "262145 bytes"),
        ],
    );
    let flood = vec![p256().bundle(); MAX_EVIDENCE + 1];
    let refusal = refuse(&p256().key(), &p256().subject(), &flood);
    assert_eq!(refusal.reason(), "TooMany");
    assert!(refusal.to_string().contains("remove those that are not needed"), "{refusal}");
}

#[test]
fn of_several_refusals_the_most_telling_one_is_shown() {
    let (signed, stranger, other) = (p256(), p384(), other());
    let evidence = [Evidence::Bundle(vec![]), other.simple, stranger.simple, attestation()];
    assert_eq!(refuse(&signed.key(), &signed.subject(), &evidence).reason(), "OtherSubject");
}

#[test]
fn the_form_of_ed25519_that_cosign_signs_and_does_not_verify_is_refused_by_name() {
    for evidence in prehashed().evidence() {
        let refusal = refuse(&prehashed().key(), &prehashed().subject(), &[evidence]);
        assert_eq!(refusal.reason(), "WrongKey");
        assert!(refusal.to_string().contains("pre-hashed"), "{refusal}");
    }
}

#[test]
fn foreign_text_is_shown_short_and_printable() {
    let name = format!("\u{1b}[2J{}", "x".repeat(10_000));
    let evidence = edited(&p256().bundle(), |bundle| bundle["mediaType"] = name.as_str().into());
    let message = refuse(&p256().key(), &p256().subject(), &[evidence]).to_string();
    assert!(message.len() < 500 && !message.contains('\u{1b}'), "{message}");
}

/// Every way to flip one bit; of the slower kinds of keys one in seven, which still meets every byte.
fn flips(signed: &Signed, bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    let step = if signed.name == "p256" { 1 } else { 7 };
    (0..bytes.len() * 8).step_by(step).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        (bit / 8, flipped)
    })
}

#[test]
fn no_bit_of_what_is_signed_can_be_flipped() {
    for signed in every_kind() {
        let (key, subject) = (signed.key(), signed.subject());
        let (payload, annotations) = parts(&signed.simple);
        for (at, payload) in flips(&signed, &payload) {
            let evidence = Evidence::SimpleSigning { payload, annotations: annotations.clone() };
            assert_eq!(refuse(&key, &subject, &[evidence]).reason(), "WrongKey", "{} at {at}", signed.name);
        }
        for (_, signature) in flips(&signed, annotations[SIGNATURE_ANNOTATION].as_bytes()) {
            let Ok(signature) = String::from_utf8(signature) else { continue };
            let annotations = BTreeMap::from([(SIGNATURE_ANNOTATION.to_owned(), signature)]);
            let evidence = Evidence::SimpleSigning { payload: payload.clone(), annotations };
            refuse(&key, &subject, &[evidence]);
        }
    }
}

#[test]
fn no_bit_of_a_bundle_can_be_flipped_but_where_nothing_is_believed() {
    for signed in [p256(), p384()] {
        let (key, subject) = (signed.key(), signed.subject());
        let Evidence::Bundle(json) = signed.bundle() else { panic!("a bundle is needed") };
        let text = std::str::from_utf8(&json).unwrap();
        let bundle: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let envelope = &bundle["dsseEnvelope"];
        let believed = [
            &bundle["mediaType"],
            &envelope["payload"],
            &envelope["payloadType"],
            &envelope["signatures"][0]["sig"],
        ];
        let believed = believed.map(|value| {
            let value = value.as_str().unwrap();
            text.find(value).map(|start| start..start + value.len()).unwrap()
        });
        for (at, flipped) in flips(&signed, &json) {
            let verdict = verify(&key, &subject, &[Evidence::Bundle(flipped)]);
            let covered = believed.iter().any(|range| range.contains(&at));
            assert!(verdict.is_err() || !covered, "{} at {at}", signed.name);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512), text in ".{0,80}") {
        let annotations = BTreeMap::from([(SIGNATURE_ANNOTATION.to_owned(), text)]);
        let evidence = [
            Evidence::Bundle(bytes.clone()),
            Evidence::SimpleSigning { payload: bytes, annotations },
        ];
        prop_assert!(verify(&p256().key(), &p256().subject(), &evidence).is_err());
    }

    #[test]
    fn any_subject_is_read_without_a_panic(repository in ".{0,60}", digest in ".{0,80}") {
        let _ = Subject::new(&repository, &digest);
        let sha256 = sha256(digest.as_bytes());
        if let Ok(subject) = Subject::new(&repository, &sha256) {
            // One spelling: what it writes, it reads as the same.
            prop_assert_eq!(Subject::new(subject.repository(), &sha256).unwrap(), subject);
        }
    }
}
