//! What cosign signed.

use crate::fixtures::{attestation, claimed, every_kind, fixture, other, p256, p384, sha256};
use kompox_signature::{Evidence, Form, Subject, verify};

#[test]
fn both_forms_are_accepted_for_every_kind_of_key() {
    for signed in every_kind() {
        for evidence in signed.evidence() {
            let form = match evidence {
                Evidence::SimpleSigning { .. } => Form::SimpleSigning,
                Evidence::Bundle(_) => Form::Bundle,
            };
            let verified = verify(&signed.key(), &signed.subject(), &[evidence]);
            let verified = verified.unwrap_or_else(|refusal| panic!("{} {form}: {refusal}", signed.name));
            assert_eq!(verified.form, form);
            assert_eq!(verified.to_string(), format!("key {} ({form})", signed.key().fingerprint()));
        }
    }
}

#[test]
fn one_good_signature_is_enough_whatever_lies_beside_it() {
    let signed = p256();
    let evidence = [
        Evidence::Bundle(b"{}".to_vec()),
        p384().bundle(),
        attestation(),
        other().simple,
        other().bundle(),
        signed.bundle(),
    ];
    assert_eq!(verify(&signed.key(), &signed.subject(), &evidence).unwrap().form, Form::Bundle);
}

#[test]
fn a_claimed_identity_counts_without_its_tag() {
    let subject =
        Subject::new("registry.example/acme/driver", &sha256(fixture!("driver/manifest.json"))).unwrap();
    assert_eq!(verify(&p256().key(), &subject, &[claimed()]).unwrap().form, Form::SimpleSigning);
}

#[test]
fn the_subject_names_the_tag_that_cosign_pushed_to() {
    let signed = p256();
    let hex = signed.subject().manifest_digest().replace("sha256:", "");
    assert_eq!(signed.subject().signature_tag(), format!("sha256-{hex}.sig"));
}
