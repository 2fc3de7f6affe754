//! One request: from its host and path to a pod, and the pod's answer back. Bodies are passed on as they come,
//! never held; protocol upgrades (websockets) become a pipe.

mod headers;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response, StatusCode, Uri, Version, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::watch;

use super::page::{self, Body, page};
use super::view::View;
use super::{Ports, Timeouts, backend, ended, route};

/// Idle connections to pods are given up soon: pods come and go.
const IDLE: Duration = Duration::from_secs(5);

/// How the client came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

/// The client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) scheme: Scheme,
}

/// What all requests share.
pub(super) struct Proxy {
    view: View,
    client: Client<HttpConnector, Incoming>,
    timeouts: Timeouts,
    ports: Ports,
    /// Whose turn it is among several pods.
    turn: AtomicUsize,
    /// Ends the pipes of upgraded connections.
    stopped: watch::Receiver<bool>,
}

impl Proxy {
    pub(super) fn new(view: View, timeouts: Timeouts, ports: Ports, stopped: watch::Receiver<bool>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(timeouts.connect));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_idle_timeout(IDLE).build(connector);
        Self { view, client, timeouts, ports, turn: AtomicUsize::new(0), stopped }
    }

    pub(super) fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// The answer of a pod, or a page that says why there is none.
    pub(super) async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let Some(host) = host(&request) else {
            return page(StatusCode::BAD_REQUEST, "the request names no host");
        };
        let path = request.uri().path();
        let Some(target) = route::find(&self.view.served(), &host, path) else {
            let reason = format!("no Ingress of this class has a rule for {host}{path}");
            return page(StatusCode::NOT_FOUND, &reason);
        };
        let objects = self.view.objects(&target.namespace, &target.backend);
        let addresses = match backend::addresses(&target.backend, &objects) {
            Ok(addresses) => addresses,
            Err(error) => {
                let reason = format!("{error} (namespace {})", target.namespace);
                return page(StatusCode::SERVICE_UNAVAILABLE, &reason);
            }
        };
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        match addresses.get(turn % addresses.len().max(1)) {
            Some(address) => self.forward(request, *address, peer).await,
            None => page(StatusCode::SERVICE_UNAVAILABLE, "the Service has no addresses"),
        }
    }

    async fn forward(
        &self,
        mut request: Request<Incoming>,
        address: SocketAddr,
        peer: Peer,
    ) -> Response<Body> {
        let upgrade = headers::wants_upgrade(request.headers()).then(|| hyper::upgrade::on(&mut request));
        let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let Ok(uri) = format!("http://{address}{path}").parse::<Uri>() else {
            return page(StatusCode::BAD_REQUEST, "the request's path is not valid");
        };
        let port = if peer.scheme == Scheme::Https { self.ports.https } else { self.ports.http };
        headers::to_pod(&mut request, peer, port);
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_11;
        match tokio::time::timeout(self.timeouts.answer, self.client.request(request)).await {
            Ok(Ok(response)) => self.back(response, upgrade),
            Ok(Err(error)) => {
                let reason = format!("the pod at {address} did not answer: {}", chain(&error));
                page(StatusCode::BAD_GATEWAY, &reason)
            }
            Err(_) => {
                let limit = self.timeouts.answer.as_secs();
                page(
                    StatusCode::GATEWAY_TIMEOUT,
                    &format!("the pod at {address} did not answer within {limit} s"),
                )
            }
        }
    }

    fn back(&self, mut response: Response<Incoming>, upgrade: Option<OnUpgrade>) -> Response<Body> {
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            headers::to_client(response.headers_mut());
            return response.map(BodyExt::boxed);
        }
        let Some(client) = upgrade else {
            return page(StatusCode::BAD_GATEWAY, "the pod changed the protocol, which nobody asked for");
        };
        let pod = hyper::upgrade::on(&mut response);
        tokio::spawn(pipe(client, pod, self.stopped.clone()));
        response.map(|_| page::body(""))
    }
}

/// Carries bytes both ways until one side ends, or the ingress.
async fn pipe(client: OnUpgrade, pod: OnUpgrade, mut stopped: watch::Receiver<bool>) {
    let carried = async {
        let (client, pod) = tokio::try_join!(client, pod).map_err(std::io::Error::other)?;
        tokio::io::copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(pod)).await
    };
    tokio::select! {
        carried = carried => if let Err(error) = carried {
            tracing::debug!(%error, "an upgraded connection through the ingress broke");
        },
        () = ended(&mut stopped) => {}
    }
}

/// Lower case, without port and final dot.
fn host(request: &Request<Incoming>) -> Option<String> {
    let header = || request.headers().get(header::HOST)?.to_str().ok();
    let text = request.uri().authority().map(http::uri::Authority::as_str).or_else(header)?;
    let authority: http::uri::Authority = text.parse().ok()?;
    Some(authority.host().trim_end_matches('.').to_ascii_lowercase())
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
