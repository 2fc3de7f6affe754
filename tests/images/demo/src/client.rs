//! One HTTP request, bounded in time and size: how one container asks another.

use std::time::Duration;

use anyhow::Context as _;
use axum::body::Body;
use http_body_util::{BodyExt as _, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde::Serialize;

/// Most bytes of an answer that are read.
const LARGEST: usize = 1 << 20;
/// For the whole request.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What came back.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Text; what is not UTF-8 is replaced.
    pub(crate) body: String,
}

/// Fetches `http://host:port/path`.
///
/// # Errors
/// When the address is none, nobody answers in time, or the answer is too large.
pub(crate) async fn get(url: &str) -> anyhow::Result<Answer> {
    let uri = url.parse().with_context(|| format!("`{url}` is no address"))?;
    let fetch = async {
        let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
        let response = client.get(uri).await.with_context(|| format!("failed to ask {url}"))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        let bytes =
            body.map_err(|error| anyhow::anyhow!("failed to read the answer of {url}: {error}"))?.to_bytes();
        Ok(Answer { status, body: String::from_utf8_lossy(&bytes).into_owned() })
    };
    tokio::time::timeout(TIMEOUT, fetch).await.with_context(|| format!("{url} did not answer within 5 s"))?
}
