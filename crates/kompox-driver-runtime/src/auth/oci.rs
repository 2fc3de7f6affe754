//! `oci-signature`: signature version 1 of Oracle Cloud Infrastructure with an API signing key.
//!
//! Secret: `tenancy`, `user`, `fingerprint`, `privateKey` (PEM, without a passphrase). No params.
//!
//! Source: Oracle Cloud Infrastructure Documentation, "Request Signatures", which builds on
//! draft-cavage-http-signatures-08.

use super::{Failure, Kind, Signer as AnySigner, header, keys::RsaKey, source::Source, unchecked};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{
    HeaderName, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST},
    request::Parts,
};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use std::time::SystemTime;

pub(super) const KIND: Kind = Kind {
    name: "oci-signature",
    params: &[],
    identifiers: &["tenancy", "user", "fingerprint"],
    check: unchecked,
    signer,
};

const KEY: &str = "privateKey";
const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-content-sha256");
const ALWAYS: [&str; 3] = ["date", "(request-target)", "host"];
const WITH_BODY: [&str; 3] = ["content-length", "content-type", "x-content-sha256"];

/// Signs with one key.
pub(crate) struct Signer {
    /// Tenancy, user and fingerprint.
    key_id: String,
    key: RsaKey,
}

fn signer(source: &Source<'_>) -> Result<AnySigner, Failure> {
    let key_id =
        format!("{}/{}/{}", source.name("tenancy")?, source.name("user")?, source.name("fingerprint")?);
    let key = RsaKey::read(source.secret(KEY)?.expose_secret()).map_err(|what| source.invalid(KEY, what))?;
    Ok(AnySigner::OciSignature(Signer { key_id, key }))
}

impl Signer {
    /// Sets `date` and `authorization`, for requests with a body also what describes it.
    pub(super) fn sign(&self, request: &mut Parts, body: &[u8], now: SystemTime) -> Result<(), Failure> {
        let failed = |what: &str| Failure::unusable(format!("the request cannot be signed: {what}"));
        let names = prepare(request, body, now).map_err(failed)?;
        let text = signing_string(request, &names).map_err(failed)?;
        let signature = STANDARD.encode(self.key.sign(text.as_bytes()).map_err(failed)?);
        let value = format!(
            "Signature version=\"1\",keyId=\"{}\",algorithm=\"rsa-sha256\",headers=\"{}\",signature=\"{signature}\"",
            self.key_id,
            names.join(" ")
        );
        request.headers.insert(AUTHORIZATION, header::value(&value).map_err(failed)?);
        Ok(())
    }
}

/// Sets the headers that are signed, and names them in order.
fn prepare(request: &mut Parts, body: &[u8], now: SystemTime) -> Result<Vec<&'static str>, &'static str> {
    let now = jiff::Timestamp::try_from(now).map_err(|_| "the clock is out of range")?;
    let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let plain = |text: &str| HeaderValue::from_str(text).map_err(|_| "a header is malformed");
    request.headers.insert(DATE, plain(&date)?);
    if !matches!(request.method, Method::POST | Method::PUT | Method::PATCH) {
        return Ok(ALWAYS.to_vec());
    }
    request.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    request.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    request.headers.insert(CONTENT_SHA256, plain(&STANDARD.encode(Sha256::digest(body)))?);
    Ok([ALWAYS, WITH_BODY].concat())
}

/// What is signed: a line for each name.
fn signing_string(request: &Parts, names: &[&str]) -> Result<String, &'static str> {
    let lines: Result<Vec<String>, &str> = names
        .iter()
        .map(|name| {
            if *name == "(request-target)" {
                let target = request.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
                return Ok(format!("{name}: {} {target}", request.method.as_str().to_ascii_lowercase()));
            }
            let value = request.headers.get(*name).and_then(|value| value.to_str().ok());
            value.map(|value| format!("{name}: {value}")).ok_or("a signed header is missing")
        })
        .collect();
    debug_assert!(request.headers.contains_key(HOST), "the host is set before signing");
    Ok(lines?.join("\n"))
}

#[cfg(test)]
mod tests;
