//! What differs from what cosign signed.

use crate::fixtures::{attestation, every_kind, fixture, other, p256, sha256, subject};
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

#[test]
fn every_refusal_has_a_reason_of_its_own_and_says_what_to_do() {
    let (signed, other) = (p256(), other());
    let [_, stranger, ..] = every_kind();
    let (payload, annotations) = parts(&signed.simple);
    let elsewhere = Subject::new("localhost:5099/acme/copy", &signed.subject().manifest_digest()).unwrap();
    let changed_manifest = subject("p256", &[fixture!("driver/manifest.json"), b"\n".as_slice()].concat());
    let statement = STANDARD.encode(r#"{"_type":"https://in-toto.io/Statement/v1"}"#);
    let cases: Vec<(&str, Subject, Vec<Evidence>, &str, &str)> = vec![
        ("nothing", signed.subject(), vec![], "Unsigned", "cosign sign --key"),
        (
            "wrong key, simple",
            signed.subject(),
            vec![stranger.simple],
            "WrongKey",
            "the public key is the signer's",
        ),
        (
            "wrong key, bundle",
            signed.subject(),
            vec![stranger.bundle],
            "WrongKey",
            "the public key is the signer's",
        ),
        (
            "replayed, simple",
            signed.subject(),
            vec![other.simple],
            "OtherSubject",
            "the signature was made for",
        ),
        (
            "replayed, bundle",
            signed.subject(),
            vec![other.bundle],
            "OtherSubject",
            "the signature was made for",
        ),
        (
            "other repository",
            elsewhere,
            vec![signed.simple.clone()],
            "OtherSubject",
            "localhost:5099/acme/p256@",
        ),
        (
            "changed manifest, simple",
            changed_manifest.clone(),
            vec![signed.simple.clone()],
            "OtherSubject",
            "sign this manifest",
        ),
        (
            "changed manifest, bundle",
            changed_manifest,
            vec![signed.bundle.clone()],
            "OtherSubject",
            "sign this manifest",
        ),
        ("attestation", signed.subject(), vec![attestation()], "Unsupported", "https://example.com/licence"),
        (
            "changed statement",
            signed.subject(),
            vec![edited(&signed.bundle, |bundle| {
                bundle["dsseEnvelope"]["payload"] = statement.as_str().into()
            })],
            "Tampered",
            "do not use the artifact",
        ),
        (
            "changed payload type",
            signed.subject(),
            vec![edited(&signed.bundle, |bundle| {
                bundle["dsseEnvelope"]["payloadType"] = "text/plain".into()
            })],
            "Tampered",
            "do not use the artifact",
        ),
        (
            "later bundle",
            signed.subject(),
            vec![edited(&signed.bundle, |bundle| {
                bundle["mediaType"] = "application/vnd.dev.sigstore.bundle.v0.9+json".into()
            })],
            "Unsupported",
            "bundle.v0.9",
        ),
        (
            "certificate",
            signed.subject(),
            vec![edited(&signed.bundle, |bundle| {
                bundle["verificationMaterial"] = serde_json::json!({ "certificate": { "rawBytes": "" } });
            })],
            "Unsupported",
            "keyless",
        ),
        (
            "two signatures",
            signed.subject(),
            vec![edited(&signed.bundle, |bundle| {
                let first = bundle["dsseEnvelope"]["signatures"][0].clone();
                bundle["dsseEnvelope"]["signatures"].as_array_mut().unwrap().push(first);
            })],
            "Malformed",
            "exactly one signature",
        ),
        (
            "no bundle",
            signed.subject(),
            vec![Evidence::Bundle(b"[]".to_vec())],
            "Malformed",
            "sign the manifest again",
        ),
        (
            "no annotation",
            signed.subject(),
            vec![Evidence::SimpleSigning { payload: payload.clone(), annotations: BTreeMap::new() }],
            "Malformed",
            SIGNATURE_ANNOTATION,
        ),
        (
            "huge payload",
            signed.subject(),
            vec![Evidence::SimpleSigning { payload: vec![b' '; MAX_EVIDENCE_BYTES], annotations }],
            "TooLarge",
            "262144",
        ),
        (
            "huge bundle",
            signed.subject(),
            vec![Evidence::Bundle(vec![b' '; MAX_EVIDENCE_BYTES + 1])],
            "TooLarge",
            "262145",
        ),
        (
            "a flood",
            signed.subject(),
            vec![signed.bundle.clone(); MAX_EVIDENCE + 1],
            "TooMany",
            "remove those that are not needed",
        ),
    ];
    for (name, subject, evidence, reason, words) in cases {
        let refusal = refuse(&signed.key(), &subject, &evidence);
        assert_eq!(refusal.reason(), reason, "{name}: {refusal}");
        assert!(refusal.to_string().contains(words), "{name}: {refusal}");
    }
}

#[test]
fn of_several_refusals_the_most_telling_one_is_shown() {
    let (signed, other) = (p256(), other());
    let [_, stranger, ..] = every_kind();
    let evidence = [Evidence::Bundle(vec![]), other.simple, stranger.simple, attestation()];
    assert_eq!(refuse(&signed.key(), &signed.subject(), &evidence).reason(), "OtherSubject");
}

#[test]
fn foreign_text_is_shown_short_and_printable() {
    let name = format!("\u{1b}[2J{}", "x".repeat(10_000));
    let evidence = edited(&p256().bundle, |bundle| bundle["mediaType"] = name.as_str().into());
    let message = refuse(&p256().key(), &p256().subject(), &[evidence]).to_string();
    assert!(message.len() < 500 && !message.contains('\u{1b}'), "{message}");
}

#[test]
fn no_bit_of_what_is_signed_can_be_flipped() {
    for signed in every_kind() {
        let (payload, annotations) = parts(&signed.simple);
        for at in 0..payload.len() * 8 {
            let mut payload = payload.clone();
            payload[at / 8] ^= 1 << (at % 8);
            let evidence = Evidence::SimpleSigning { payload, annotations: annotations.clone() };
            let refusal = refuse(&signed.key(), &signed.subject(), &[evidence]);
            assert_eq!(refusal.reason(), "WrongKey", "{} bit {at}", signed.name);
        }
        let signature = annotations[SIGNATURE_ANNOTATION].clone().into_bytes();
        for at in 0..signature.len() * 8 {
            let mut signature = signature.clone();
            signature[at / 8] ^= 1 << (at % 8);
            let Ok(signature) = String::from_utf8(signature) else { continue };
            let annotations = BTreeMap::from([(SIGNATURE_ANNOTATION.to_owned(), signature)]);
            let evidence = Evidence::SimpleSigning { payload: payload.clone(), annotations };
            refuse(&signed.key(), &signed.subject(), &[evidence]);
        }
    }
}

#[test]
fn no_bit_of_a_bundle_can_be_flipped_but_where_nothing_is_believed() {
    for signed in every_kind() {
        let Evidence::Bundle(json) = &signed.bundle else { panic!("a bundle is needed") };
        let text = std::str::from_utf8(json).unwrap();
        let bundle: serde_json::Value = serde_json::from_slice(json).unwrap();
        let envelope = &bundle["dsseEnvelope"];
        let believed = [
            &bundle["mediaType"],
            &envelope["payload"],
            &envelope["payloadType"],
            &envelope["signatures"][0]["sig"],
        ]
        .map(|value| value.as_str().unwrap())
        .map(|value| text.find(value).map(|start| start..start + value.len()).unwrap());
        for at in 0..json.len() * 8 {
            let mut flipped = json.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            let verdict = verify(&signed.key(), &signed.subject(), &[Evidence::Bundle(flipped)]);
            let covered = believed.iter().any(|range| range.contains(&(at / 8)));
            assert!(verdict.is_err() || !covered, "{} bit {at}", signed.name);
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
