//! One HTTP/1.1 request over a fresh connection, on loopback only. No TLS, no pool: what goes wrong
//! belongs to one request.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// Largest body in either direction, in bytes.
pub(super) const MAX_BODY: usize = 32 << 20;

/// Sends `request` to `address` as it is, its `Host` included.
///
/// # Errors
/// If the address is not on loopback, or there is no whole answer.
pub async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Result<Response<Bytes>> {
    ensure!(address.ip().is_loopback(), "test traffic stays on loopback, not {address}");
    let stream =
        TcpStream::connect(address).await.with_context(|| format!("failed to connect to {address}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driving = tokio::spawn(connection);
    let response = sender.send_request(request).await.context("failed to send the request")?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await;
    driving.abort();
    let body = body.map_err(|error| anyhow::anyhow!("failed to read the answer: {error}"))?.to_bytes();
    Ok(Response::from_parts(parts, body))
}

/// The body of a page on loopback.
///
/// # Errors
/// If there is no answer with a status of success.
pub async fn get(address: SocketAddr, path: &str) -> Result<String> {
    let request = Request::get(path).header("host", address.to_string()).body(Full::new(Bytes::new()))?;
    let answer = send(address, request).await?;
    ensure!(answer.status().is_success(), "{path} answered {}", answer.status());
    Ok(String::from_utf8_lossy(answer.body()).into_owned())
}
