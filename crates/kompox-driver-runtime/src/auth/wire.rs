//! The way to token endpoints. What the driver's descriptor chose is reached under the driver's own
//! egress rules; constants of this operator and what the administrator gave to the process are reached
//! over connections of the host, to public addresses. Redirects are not followed, answers are bounded,
//! and of a refusal only its status and a code from a closed alphabet is ever told.

use super::{Failure, signer::learn_authorization};
use crate::{
    egress::Policy,
    http::{Client, SendFailure},
    limiter::retry_after,
    options::{Clock, Limits},
    redact::Redactor,
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, Method, Request, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT},
};
use http_body_util::{BodyExt as _, Full, Limited};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use std::time::SystemTime;

/// Longest answer of a token endpoint, in bytes.
const ANSWER: usize = 256 << 10;
/// Longest error code that is repeated to people.
const CODE: usize = 64;

/// Reaches token endpoints in one call.
pub(crate) struct Wire<'a> {
    /// What the driver may reach.
    pub(crate) policy: &'a Policy,
    /// The driver's connections.
    pub(crate) driver: &'a Client,
    /// The host's connections.
    pub(crate) host: &'a Client,
    /// Bounds of time.
    pub(crate) limits: &'a Limits,
    /// The wall clock.
    pub(crate) clock: &'a Clock,
    /// Removes secrets from what a token endpoint says.
    pub(crate) redactor: &'a Redactor,
}

/// Who chose a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    /// The operator's source, or the administrator.
    ByHost,
    /// The driver's descriptor, or the configuration of a tenant.
    ByDriver,
}

/// A request to a token endpoint. Cannot be printed.
pub(super) struct Question {
    method: Method,
    url: String,
    chosen: Chosen,
    headers: Vec<(HeaderName, SecretString)>,
    body: SecretString,
}

impl Question {
    /// A request without a body.
    pub(super) fn new(method: Method, url: impl Into<String>, chosen: Chosen) -> Self {
        Self { method, url: url.into(), chosen, headers: Vec::new(), body: SecretString::default() }
    }

    /// A form (`application/x-www-form-urlencoded`).
    pub(super) fn form(url: impl Into<String>, chosen: Chosen, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self::new(Method::POST, url, chosen)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body)
    }

    /// A JSON document.
    pub(super) fn json(url: impl Into<String>, chosen: Chosen, body: &Value) -> Self {
        Self::new(Method::POST, url, chosen).header(CONTENT_TYPE, "application/json").body(body.to_string())
    }

    /// With one header more.
    pub(super) fn header(mut self, name: HeaderName, value: impl Into<SecretString>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn body(mut self, body: String) -> Self {
        self.body = body.into();
        self
    }

    fn request(&self, uri: &Uri) -> Result<Request<Full<Bytes>>, Failure> {
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let mut builder = Request::builder()
            .method(self.method.clone())
            .uri(uri.clone())
            .header(HOST, authority)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("kompox-operator/", env!("CARGO_PKG_VERSION")));
        for (name, value) in &self.headers {
            let value = super::header::value(value.expose_secret()).map_err(Failure::unusable)?;
            if let Some(headers) = builder.headers_mut() {
                headers.insert(name.clone(), value);
            }
        }
        let body = Bytes::copy_from_slice(self.body.expose_secret().as_bytes());
        builder.body(Full::new(body)).map_err(|_| Failure::unusable("the token request cannot be made"))
    }
}

/// What a token endpoint said.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Scheme and host, for messages.
    origin: String,
}

impl Wire<'_> {
    /// Now.
    pub(super) fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// Asks, and gives back an answer with a status of success. `code` finds the error code in the
    /// body of another.
    pub(super) async fn ask(
        &self,
        question: &Question,
        code: fn(&[u8]) -> Option<String>,
    ) -> Result<Answer, Failure> {
        let uri: Uri = question.url.parse().map_err(|_| Failure::unusable("the token URL is malformed"))?;
        let origin = format!("{}://{}", uri.scheme_str().unwrap_or("?"), uri.host().unwrap_or("?"));
        let client = match question.chosen {
            Chosen::ByHost => self.host,
            Chosen::ByDriver => {
                self.policy
                    .allow(&question.method, &uri)
                    .map_err(|denial| Failure::forbidden(format!("failed to get a token: {denial}")))?;
                self.driver
            }
        };
        for (_, value) in question.headers.iter().filter(|(name, _)| name == AUTHORIZATION) {
            learn_authorization(value.expose_secret(), self.redactor);
        }
        let request = question.request(&uri)?;
        let patience = self.limits.connect_timeout + self.limits.first_byte_timeout;
        let answer = tokio::time::timeout(patience, receive(client, request, origin.clone()))
            .await
            .unwrap_or_else(|_| Err(Failure::unavailable(format!("{origin} did not answer in time"))))?;
        tracing::debug!(origin = answer.origin, status = answer.status.as_u16(), "token request");
        if answer.status.is_success() { Ok(answer) } else { Err(self.refusal(&answer, code)) }
    }

    fn refusal(&self, answer: &Answer, code: fn(&[u8]) -> Option<String>) -> Failure {
        let status = answer.status.as_u16();
        let code = code(&answer.body)
            .filter(|code| is_code(code) && !self.redactor.finds_in(code))
            .map(|code| format!(", {code}"))
            .unwrap_or_default();
        let message = format!("{} refused to give a token (status {status}{code})", answer.origin);
        match status {
            408 | 425 | 429 | 500.. => {
                Failure::unavailable(message).after(retry_after(&answer.headers, self.now()))
            }
            _ => Failure::refused(format!("{message}: check the credentials")),
        }
    }
}

async fn receive(client: &Client, request: Request<Full<Bytes>>, origin: String) -> Result<Answer, Failure> {
    let response = client.send(request, None).await.map_err(|failure| match failure {
        SendFailure::Forbidden(why) => Failure::forbidden(format!("failed to get a token: {why}")),
        SendFailure::Untrusted(why) => Failure::unavailable(format!("failed to reach {origin}: {why}")),
        SendFailure::Failed(error) => Failure::unavailable(format!("failed to reach {origin}: {error}")),
    })?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, ANSWER)
        .collect()
        .await
        .map_err(|_| Failure::unexpected(format!("the answer of {origin} broke off or is too long")))?;
    Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes(), origin })
}

impl Answer {
    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Value, Failure> {
        // The error of the parser would show a part of the body.
        serde_json::from_slice(&self.body).map_err(|_| self.unexpected("it is not JSON"))
    }

    /// The failure of an answer that is no token.
    pub(super) fn unexpected(&self, what: &str) -> Failure {
        Failure::unexpected(format!("the answer of {} holds no usable token: {what}", self.origin))
    }
}

/// The code of an OAuth error (RFC 6749 §5.2), with that of Microsoft Entra where it is given.
pub(super) fn oauth_code(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let entra = body
        .get("error_description")
        .and_then(Value::as_str)
        .and_then(|text| text.split(|c: char| !c.is_ascii_alphanumeric()).find(|word| is_entra_code(word)));
    let error = body.get("error");
    let code = error.and_then(Value::as_str).or_else(|| error?.get("status")?.as_str());
    entra.or(code).map(str::to_owned)
}

fn is_entra_code(word: &str) -> bool {
    word.strip_prefix("AADSTS")
        .is_some_and(|digits| (3..=10).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit()))
}

/// No code at all: the endpoint has no registered ones.
pub(super) fn no_code(_body: &[u8]) -> Option<String> {
    None
}

fn is_code(text: &str) -> bool {
    (1..=CODE).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
