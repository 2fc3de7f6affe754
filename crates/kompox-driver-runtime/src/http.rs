//! Outgoing requests of drivers: every one passes [`Exchange`], and there is no other way out.
//!
//! Decides nothing by itself: `egress` says what is allowed, `auth` signs, `client` connects to
//! vetted addresses. Here they are put in order, and everything is bounded.

mod body;
mod client;
mod pace;

pub(crate) use {
    client::{Client, Failure as SendFailure},
    pace::Pace,
};

use crate::{
    auth::{self, Desk, Signer, Signers, Tokens, Wire},
    egress::{self, Denial, Endpoint, Policy},
    limiter::{self, Gate, Pass},
    observer::{RequestDenied, RequestFinished},
    options::{Limits, RuntimeOptions},
    redact::Redactor,
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts,
};
use http_body_util::Full;
use hyper::body::Incoming;
use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use tracing::{Instrument as _, Span, field};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// Framing is the host's business, and a guest has no reason to negotiate it.
const DROPPED: [HeaderName; 6] = [
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
];

type Answer = (Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

/// The hooks of one call's store.
pub(crate) struct Hooks(pub(crate) Arc<Exchange>);

impl WasiHttpHooks for Hooks {
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answer, Error>> + Send> {
        let exchange = Arc::clone(&self.0);
        // Guests' requests run in tasks of their own.
        let span = exchange.span.clone();
        let sending = async move {
            let response = exchange.send(request, options.unwrap_or_default()).await?;
            // The pool drives the connection: there is nothing left to do for the guest's task.
            Ok((response, Box::new(async { Ok(()) }) as Box<dyn Future<Output = _> + Send>))
        };
        Box::new(sending.instrument(span))
    }
}

/// What the requests of one call share.
pub(crate) struct Exchange {
    pub(crate) driver: Arc<str>,
    pub(crate) operation: &'static str,
    pub(crate) subject: String,
    /// The call's.
    pub(crate) span: Span,
    pub(crate) pace: Pace,
    pub(crate) policy: Policy,
    pub(crate) signers: Signers,
    pub(crate) client: Arc<Client>,
    /// The host's own connections, to token endpoints.
    pub(crate) host: Arc<Client>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) options: Arc<RuntimeOptions>,
    /// Sent so far.
    pub(crate) requests: AtomicU32,
    /// How many the call may send.
    pub(crate) allowed_requests: u32,
    /// The first refusal, to be told with the call's error.
    pub(crate) refusal: Mutex<Option<String>>,
    /// The first request that could not be authenticated.
    pub(crate) failure: Mutex<Option<auth::Failure>>,
}

impl Exchange {
    fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// What was refused during the call, for people.
    pub(crate) fn refusal(&self) -> Option<String> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why a request of the call could not be authenticated.
    pub(crate) fn failure(&self) -> Option<auth::Failure> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn send(
        &self,
        request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let (parts, body) = request.into_parts();
        let endpoint = self.admit(&parts).map_err(|denial| self.deny(denial))?;
        let signer = self.signer(endpoint).map_err(|failure| self.unauthenticated(failure))?;
        let body = body::collect(body, self.limits().request_body_bytes).await?;
        let span = self.request_span(&parts, endpoint);
        self.paced(parts, body, endpoint, signer, options).instrument(span).await
    }

    /// Waits, signs, sends and records. Signatures hold a time: they are made after the wait.
    async fn paced(
        &self,
        mut parts: Parts,
        body: Bytes,
        endpoint: &Endpoint,
        signer: Option<&Signer>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let gate = self.pace.gate(endpoint);
        let pass = self.wait(&gate, endpoint).await?;
        self.prepare(&mut parts, signer, &body).await?;
        let sent = Sent { method: method(&parts.method), bytes: body.len(), started: Instant::now() };
        self.pace.sends();
        let answer = self.exchange(Request::from_parts(parts, Full::new(body)), &options, signer).await;
        let status = answer.as_ref().map(Response::status);
        self.record(endpoint, &sent, status);
        if let (Some(signer), Ok(StatusCode::UNAUTHORIZED)) = (signer, status) {
            signer.rejected(&self.desk());
        }
        let response = answer?;
        if let Some(pause) = limiter::asked_for(&response, (self.options.clock)()) {
            gate.close(endpoint.quota, Instant::now() + pause);
        }
        let pause = shorter(options.between_bytes_timeout, self.limits().first_byte_timeout);
        let reader = body::Reader::new(&self.driver, &self.options, pass);
        body::limited(response, self.limits().response_body_bytes, pause, reader)
    }

    /// A span per request. What could hold a secret, path and query, is not in it.
    fn request_span(&self, parts: &Parts, endpoint: &Endpoint) -> Span {
        tracing::info_span!(
            "driver_request",
            driver = %self.driver,
            operation = self.operation,
            object = self.subject,
            method = method(&parts.method),
            host = self.redactor.redact(&egress::host(&parts.uri)),
            endpoint = endpoint.declared,
            status = field::Empty,
        )
    }

    async fn wait(&self, gate: &Arc<Gate>, endpoint: &Endpoint) -> Result<Pass, Error> {
        self.pace.wait(gate, endpoint).await.map_err(|late| {
            tracing::debug!(milliseconds = milliseconds(late.after), "the account may not send for now");
            self.observe_denial("RateLimited");
            // Tells the guest that nothing was sent.
            Error::ConnectionLimitReached
        })
    }

    fn admit(&self, parts: &Parts) -> Result<&Endpoint, Denial> {
        let limit = self.allowed_requests;
        let endpoint = self.policy.allow(&parts.method, &parts.uri)?;
        if self.requests.fetch_add(1, Ordering::Relaxed) >= limit {
            let message = format!("request refused: a call may send {limit} requests at most");
            return Err(Denial { reason: "TooManyRequests", message });
        }
        Ok(endpoint)
    }

    /// Who signs for `endpoint`. A request that should be signed never leaves without it.
    fn signer(&self, endpoint: &Endpoint) -> Result<Option<&Signer>, auth::Failure> {
        let Some(profile) = &endpoint.auth else { return Ok(None) };
        match self.signers.get(profile) {
            Some(Ok(signer)) => Ok(Some(signer)),
            Some(Err(failure)) => Err(failure.clone()),
            None => Err(auth::Failure::unusable(format!("there is no auth profile `{profile}`"))),
        }
    }

    /// Logs the refusal for the administrator; the guest gets the typed error only.
    fn deny(&self, denial: Denial) -> Error {
        tracing::warn!(reason = denial.reason, "{}", self.redactor.redact(&denial.message));
        self.observe_denial(denial.reason);
        self.explain(denial.message);
        Error::HttpRequestDenied
    }

    /// Says to the caller of the driver why a request failed, which the guest is told by a code only.
    fn explain(&self, message: String) {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(message);
    }

    fn observe_denial(&self, reason: &'static str) {
        let denied = RequestDenied { driver: &self.driver, operation: self.operation, reason };
        self.options.observer.request_denied(&denied);
    }

    fn desk(&self) -> Desk<'_> {
        let wire = Wire {
            policy: &self.policy,
            driver: &self.client,
            host: &self.host,
            limits: self.limits(),
            clock: &self.options.clock,
            redactor: &self.redactor,
        };
        Desk { wire, tokens: &self.tokens, redactor: &self.redactor }
    }

    async fn prepare(&self, parts: &mut Parts, signer: Option<&Signer>, body: &[u8]) -> Result<(), Error> {
        parts.headers = kept(&parts.headers, signer);
        parts.version = http::Version::HTTP_11;
        parts.headers.insert(header::HOST, host_header(parts)?);
        if !parts.headers.contains_key(header::USER_AGENT) {
            let agent = concat!("kompox-operator/", env!("CARGO_PKG_VERSION"));
            parts.headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        }
        let Some(signer) = signer else { return Ok(()) };
        signer.sign(parts, body, &self.desk()).await.map_err(|failure| self.unauthenticated(failure))
    }

    /// Nothing was sent: the guest sees a refusal, and the caller of the driver sees why.
    fn unauthenticated(&self, failure: auth::Failure) -> Error {
        let message = format!("request refused: {}", failure.message);
        let reason = failure.reason;
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
        self.deny(Denial { reason, message })
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        options: &RequestOptions,
        signer: Option<&Signer>,
    ) -> Result<Response<Incoming>, Error> {
        let certificate = signer.and_then(Signer::certificate);
        let limits = self.limits();
        let patience = shorter(options.first_byte_timeout, limits.first_byte_timeout);
        let host = egress::host(request.uri());
        // Connecting has its own, shorter limit and its own errors.
        let answer =
            tokio::time::timeout(patience + limits.connect_timeout, self.client.send(request, certificate))
                .await;
        match answer {
            Err(_) => Err(Error::HttpResponseTimeout),
            Ok(Err(client::Failure::Forbidden(message))) => {
                Err(self.deny(Denial { reason: "AddressForbidden", message }))
            }
            Ok(Err(client::Failure::Untrusted(why))) => {
                self.explain(format!("no connection to {host}: {why}"));
                Err(Error::TlsCertificateError)
            }
            Ok(Err(client::Failure::Failed(error))) => Err(error),
            Ok(Ok(response)) => Ok(response),
        }
    }

    fn record(&self, endpoint: &Endpoint, sent: &Sent, status: Result<StatusCode, &Error>) {
        let class = status.as_ref().map_or("error", |status| status_class(*status));
        let duration = sent.started.elapsed();
        Span::current().record("status", class);
        tracing::debug!(
            status = status.as_ref().map_or(0, StatusCode::as_u16),
            error = status.err().map(field::display),
            bytes = sent.bytes,
            milliseconds = milliseconds(duration),
            "driver request"
        );
        self.options.observer.request_finished(&RequestFinished {
            driver: &self.driver,
            operation: self.operation,
            endpoint: &endpoint.declared,
            method: sent.method,
            status: class,
            sent_bytes: sent.bytes,
            duration,
        });
    }
}

/// A request on its way.
struct Sent {
    method: &'static str,
    bytes: usize,
    started: Instant,
}

/// The guest's headers without those that are the host's.
fn kept(headers: &HeaderMap, signer: Option<&Signer>) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for (name, value) in headers {
        if !DROPPED.contains(name) && !signer.is_some_and(|signer| signer.owns(name)) {
            kept.append(name.clone(), value.clone());
        }
    }
    kept
}

/// The authority as a browser would send it: without the scheme's default port.
fn host_header(parts: &Parts) -> Result<HeaderValue, Error> {
    let host = parts.uri.host().ok_or(Error::HttpRequestUriInvalid)?.to_ascii_lowercase();
    let default = if parts.uri.scheme_str() == Some("https") { 443 } else { 80 };
    let text = match parts.uri.port_u16().filter(|port| *port != default) {
        Some(port) => format!("{host}:{port}"),
        None => host,
    };
    HeaderValue::from_str(&text).map_err(|_| Error::HttpRequestUriInvalid)
}

fn shorter(wanted: Option<Duration>, limit: Duration) -> Duration {
    wanted.map_or(limit, |wanted| wanted.min(limit))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// One word of a fixed list: a guest may make up methods.
fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "other",
    }
}

fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

/// A boxed future, as the connector traits want it.
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
