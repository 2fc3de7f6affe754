//! `basic`: user name and password, as `Authorization: Basic` (RFC 7617).
//!
//! Params: `usernameKey` and `passwordKey` (of the Secret, default `username` and `password`, as in a
//! Secret of type `kubernetes.io/basic-auth`).

use super::{
    Failure, Kind, Signer, header,
    settings::{Form, Need, Param},
    source::Source,
    unchecked,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret as _, SecretString};

pub(super) const KIND: Kind = Kind {
    name: "basic",
    params: &[
        Param { name: "usernameKey", need: Need::Default("username"), form: Form::SecretKey },
        Param { name: "passwordKey", need: Need::Default("password"), form: Form::SecretKey },
    ],
    identifiers: &[],
    check: unchecked,
    signer,
};

fn signer(source: &Source<'_>) -> Result<Signer, Failure> {
    let (user, password) = (source.settings.get("usernameKey"), source.settings.get("passwordKey"));
    let name = source.secret(user)?;
    // The first colon ends the user name (RFC 7617 §2).
    if name.expose_secret().contains(':') {
        return Err(source.invalid(user, "a user name must not hold a colon"));
    }
    let text = value(name, source.secret(password)?);
    header::fixed(source, AUTHORIZATION, text.expose_secret(), password)
}

/// The header's value.
pub(super) fn value(user: &SecretString, password: &SecretString) -> SecretString {
    let pair = format!("{}:{}", user.expose_secret(), password.expose_secret());
    format!("Basic {}", STANDARD.encode(pair)).into()
}
