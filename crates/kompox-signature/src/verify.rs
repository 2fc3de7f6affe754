//! The verdict on everything a registry holds about a manifest's signatures.

use crate::{
    bundle,
    key::PublicKey,
    refusal::Refusal,
    signer::{Form, Signer, Verified},
    simple::{self, SIGNATURE_ANNOTATION},
    subject::Subject,
};
use std::collections::BTreeMap;

/// Most pieces of evidence that are looked at.
pub const MAX_EVIDENCE: usize = 64;

/// Longest piece of evidence that is read, in bytes; callers need not fetch more. A bundle with a log entry
/// and a time stamp has about 10 KiB.
pub const MAX_EVIDENCE_BYTES: usize = 256 * 1024;

/// One signature as the registry holds it. Nothing in it is believed before its signature is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A layer of the manifest behind [`Subject::signature_tag`], of the type
    /// [`SIMPLE_SIGNING_MEDIA_TYPE`](crate::SIMPLE_SIGNING_MEDIA_TYPE).
    SimpleSigning {
        /// The layer's bytes.
        payload: Vec<u8>,
        /// The annotations of its descriptor.
        annotations: BTreeMap<String, String>,
    },
    /// The layer of a referrer of the type [`BUNDLE_MEDIA_TYPE`](crate::BUNDLE_MEDIA_TYPE).
    Bundle(Vec<u8>),
}

/// Looks for one good signature of `key` on `subject`. Others beside it do no harm: whoever may push can add them.
///
/// A good signature vouches for the manifest's digest and nothing else: read the manifest by that digest,
/// and the layers by the digests in it.
///
/// # Errors
/// There is none; of several refusals the most telling one.
pub fn verify(key: &PublicKey, subject: &Subject, evidence: &[Evidence]) -> Result<Verified, Refusal> {
    let form = first_good(subject, evidence, |one| match one {
        Evidence::SimpleSigning { payload, annotations } => {
            let signature = annotations.get(SIGNATURE_ANNOTATION).ok_or_else(|| {
                Refusal::Malformed(format!("the layer has no annotation `{SIGNATURE_ANNOTATION}`"))
            })?;
            simple::check(key, subject, payload, signature).map(|()| Form::SimpleSigning)
        }
        Evidence::Bundle(json) => bundle::check(key, subject, json).map(|()| Form::Bundle),
    })?;
    Ok(Verified { signer: Signer::Key(key.fingerprint()), form })
}

/// The form of the first piece that passes `check`, or the most telling refusal. Sizes are looked at first.
pub(crate) fn first_good(
    subject: &Subject,
    evidence: &[Evidence],
    check: impl Fn(&Evidence) -> Result<Form, Refusal>,
) -> Result<Form, Refusal> {
    if evidence.len() > MAX_EVIDENCE {
        return Err(Refusal::TooMany { count: evidence.len(), limit: MAX_EVIDENCE });
    }
    let mut refusal = Refusal::Unsigned { subject: subject.clone() };
    for one in evidence {
        match one.bounded().and_then(&check) {
            Ok(form) => return Ok(form),
            Err(other) if other.weight() > refusal.weight() => refusal = other,
            Err(_) => {}
        }
    }
    Err(refusal)
}

impl Evidence {
    /// Itself, when it is as short as a signature is.
    fn bounded(&self) -> Result<&Self, Refusal> {
        let bytes = match self {
            Self::SimpleSigning { payload, annotations } => {
                payload.len() + annotations.get(SIGNATURE_ANNOTATION).map_or(0, String::len)
            }
            Self::Bundle(json) => json.len(),
        };
        if bytes > MAX_EVIDENCE_BYTES {
            return Err(Refusal::TooLarge { bytes, limit: MAX_EVIDENCE_BYTES });
        }
        Ok(self)
    }
}
