//! In place of `sigstore` where the feature `keyless` is off: nothing is verified, and so nothing is accepted.

use super::Identity;
use crate::{refusal::Refusal, subject::Subject};

/// No authorities.
pub(super) struct Root;

/// # Errors
/// Always: who names a trust root wants it used.
pub(super) fn root(_json: &str) -> Result<Root, String> {
    Err("this program was built without the cargo feature `keyless`".to_owned())
}

/// # Errors
/// Never: that nothing can be verified is told of each signature.
pub(super) fn public() -> Result<Root, String> {
    Ok(Root)
}

/// # Errors
/// Always.
pub(super) fn check(_: &Root, _: &Identity, _: &Subject, _json: &[u8]) -> Result<(), Refusal> {
    Err(Refusal::NotBuilt)
}
