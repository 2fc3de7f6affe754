//! `bearer`: a token that lasts, as `Authorization: Bearer` (RFC 6750 §2.1).
//!
//! Params: `key` (of the Secret, default `token`).

use super::{
    Failure, Kind, Signer, header,
    settings::{Form, Need, Param},
    source::Source,
    unchecked,
};
use http::header::AUTHORIZATION;
use secrecy::ExposeSecret as _;

pub(super) const KIND: Kind = Kind {
    name: "bearer",
    params: &[Param { name: "key", need: Need::Default("token"), form: Form::SecretKey }],
    identifiers: &[],
    check: unchecked,
    signer,
};

fn signer(source: &Source<'_>) -> Result<Signer, Failure> {
    let key = source.settings.get("key");
    let text = format!("Bearer {}", source.secret(key)?.expose_secret());
    header::fixed(source, AUTHORIZATION, &text, key)
}
