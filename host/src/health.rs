//! The HTTP server for probes and metrics: `/healthz`, `/readyz`, `/metrics`. It serves nothing else and
//! takes no input.

use crate::{metrics::Metrics, readiness::Readiness, shutdown::Shutdown};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;

/// The OpenMetrics text format.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Why the server is not there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("failed to listen on {address} (choose another with --listen): {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The server stopped serving.
    #[error("failed to serve probes and metrics: {source}")]
    Serve {
        /// What the system says.
        source: std::io::Error,
    },
}

#[derive(Clone)]
struct Pages {
    metrics: Arc<Metrics>,
    readiness: Readiness,
}

/// Takes the address, so that a wrong one fails the start and not a probe.
///
/// # Errors
/// [`Error::Bind`].
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    let failed = |source| Error::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    // Not `address`: its port may be 0.
    tracing::info!(address = %listener.local_addr().map_err(failed)?, "probes and metrics are served");
    Ok(listener)
}

/// Serves until `shutdown`.
///
/// # Errors
/// [`Error::Serve`].
pub async fn serve(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    shutdown: Shutdown,
) -> Result<(), Error> {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(page))
        .with_state(Pages { metrics, readiness });
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown.requested())
        .await
        .map_err(|source| Error::Serve { source })
}

async fn ready(State(pages): State<Pages>) -> (StatusCode, String) {
    let missing = pages.readiness.missing();
    if missing.is_empty() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("waiting for:\n{}\n", missing.join("\n")))
}

async fn page(State(pages): State<Pages>) -> Response {
    match pages.metrics.page() {
        Ok(page) => ([(header::CONTENT_TYPE, METRICS_TYPE)], page).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests;
