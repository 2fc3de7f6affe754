//! `header`: a secret in a header of the driver's choice, and the base of the kinds that do just that.
//!
//! Params: `header`, `key` (of the Secret, default `token`), `prefix` (put before the secret).

use super::{
    Failure, Kind, Signer,
    settings::{Form, Need, Param, Settings},
    source::Source,
};
use http::{HeaderName, HeaderValue, header};
use secrecy::{ExposeSecret as _, SecretString};

pub(super) const KIND: Kind = Kind {
    name: "header",
    params: &[
        Param { name: "header", need: Need::Required, form: Form::Header },
        Param { name: "key", need: Need::Default("token"), form: Form::SecretKey },
        Param { name: "prefix", need: Need::Default(""), form: Form::Text },
    ],
    identifiers: &[],
    check: |settings| name(settings).map(drop),
    signer,
};

/// Headers that frame or route a request.
const RESERVED: [HeaderName; 7] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The header that the setting `header` names.
///
/// # Errors
/// It is one that the host needs for itself.
pub(super) fn name(settings: &Settings) -> Result<HeaderName, String> {
    let name = HeaderName::from_bytes(settings.get("header").as_bytes())
        .map_err(|_| "param `header`: it must be the name of a header")?;
    if RESERVED.contains(&name) {
        return Err(format!("param `header`: `{name}` frames or routes requests and cannot carry a secret"));
    }
    Ok(name)
}

fn signer(source: &Source<'_>) -> Result<Signer, Failure> {
    let name = name(&source.settings).map_err(|what| source.misconfigured(&what))?;
    let key = source.settings.get("key");
    let text = format!("{}{}", source.settings.get("prefix"), source.secret(key)?.expose_secret());
    fixed(source, name, &text, key)
}

/// Sets `name` to `text`, which was made from the entry `key`.
pub(super) fn fixed(source: &Source<'_>, name: HeaderName, text: &str, key: &str) -> Result<Signer, Failure> {
    value(text).map_err(|what| source.invalid(key, what))?;
    Ok(Signer::Header { name, value: SecretString::from(text) })
}

/// A header value that is never shown by `Debug`.
///
/// # Errors
/// The text has characters that no header may have.
pub(super) fn value(text: &str) -> Result<HeaderValue, &'static str> {
    let mut value = HeaderValue::from_str(text).map_err(|_| "it holds characters that no header may have")?;
    value.set_sensitive(true);
    Ok(value)
}
