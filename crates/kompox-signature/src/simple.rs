//! The first form: a simple signing payload, signed as it is, its signature beside it in an annotation.
//!
//! Payload as described in containers/image, `containers-signature(5)`, with cosign's own type.

use crate::{
    key::PublicKey,
    refusal::Refusal,
    subject::{Subject, repository_of, shown},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

/// Media type of the layer that carries the payload.
pub const SIMPLE_SIGNING_MEDIA_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// Annotation of that layer's descriptor that carries the signature in base64.
pub const SIGNATURE_ANNOTATION: &str = "dev.cosignproject.cosign/signature";

/// `critical.type` of the payload.
const TYPE: &str = "cosign container image signature";

#[derive(Deserialize, Serialize)]
struct Payload {
    critical: Critical,
    #[serde(skip_deserializing)]
    optional: (),
}

#[derive(Deserialize, Serialize)]
struct Critical {
    identity: Identity,
    image: Image,
    r#type: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Identity {
    docker_reference: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Image {
    docker_manifest_digest: String,
}

/// The payload that states `subject`, byte for byte as cosign writes it.
pub(crate) fn payload(subject: &Subject) -> serde_json::Result<Vec<u8>> {
    let critical = Critical {
        identity: Identity { docker_reference: subject.repository().to_owned() },
        image: Image { docker_manifest_digest: subject.manifest_digest() },
        r#type: TYPE.to_owned(),
    };
    serde_json::to_vec(&Payload { critical, optional: () })
}

/// The payload carries the key's signature and is about the subject.
pub(crate) fn check(
    key: &PublicKey,
    subject: &Subject,
    payload: &[u8],
    signature: &str,
) -> Result<(), Refusal> {
    let signature = STANDARD
        .decode(signature)
        .map_err(|_| Refusal::Malformed(format!("the annotation `{SIGNATURE_ANNOTATION}` is not base64")))?;
    if !key.signed(payload, &signature) {
        return Err(Refusal::mismatch(key, subject, false));
    }
    about(subject, payload)
}

/// The payload, whose signature is known to be good, is about the subject.
fn about(subject: &Subject, payload: &[u8]) -> Result<(), Refusal> {
    let Payload { critical, .. } = serde_json::from_slice(payload)
        .map_err(|error| Refusal::Malformed(format!("the simple signing payload does not parse: {error}")))?;
    if critical.r#type != TYPE {
        return Err(Refusal::Unsupported(format!("the payload type `{}`", shown(&critical.r#type))));
    }
    let repository = repository_of(&critical.identity.docker_reference);
    let digest = critical.image.docker_manifest_digest;
    if digest != subject.manifest_digest() || repository != subject.repository() {
        let signed = shown(&format!("{repository}@{digest}"));
        return Err(Refusal::OtherSubject { subject: subject.clone(), signed });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::SigningKey;

    #[test]
    fn a_signed_payload_counts_only_when_it_is_one_of_cosign_about_the_subject() {
        let key = SigningKey::for_tests();
        let verdict = |payload: &str| {
            let signature = STANDARD.encode(key.sign(payload.as_bytes()).unwrap());
            check(key.public_key(), &Subject::for_tests(), payload.as_bytes(), &signature)
        };
        let good = String::from_utf8(payload(&Subject::for_tests()).unwrap()).unwrap();
        assert_eq!(verdict(&good), Ok(()));
        for (from, to, reason) in [
            ("cosign container image signature", "atomic container signature", "Unsupported"),
            ("registry.example", "registry.example.net", "OtherSubject"),
            ("acme/driver", "acme/driver/more", "OtherSubject"),
            ("00", "11", "OtherSubject"),
            ("sha256:", "sha512:", "OtherSubject"),
            ("\"type\"", "\"image\":{},\"type\"", "Malformed"),
            ("\"critical\"", "\"uncritical\"", "Malformed"),
        ] {
            assert_eq!(verdict(&good.replace(from, to)).unwrap_err().reason(), reason, "{from} -> {to}");
        }
    }
}
