//! The second form: a Sigstore bundle v0.3 with a DSSE envelope around an in-toto statement.
//!
//! Bundle: sigstore/protobuf-specs, `sigstore_bundle.proto`; envelope: secure-systems-lab/dsse, `protocol.md`;
//! statement: in-toto/attestation, `spec/v1/statement.md`. The names of the fields are those of proto3 JSON.

use crate::{
    key::PublicKey,
    refusal::Refusal,
    subject::{Subject, shown},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, de::IgnoredAny};
use std::collections::BTreeMap;

/// Media type of the bundle, and artifact type of the manifest that carries it.
pub const BUNDLE_MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// What the envelope wraps.
pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// `_type` of the statement.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// What `cosign sign` states; other predicates are attestations about an image, not its release.
const PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: Option<KeyHint>,
    #[serde(skip_serializing)]
    certificate: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    x509_certificate_chain: Option<IgnoredAny>,
}

#[derive(Deserialize, Serialize)]
struct KeyHint {
    #[serde(default)]
    hint: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Deserialize, Serialize)]
struct Signature {
    sig: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    r#type: String,
    subject: Vec<Resource>,
    predicate_type: String,
    #[serde(skip_deserializing)]
    predicate: Empty,
}

/// The predicate of `cosign sign` says nothing.
#[derive(Default, Serialize)]
struct Empty {}

#[derive(Deserialize, Serialize)]
struct Resource {
    digest: BTreeMap<String, String>,
}

/// The statement that `subject` is signed, without a line break: the same each time.
pub(crate) fn statement(subject: &Subject) -> serde_json::Result<Vec<u8>> {
    let digest = BTreeMap::from([("sha256".to_owned(), subject.hex().to_owned())]);
    serde_json::to_vec(&Statement {
        r#type: STATEMENT.to_owned(),
        subject: vec![Resource { digest }],
        predicate_type: PREDICATE.to_owned(),
        predicate: Empty {},
    })
}

/// The bundle of a statement, signed with the private half of `key`.
pub(crate) fn bundle(key: &PublicKey, statement: &[u8], signature: &[u8]) -> serde_json::Result<Vec<u8>> {
    let public_key = Some(KeyHint { hint: hint(key) });
    serde_json::to_vec(&Bundle {
        media_type: BUNDLE_MEDIA_TYPE.to_owned(),
        verification_material: Material { public_key, certificate: None, x509_certificate_chain: None },
        dsse_envelope: Some(Envelope {
            payload: STANDARD.encode(statement),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![Signature { sig: STANDARD.encode(signature) }],
        }),
    })
}

/// How cosign names a key in a bundle. It is a hint: nothing is believed because of it.
fn hint(key: &PublicKey) -> String {
    STANDARD.encode(key.digest())
}

/// The bundle carries the key's signature and is about the subject.
pub(crate) fn check(key: &PublicKey, subject: &Subject, json: &[u8]) -> Result<(), Refusal> {
    let bundle: Bundle = serde_json::from_slice(json)
        .map_err(|error| Refusal::Malformed(format!("the bundle does not parse: {error}")))?;
    let (named, envelope) = bundle.signed_with_key()?;
    let [signature] = envelope.signatures.as_slice() else {
        return Err(Refusal::Malformed("the envelope does not carry exactly one signature".to_owned()));
    };
    let payload = decode(&envelope.payload, "payload")?;
    let signature = decode(&signature.sig, "signature")?;
    if !key.signed(&pre_authentication(&envelope.payload_type, &payload), &signature) {
        return Err(Refusal::mismatch(key, subject, named == hint(key)));
    }
    about(subject, &envelope.payload_type, &payload)
}

impl Bundle {
    /// The key's hint and the envelope of a bundle that a public key can verify.
    fn signed_with_key(self) -> Result<(String, Envelope), Refusal> {
        if self.media_type != BUNDLE_MEDIA_TYPE {
            return Err(Refusal::Unsupported(format!("the bundle type `{}`", shown(&self.media_type))));
        }
        let material = self.verification_material;
        if material.certificate.is_some() || material.x509_certificate_chain.is_some() {
            return Err(Refusal::Unsupported(
                "a certificate (keyless signature) beside a public key".to_owned(),
            ));
        }
        let Some(key) = material.public_key else {
            return Err(Refusal::Malformed("the bundle does not say that a key signed it".to_owned()));
        };
        let Some(envelope) = self.dsse_envelope else {
            return Err(Refusal::Unsupported("a bundle without a DSSE envelope".to_owned()));
        };
        Ok((key.hint, envelope))
    }
}

fn decode(base64: &str, what: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(base64).map_err(|_| Refusal::Malformed(format!("the envelope's {what} is not base64")))
}

/// What is signed: the pre-authentication encoding of DSSE v1.
pub(crate) fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// The payload, whose signature is known to be good, states that the subject is signed.
pub(crate) fn about(subject: &Subject, payload_type: &str, payload: &[u8]) -> Result<(), Refusal> {
    if payload_type != PAYLOAD_TYPE {
        return Err(Refusal::Unsupported(format!("the payload type `{}`", shown(payload_type))));
    }
    let statement: Statement = serde_json::from_slice(payload)
        .map_err(|error| Refusal::Malformed(format!("the statement does not parse: {error}")))?;
    if statement.predicate_type != PREDICATE {
        let predicate = shown(&statement.predicate_type);
        return Err(Refusal::Unsupported(format!("an attestation of `{predicate}` in place of a signature")));
    }
    if statement.r#type != STATEMENT {
        return Err(Refusal::Unsupported(format!("the statement type `{}`", shown(&statement.r#type))));
    }
    let signed: Vec<&String> = statement.subject.iter().filter_map(|one| one.digest.get("sha256")).collect();
    if signed.iter().any(|hex| *hex == subject.hex()) {
        return Ok(());
    }
    let signed = signed.first().map_or("no manifest".to_owned(), |hex| shown(&format!("sha256:{hex}")));
    Err(Refusal::OtherSubject { subject: subject.clone(), signed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::SigningKey;

    /// Why a payload that the key did sign is refused.
    fn refused(payload_type: &str, payload: &str) -> Option<&'static str> {
        let key = SigningKey::for_tests();
        let signature = key.sign(&pre_authentication(payload_type, payload.as_bytes())).unwrap();
        let json = bundle(key.public_key(), payload.as_bytes(), &signature).unwrap();
        let json = String::from_utf8(json).unwrap().replace(PAYLOAD_TYPE, payload_type);
        check(key.public_key(), &Subject::for_tests(), json.as_bytes()).err().map(|refusal| refusal.reason())
    }

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        // The example of DSSE's protocol.md.
        let encoded = pre_authentication("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn a_signed_statement_counts_only_when_it_states_what_cosign_states() {
        let good = String::from_utf8(statement(&Subject::for_tests()).unwrap()).unwrap();
        assert_eq!(refused(PAYLOAD_TYPE, &good), None);
        let other_digest = good.replace("00", "11");
        let no_digest = good.replace("sha256", "sha512");
        let old_statement = good.replace("Statement/v1", "Statement/v0.1");
        let provenance = good.replace("sigstore.dev/cosign/sign/v1", "slsa.dev/provenance/v1");
        let twice = good.replace("\"_type\"", "\"subject\":[],\"_type\"");
        for (payload_type, payload, reason) in [
            ("application/vnd.in-toto+xml", good.as_str(), "Unsupported"),
            (PAYLOAD_TYPE, &other_digest, "OtherSubject"),
            (PAYLOAD_TYPE, &no_digest, "OtherSubject"),
            (PAYLOAD_TYPE, &old_statement, "Unsupported"),
            (PAYLOAD_TYPE, &provenance, "Unsupported"),
            (PAYLOAD_TYPE, &twice, "Malformed"),
            (PAYLOAD_TYPE, "", "Malformed"),
        ] {
            assert_eq!(refused(payload_type, payload), Some(reason), "{payload_type} {payload}");
        }
    }
}
