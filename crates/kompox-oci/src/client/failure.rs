//! From what the HTTP client and the registry say to a fault that can be told from others.

use crate::error::Fault;
use http::StatusCode;
use reqwest::Response;
use serde::Deserialize;
use std::{error::Error as StdError, io, time::Duration};

/// Longest text of others in a message.
const MESSAGE: usize = 200;

/// The errors of a registry's answer.
#[derive(Deserialize)]
struct Envelope {
    errors: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// The response, if it has one of these statuses.
pub(super) async fn expect(response: Response, expected: &[StatusCode]) -> Result<Response, Fault> {
    let status = response.status();
    if expected.contains(&status) {
        return Ok(response);
    }
    Err(match status {
        StatusCode::UNAUTHORIZED => Fault::Unauthenticated,
        StatusCode::FORBIDDEN => Fault::Forbidden,
        StatusCode::NOT_FOUND => Fault::NotFound,
        StatusCode::TOO_MANY_REQUESTS => Fault::Throttled { after: retry_after(&response) },
        _ => Fault::Status { status: status.as_u16(), message: message(&beginning(response).await) },
    })
}

/// The beginning of a body, for a message; what is no text is left out.
async fn beginning(mut response: Response) -> String {
    const LIMIT: usize = 4096;
    let mut bytes = Vec::new();
    while bytes.len() < LIMIT {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend(chunk.iter().take(LIMIT - bytes.len())),
            _ => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(http::header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

/// What the registry says, on one line.
fn message(body: &str) -> String {
    let text = match serde_json::from_str::<Envelope>(body) {
        Ok(envelope) => {
            let lines = envelope.errors.iter().map(|entry| format!("{} {}", entry.code, entry.message));
            lines.collect::<Vec<_>>().join("; ")
        }
        Err(_) => body.to_owned(),
    };
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MESSAGE).collect();
    if line.trim().is_empty() { "nothing".to_owned() } else { line.trim().to_owned() }
}

/// Whether the other side closed the connection without a word: what it does with one that was idle for long, or
/// with every one, as some proxies do.
pub(super) fn closed(error: &reqwest::Error) -> bool {
    causes(error)
        .any(|cause| cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message))
}

/// An error and what is behind it.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(Some(error as &(dyn StdError + 'static)), |cause| behind(*cause))
}

/// What an IO error wraps is not among its sources.
fn behind<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// What kept a request from being answered.
pub(super) fn of(error: &reqwest::Error) -> Fault {
    if error.is_timeout() {
        return Fault::Timeout;
    }
    let mut last = String::new();
    for cause in causes(error) {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return of_tls(tls);
        }
        let refused = |io: &io::Error| io.kind() == io::ErrorKind::ConnectionRefused;
        if cause.downcast_ref().is_some_and(refused) {
            return Fault::Refused;
        }
        last = cause.to_string();
    }
    let last = last.chars().take(MESSAGE).collect();
    if error.is_redirect() { Fault::Protocol(last) } else { Fault::Unreachable(last) }
}

fn of_tls(error: &rustls::Error) -> Fault {
    use rustls::{CertificateError, Error};
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => Fault::UnknownAuthority,
        Error::InvalidCertificate(reason) => Fault::Certificate(reason.to_string()),
        Error::InvalidMessage(_) => Fault::NotTls,
        other => Fault::Unreachable(format!("TLS: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_registry_says_is_one_bounded_line() {
        let long = "x".repeat(1000);
        for (body, expected) in [
            (r#"{"errors":[{"code":"DENIED","message":"no\nway"}]}"#, "DENIED no way"),
            ("<html>\n", "<html>"),
            ("", "nothing"),
            (&long, &long[..MESSAGE]),
        ] {
            assert_eq!(message(body), expected);
        }
    }

    #[test]
    fn faults_of_tls_are_told_apart() {
        use rustls::{CertificateError, Error, InvalidMessage};
        let unknown = of_tls(&Error::InvalidCertificate(CertificateError::UnknownIssuer));
        assert!(matches!(unknown, Fault::UnknownAuthority));
        let name = of_tls(&Error::InvalidCertificate(CertificateError::NotValidForName));
        assert!(matches!(name, Fault::Certificate(_)));
        let plain = of_tls(&Error::InvalidMessage(InvalidMessage::InvalidContentType));
        assert!(matches!(plain, Fault::NotTls));
    }
}
