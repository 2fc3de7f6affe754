//! The connections of one driver: a pool of its own, TLS with the roots that `trust.rs` gives it, and only to
//! addresses that were vetted after the name was resolved. Each client certificate has a pool of its own again.
//!
//! There is no proxy and there are no redirects here.

use super::Boxed;
use crate::{
    auth::{ClientCertificate, Slot},
    egress::Networks,
    options::{EgressGrant, Limits},
    trust::Trust,
};
use bytes::Bytes;
use http::{Request, Response, Uri, uri::Scheme};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        self,
        connect::{
            HttpConnector,
            dns::{GaiResolver, Name},
        },
    },
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{CertificateError, ClientConfig, client::Resumption};
use std::{
    error::Error as StdError,
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tower_service::Service;
use wasmtime_wasi_http::Error;

const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
const IDLE_PER_HOST: usize = 8;
const TLS_SESSIONS: usize = 32;
/// Client certificates with open connections; the one used longest ago makes room.
const CERTIFICATES: usize = 32;

type Pool = legacy::Client<Timed<HttpsConnector<HttpConnector<Vetting>>>, Full<Bytes>>;

/// Sends requests that were allowed.
pub(crate) struct Client {
    https: Pool,
    /// A pool of its own, since it may connect to granted networks only.
    http: Pool,
    /// What the pools of client certificates are made from.
    settings: Settings,
    /// Those in use, the latest at the end.
    certified: Mutex<Vec<(Slot, Pool)>>,
}

struct Settings {
    tls: ClientConfig,
    networks: Networks,
    limits: Limits,
}

/// Why there is no response.
pub(crate) enum Failure {
    /// The name leads to an address that is not allowed.
    Forbidden(String),
    /// The server's certificate is not believed: why, and what helps.
    Untrusted(String),
    /// As the guest will see it.
    Failed(Error),
}

impl Client {
    /// A client for one driver.
    pub(crate) fn new(trust: &Trust, grant: &EgressGrant, limits: &Limits) -> Self {
        let networks = Networks::new(&grant.networks);
        let tls = trust.config(&grant.trust_bundle);
        Self {
            https: pool(&tls, Vetting::new(networks.clone(), Networks::allow_resolved), limits),
            http: pool(&tls, Vetting::new(networks.clone(), Networks::allow_literal), limits),
            settings: Settings { tls, networks, limits: limits.clone() },
            certified: Mutex::default(),
        }
    }

    /// Sends a request, with a client certificate if there is one. The caller has checked that it may.
    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        certificate: Option<&ClientCertificate>,
    ) -> Result<Response<Incoming>, Failure> {
        let sent = match (request.uri().scheme() == Some(&Scheme::HTTP), certificate) {
            (true, _) => self.http.request(request),
            (false, None) => self.https.request(request),
            (false, Some(certificate)) => self.certified(certificate).request(request),
        };
        sent.await.map_err(|error| failure(&error))
    }

    /// The connections of one certificate: shared with another they would carry its rights.
    fn certified(&self, certificate: &ClientCertificate) -> Pool {
        let slot = certificate.slot();
        let mut pools = self.certified.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = pools.iter().position(|(other, _)| *other == slot) {
            let entry = pools.remove(at);
            let found = entry.1.clone();
            pools.push(entry);
            return found;
        }
        let Settings { tls, networks, limits } = &self.settings;
        let mut tls = tls.clone();
        tls.client_auth_cert_resolver = Arc::new(certificate.clone());
        let made = pool(&tls, Vetting::new(networks.clone(), Networks::allow_resolved), limits);
        if pools.len() >= CERTIFICATES {
            pools.remove(0);
        }
        pools.push((slot, made.clone()));
        made
    }
}

fn pool(tls: &ClientConfig, resolver: Vetting, limits: &Limits) -> Pool {
    let mut tcp = HttpConnector::new_with_resolver(resolver);
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(limits.connect_timeout));
    // TLS sessions are a driver's own, as its connections are.
    let mut tls = tls.clone();
    tls.resumption = Resumption::in_memory_sessions(TLS_SESSIONS);
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .set_host(false)
        .http1_max_headers(128)
        .http1_max_buf_size(128 << 10)
        .build(Timed { connector, limit: limits.connect_timeout })
}

/// Bounds name resolution, TCP and TLS together: a stalled handshake is a failed connection, in which
/// nothing has been sent.
#[derive(Clone)]
struct Timed<C> {
    connector: C,
    limit: Duration,
}

impl<C> Service<Uri> for Timed<C>
where
    C: Service<Uri, Error = Box<dyn StdError + Send + Sync>>,
    C::Response: 'static,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = C::Error;
    type Future = Boxed<Result<C::Response, C::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.connector.call(uri);
        let limit = self.limit;
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            }
        })
    }
}

/// Resolves names and gives back vetted addresses only, so that the address that was checked is the
/// address that is connected to.
#[derive(Clone)]
struct Vetting {
    networks: Networks,
    allow: fn(&Networks, std::net::IpAddr) -> Result<(), String>,
}

impl Vetting {
    fn new(networks: Networks, allow: fn(&Networks, std::net::IpAddr) -> Result<(), String>) -> Self {
        Self { networks, allow }
    }

    fn vet(
        &self,
        name: &str,
        resolved: impl Iterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        let mut refused = None;
        let mut vetted = Vec::new();
        for address in resolved {
            match (self.allow)(&self.networks, address.ip()) {
                Ok(()) => vetted.push(address),
                Err(why) => refused = Some(format!("request to {name} refused: {why}")),
            }
        }
        match (vetted.is_empty(), refused) {
            (false, _) => Ok(vetted),
            (true, Some(why)) => Err(ResolveError::Forbidden(why)),
            (true, None) => Err(ResolveError::Failed("no address".to_owned())),
        }
    }
}

impl Service<Name> for Vetting {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future = Boxed<Result<Self::Response, ResolveError>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ResolveError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let vetting = self.clone();
        Box::pin(async move {
            let host = name.to_string();
            let resolved = GaiResolver::new()
                .call(name)
                .await
                .map_err(|error| ResolveError::Failed(error.to_string()))?;
            vetting.vet(&host, resolved).map(Vec::into_iter)
        })
    }
}

#[derive(Debug)]
enum ResolveError {
    Forbidden(String),
    Failed(String),
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden(what) | Self::Failed(what) => f.write_str(what),
        }
    }
}

impl StdError for ResolveError {}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

/// What an `io::Error` wraps is not among its sources.
fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// What the guest is told. Before a connection stands nothing was sent, and those errors say so;
/// after that the request may have been received.
fn failure(error: &legacy::Error) -> Failure {
    let found = causes(error);
    if !error.is_connect() {
        let timed_out =
            found.filter_map(|cause| cause.downcast_ref::<hyper::Error>()).any(hyper::Error::is_timeout);
        return Failure::Failed(if timed_out {
            Error::HttpResponseTimeout
        } else {
            Error::ConnectionTerminated
        });
    }
    for cause in found {
        if let Some(failure) = connect_failure(cause) {
            return failure;
        }
    }
    Failure::Failed(Error::DestinationUnavailable)
}

fn connect_failure(cause: &(dyn StdError + 'static)) -> Option<Failure> {
    if let Some(error) = cause.downcast_ref::<ResolveError>() {
        return Some(match error {
            ResolveError::Forbidden(why) => Failure::Forbidden(why.clone()),
            ResolveError::Failed(_) => Failure::Failed(Error::DnsError { rcode: None, info_code: None }),
        });
    }
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(match error {
            rustls::Error::InvalidCertificate(why) => Failure::Untrusted(untrusted(why)),
            rustls::Error::NoCertificatesPresented => Failure::Failed(Error::TlsCertificateError),
            _ => Failure::Failed(Error::TlsProtocolError),
        });
    }
    let kind = cause.downcast_ref::<io::Error>()?.kind();
    match kind {
        io::ErrorKind::ConnectionRefused => Some(Failure::Failed(Error::ConnectionRefused)),
        io::ErrorKind::TimedOut => Some(Failure::Failed(Error::ConnectionTimeout)),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Some(Failure::Failed(Error::DestinationIpUnroutable))
        }
        _ => None,
    }
}

fn untrusted(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "the server's certificate is of no authority that this driver believes; if it is a private one, put its \
             certificate into `spec.egress.trustBundle` of the KompoxDriver"
                .to_owned()
        }
        other => format!("the server's certificate is not accepted: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_vetted_addresses_are_connected_to() {
        let vetting = Vetting::new(Networks::default(), Networks::allow_resolved);
        let addresses =
            |list: &[&str]| -> Vec<SocketAddr> { list.iter().map(|text| text.parse().unwrap()).collect() };
        let mixed = addresses(&["169.254.169.254:0", "52.94.5.1:0", "[::1]:0"]);
        assert_eq!(vetting.vet("a.example", mixed.into_iter()).unwrap(), addresses(&["52.94.5.1:0"]));
        let error = vetting.vet("a.example", addresses(&["10.0.0.1:0"]).into_iter()).unwrap_err();
        assert!(
            matches!(&error, ResolveError::Forbidden(why) if why.contains("a.example") && why.contains("`10.0.0.1/32` to `spec.egress.cidrs`"))
        );
        assert!(matches!(vetting.vet("a.example", std::iter::empty()), Err(ResolveError::Failed(_))));
    }

    /// What resolvers take for an address although it is no literal of a URL.
    #[tokio::test]
    async fn numbers_that_resolve_are_vetted_too() {
        for name in ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "2852039166", "localhost"] {
            let mut vetting = Vetting::new(Networks::default(), Networks::allow_resolved);
            let name: Name = name.parse().unwrap();
            let error = vetting.call(name.clone()).await.unwrap_err();
            assert!(matches!(error, ResolveError::Forbidden(_)), "{name}: {error}");
        }
    }
}
