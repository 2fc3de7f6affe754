//! What a refused signature is called: the one mapping to reasons, for the operator's conditions and the command line.

use kompox_crds::Reason;
use kompox_signature::Refusal;

/// The reason of a refusal. Where a message alone tells two cases apart, such as the two ways in which an Ed25519
/// signature fails, they share one.
#[must_use]
pub fn reason(refusal: &Refusal) -> Reason {
    match refusal {
        Refusal::Unsigned { .. } => Reason::Unsigned,
        Refusal::WrongKey { .. } | Refusal::WrongKeyOrForm { .. } | Refusal::WrongIdentity { .. } => {
            Reason::SignedByAnother
        }
        Refusal::WrongIssuer { .. } => Reason::IssuedByAnother,
        Refusal::Tampered { .. } => Reason::SignatureTampered,
        Refusal::OtherSubject { .. } => Reason::SignedForAnother,
        Refusal::Unlogged { .. } => Reason::SignatureUnlogged,
        Refusal::Untrusted { .. } => Reason::SignatureUntrusted,
        Refusal::NotBuilt => Reason::NotSupported,
        Refusal::TooMany { .. }
        | Refusal::TooLarge { .. }
        | Refusal::Malformed(_)
        | Refusal::Unsupported(_) => Reason::SignatureInvalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kompox_signature::Subject;

    #[test]
    fn every_refusal_has_its_reason() {
        let subject =
            Subject::new("registry.example/acme/driver", &format!("sha256:{}", "0".repeat(64))).unwrap();
        let (key, why, signed) = (String::new, String::new, String::new);
        let of = |make: &dyn Fn(Subject) -> Refusal| make(subject.clone());
        for (refusal, expected) in [
            (of(&|subject| Refusal::Unsigned { subject }), Reason::Unsigned),
            (Refusal::TooMany { count: 65, limit: 64 }, Reason::SignatureInvalid),
            (Refusal::TooLarge { bytes: 2, limit: 1 }, Reason::SignatureInvalid),
            (Refusal::Malformed(why()), Reason::SignatureInvalid),
            (Refusal::Unsupported(why()), Reason::SignatureInvalid),
            (of(&|subject| Refusal::WrongKey { subject, key: key() }), Reason::SignedByAnother),
            (of(&|subject| Refusal::WrongKeyOrForm { subject, key: key() }), Reason::SignedByAnother),
            (of(&|subject| Refusal::Tampered { subject, key: key() }), Reason::SignatureTampered),
            (of(&|subject| Refusal::WrongIssuer { subject, why: why() }), Reason::IssuedByAnother),
            (of(&|subject| Refusal::WrongIdentity { subject, why: why() }), Reason::SignedByAnother),
            (of(&|subject| Refusal::Unlogged { subject }), Reason::SignatureUnlogged),
            (of(&|subject| Refusal::Untrusted { subject, why: why() }), Reason::SignatureUntrusted),
            (Refusal::NotBuilt, Reason::NotSupported),
            (of(&|subject| Refusal::OtherSubject { subject, signed: signed() }), Reason::SignedForAnother),
        ] {
            assert_eq!(reason(&refusal), expected, "{refusal}");
        }
    }
}
