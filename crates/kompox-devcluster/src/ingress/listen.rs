//! Connections: accepted, bounded in number, decrypted where asked, and served one task each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::proxy::{Peer, Proxy, Scheme};
use super::{STOP_LIMIT, ended};

/// Connections of one port at a time; more wait to be accepted.
const MAX_CONNECTIONS: usize = 512;
/// After a failure to accept, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stopped`, then lets requests under way end for a moment.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    proxy: Arc<Proxy>,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = ended(&mut stopped) => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                let connection = connection(stream, peer, tls.clone(), Arc::clone(&proxy), stopped.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "the ingress failed to accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    // Half of the whole limit, so that the caller still sees this task end.
    let _ = tokio::time::timeout(STOP_LIMIT / 2, drained).await;
    connections.shutdown().await;
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    proxy: Arc<Proxy>,
    stopped: watch::Receiver<bool>,
) {
    // Small answers must not wait for more.
    let _ = stream.set_nodelay(true);
    match tls {
        None => requests(stream, Peer { address, scheme: Scheme::Http }, proxy, stopped).await,
        Some(tls) => {
            let limit = proxy.timeouts().request_head;
            match tokio::time::timeout(limit, tls.accept(stream)).await {
                Ok(Ok(stream)) => {
                    requests(stream, Peer { address, scheme: Scheme::Https }, proxy, stopped).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake with the ingress failed"),
                Err(_) => tracing::debug!("a TLS handshake with the ingress took too long"),
            }
        }
    }
}

async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    proxy: Arc<Proxy>,
    mut stopped: watch::Receiver<bool>,
) {
    let head_limit = proxy.timeouts().request_head;
    let service = service_fn(move |request| {
        let proxy = Arc::clone(&proxy);
        async move { Ok::<_, std::convert::Infallible>(proxy.answer(request, peer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_limit)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let served = tokio::select! {
        served = &mut connection => served,
        () = ended(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the ingress broke");
    }
}
