//! Requests and responses as values, and the trait that carries them. No provider's rules: a status
//! code means what the driver says it means.
//!
//! The guest never signs and never sees a credential: the host adds what the descriptor's auth
//! profile says for the URL. Redirects are not followed.

mod retry_after;
#[cfg(target_family = "wasm")]
mod wasi;

pub use retry_after::retry_after_ms;
#[cfg(target_family = "wasm")]
pub use wasi::WasiTransport;

use crate::types::{Effect, Error, ErrorCode};

/// Largest request body, in bytes; the host buffers it to sign it.
pub const MAX_REQUEST_BODY: usize = 1 << 20;
/// Largest response body, in bytes.
pub const MAX_RESPONSE_BODY: usize = 16 << 20;

/// The request methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates or acts.
    Post,
    /// Replaces.
    Put,
    /// Changes a part.
    Patch,
    /// Removes.
    Delete,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Absolute, `http` or `https`, already percent-encoded.
    pub url: String,
    /// Names are lower-case; `host`, `authorization` and `content-length` are the host's.
    pub headers: Vec<(String, String)>,
    /// At most [`MAX_REQUEST_BODY`] bytes.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without a body.
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// The request with one more header; `name` in lower case.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The request with a body of that media type.
    #[must_use]
    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", media_type)
    }
}

/// A response, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 100 to 599.
    pub status: u16,
    /// Names as the server wrote them.
    pub headers: Vec<(String, String)>,
    /// At most [`MAX_RESPONSE_BODY`] bytes.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header, its name compared without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// When the server wants to be asked again, in milliseconds; see [`retry_after_ms`].
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u32> {
        retry_after_ms(self)
    }
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    /// `none` if no byte of the request can have been sent, else `unknown`.
    pub effect: Effect,
    /// CamelCase: what failed.
    pub reason: &'static str,
    /// For people.
    pub message: String,
}

impl TransportError {
    /// The contract's error: `permission-denied` where the host refused the request, else
    /// `unavailable`.
    #[must_use]
    pub fn into_error(self) -> Error {
        let code = match self.reason {
            "EgressDenied" => ErrorCode::PermissionDenied,
            "RequestTooLarge" | "InvalidRequest" => ErrorCode::Internal,
            _ => ErrorCode::Unavailable,
        };
        Error::new(code, self.reason, self.message).effect(self.effect)
    }
}

/// Carries one request. Implemented by `WasiTransport` in the component and by
/// [`crate::testing::Script`] in tests.
pub trait Transport {
    /// Sends a request and reads the whole response.
    ///
    /// # Errors
    /// If there is no whole response; the error says whether the request may have been accepted.
    fn send(&mut self, request: &Request) -> Result<Response, TransportError>;
}

#[cfg(test)]
mod tests {
    use super::{Method, Request, Response, TransportError};
    use crate::types::{Effect, ErrorCode};

    #[test]
    fn a_body_sets_its_media_type() {
        let request = Request::new(Method::Post, "https://a.example/").body("text/plain", "x");
        assert_eq!(request.headers, [("content-type".to_owned(), "text/plain".to_owned())]);
        assert_eq!(request.body, b"x");
    }

    #[test]
    fn header_names_have_no_case() {
        let headers = vec![("Retry-After".to_owned(), "3".to_owned())];
        let response = Response { status: 204, headers, body: vec![] };
        assert_eq!(response.header("retry-after"), Some("3"));
        assert!(response.is_success());
        assert!(!Response { status: 300, ..response }.is_success());
    }

    #[test]
    fn transport_errors_keep_their_effect() {
        for (reason, code) in [
            ("EgressDenied", ErrorCode::PermissionDenied),
            ("RequestTooLarge", ErrorCode::Internal),
            ("ConnectionLost", ErrorCode::Unavailable),
        ] {
            let error = TransportError { effect: Effect::Unknown, reason, message: "m".into() }.into_error();
            assert_eq!((error.code, error.effect, error.reason.as_str()), (code, Effect::Unknown, reason));
        }
    }
}
