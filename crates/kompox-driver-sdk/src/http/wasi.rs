//! [`Transport`] over `wasi:http/outgoing-handler`. Exists only in the component.
//!
//! The effect of a failure: until the request is handed to the network nothing can have happened
//! (`none`); a refused connection or an unresolved name is `none` too; for everything else a byte
//! may have been sent, and the effect is `unknown`.

use super::{MAX_REQUEST_BODY, MAX_RESPONSE_BODY, Method, Request, Response, Transport, TransportError};
use crate::bindings::wasi_world::wasi::http::outgoing_handler::{self, RequestOptions};
use crate::bindings::wasi_world::wasi::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method as WasiMethod, OutgoingBody, OutgoingRequest,
    Scheme,
};
use crate::bindings::wasi_world::wasi::io::streams::StreamError;
use crate::types::Effect;

const SECOND: u64 = 1_000_000_000;
/// What one write may carry at once, after `blocking-write-and-flush`.
const WRITE_CHUNK: usize = 4096;

/// Sends requests through the host.
#[derive(Clone, Copy, Debug, Default)]
pub struct WasiTransport;

impl Transport for WasiTransport {
    fn send(&mut self, request: &Request) -> Result<Response, TransportError> {
        let outgoing = prepare(request)?;
        let body = outgoing.body().map_err(|()| invalid("no body"))?;
        let future = outgoing_handler::handle(outgoing, Some(options())).map_err(|error| unsent(&error))?;
        // The response tells better than the write what went wrong, so a failed write is not the end.
        let written = write_body(body, &request.body);
        let response = loop {
            match future.get() {
                Some(Ok(Ok(response))) => break response,
                Some(Ok(Err(error))) => return Err(failed(&error)),
                Some(Err(())) => return Err(lost("the response was taken twice")),
                None => future.subscribe().block(),
            }
        };
        written.or_else(|error| if response.status() >= 400 { Ok(()) } else { Err(error) })?;
        read(response)
    }
}

fn prepare(request: &Request) -> Result<OutgoingRequest, TransportError> {
    if request.body.len() > MAX_REQUEST_BODY {
        let message = format!("the request body has more than {MAX_REQUEST_BODY} bytes");
        return Err(TransportError { effect: Effect::None, reason: "RequestTooLarge", message });
    }
    let (scheme, authority, path) = split(&request.url).ok_or_else(|| invalid("URL"))?;
    let headers = Fields::new();
    for (name, value) in &request.headers {
        headers.append(name, value.as_bytes()).map_err(|_| invalid("header"))?;
    }
    let outgoing = OutgoingRequest::new(headers);
    outgoing.set_method(&method(request.method)).map_err(|()| invalid("method"))?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| invalid("scheme"))?;
    outgoing.set_authority(Some(authority)).map_err(|()| invalid("authority"))?;
    outgoing.set_path_with_query(Some(path)).map_err(|()| invalid("path"))?;
    Ok(outgoing)
}

/// `None` where the URL is not absolute `http` or `https`.
fn split(url: &str) -> Option<(Scheme, &str, &str)> {
    let (scheme, rest) = match url.strip_prefix("https://") {
        Some(rest) => (Scheme::Https, rest),
        None => (Scheme::Http, url.strip_prefix("http://")?),
    };
    let (authority, path) = rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, "/"));
    (!authority.is_empty()).then_some((scheme, authority, path))
}

fn method(method: Method) -> WasiMethod {
    match method {
        Method::Get => WasiMethod::Get,
        Method::Post => WasiMethod::Post,
        Method::Put => WasiMethod::Put,
        Method::Patch => WasiMethod::Patch,
        Method::Delete => WasiMethod::Delete,
    }
}

/// The host has its own, tighter limits; a host that does not know a limit says so, which is harmless.
fn options() -> RequestOptions {
    let options = RequestOptions::new();
    let _ = options.set_connect_timeout(Some(10 * SECOND));
    let _ = options.set_first_byte_timeout(Some(30 * SECOND));
    let _ = options.set_between_bytes_timeout(Some(30 * SECOND));
    options
}

fn write_body(body: OutgoingBody, bytes: &[u8]) -> Result<(), TransportError> {
    if !bytes.is_empty() {
        let stream = body.write().map_err(|()| lost("the request body cannot be written"))?;
        for chunk in bytes.chunks(WRITE_CHUNK) {
            stream.blocking_write_and_flush(chunk).map_err(|_| lost("the request body was cut off"))?;
        }
    }
    OutgoingBody::finish(body, None).map_err(|error| failed(&error))
}

fn read(response: IncomingResponse) -> Result<Response, TransportError> {
    let status = response.status();
    let headers = response.headers().entries();
    let headers =
        headers.into_iter().map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()));
    let headers = headers.collect();
    let body = response.consume().map_err(|()| lost("the response has no body"))?;
    let body = read_body(&body)?;
    Ok(Response { status, headers, body })
}

fn read_body(body: &IncomingBody) -> Result<Vec<u8>, TransportError> {
    let stream = body.stream().map_err(|()| lost("the response body cannot be read"))?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 << 10) {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(_)) => return Err(lost("the response was cut off")),
        }
        if bytes.len() > MAX_RESPONSE_BODY {
            let message = format!("the response body has more than {MAX_RESPONSE_BODY} bytes");
            return Err(TransportError { effect: Effect::Unknown, reason: "ResponseTooLarge", message });
        }
    }
}

fn invalid(what: &str) -> TransportError {
    let message = format!("the driver made a request with an invalid {what}");
    TransportError { effect: Effect::None, reason: "InvalidRequest", message }
}

fn lost(message: &str) -> TransportError {
    TransportError { effect: Effect::Unknown, reason: "ConnectionLost", message: message.to_owned() }
}

/// The host refused to take the request, so it was never sent, whatever the code.
fn unsent(error: &ErrorCode) -> TransportError {
    TransportError { effect: Effect::None, ..failed(error) }
}

fn failed(error: &ErrorCode) -> TransportError {
    use ErrorCode as E;
    let (effect, reason, what) = match error {
        E::HttpRequestDenied | E::DestinationIpProhibited => {
            (Effect::None, "EgressDenied", "the host does not allow this request")
        }
        E::DnsTimeout | E::DnsError(_) => (Effect::None, "DnsError", "the name could not be resolved"),
        E::DestinationNotFound | E::DestinationUnavailable | E::DestinationIpUnroutable => {
            (Effect::None, "DestinationUnavailable", "the provider cannot be reached")
        }
        E::ConnectionRefused => (Effect::None, "ConnectionRefused", "the connection was refused"),
        E::ConnectionTimeout => (Effect::None, "ConnectionTimeout", "the connection took too long"),
        E::ConnectionLimitReached => (Effect::None, "ConnectionLimit", "too many requests are open"),
        E::TlsCertificateError => {
            (Effect::None, "TlsCertificate", "the provider's certificate is not trusted")
        }
        E::ConfigurationError => {
            (Effect::None, "HostConfiguration", "the host's settings forbid this request")
        }
        E::ConnectionReadTimeout | E::ConnectionWriteTimeout | E::HttpResponseTimeout => {
            (Effect::Unknown, "ResponseTimeout", "the answer took too long")
        }
        _ => (Effect::Unknown, "ConnectionLost", "the connection broke before the answer was whole"),
    };
    TransportError { effect, reason, message: what.to_owned() }
}
