//! The driver `eks` linked natively: its own logic over a client of the kind that the host uses, signed as the host
//! signs. Checks, redaction and bounds of the host are not in it.

use anyhow::Result;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Incoming};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use k8s_openapi::jiff::Timestamp;
use kompox_driver_sdk::{
    http::{self, Method, Transport, TransportError},
    types::Effect,
};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use tokio::runtime::Handle;

/// The access key that everybody signs with.
pub(super) const KEY_ID: &str = "AKIDEXAMPLE";
/// Its secret, known from AWS' documentation.
pub(super) const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const REGION: &str = "us-west-2";

/// Sends requests from a thread outside of the runtime, and waits for the answers.
pub(super) struct Native {
    client: Client<HttpConnector, Full<Bytes>>,
    tokio: Handle,
}

impl Native {
    pub(super) fn new(tokio: Handle) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { client: Client::builder(TokioExecutor::new()).build(connector), tokio }
    }

    /// Asks and waits for an answer.
    pub(super) async fn wait_for(&self, url: &str) -> Result<()> {
        let request = http::Request {
            method: Method::Post,
            url: url.to_owned(),
            headers: vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
            body: b"Action=GetCallerIdentity".to_vec(),
        };
        self.exchange(&request).await.map(drop)
    }

    async fn exchange(&self, request: &http::Request) -> Result<http::Response> {
        let response = self.client.request(signed(request)?).await?;
        let (parts, body): (_, Incoming) = response.into_parts();
        let body = body.collect().await?.to_bytes().to_vec();
        let text = |value: &hyper::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        Ok(http::Response { status: parts.status.as_u16(), headers, body })
    }
}

impl Transport for Native {
    fn send(&mut self, request: &http::Request) -> Result<http::Response, TransportError> {
        self.tokio.clone().block_on(self.exchange(request)).map_err(|error| TransportError {
            effect: Effect::Unknown,
            reason: "ConnectionLost",
            message: error.to_string(),
        })
    }
}

/// The request with a signature of version 4 of AWS, its body included.
fn signed(request: &http::Request) -> Result<Request<Full<Bytes>>> {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    };
    let uri: hyper::Uri = request.url.parse()?;
    let host = uri.authority().map(ToString::to_string).unwrap_or_default();
    let now = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = now.split('T').next().unwrap_or_default();
    let media_type = request.headers.iter().find(|(name, _)| name == "content-type");
    let media_type = media_type.map(|(_, value)| value.as_str()).unwrap_or_default();
    let names = "content-type;host;x-amz-date";
    let canonical = format!(
        "{method}\n{}\n\ncontent-type:{media_type}\nhost:{host}\nx-amz-date:{now}\n\n{names}\n{}",
        uri.path(),
        hex(&Sha256::digest(&request.body))
    );
    let scope = format!("{day}/{REGION}/ec2/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{now}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let mut key = format!("AWS4{KEY}").into_bytes();
    for part in [day, REGION, "ec2", "aws4_request"] {
        key = mac(&key, part)?;
    }
    let signature = hex(&mac(&key, &text)?);
    Ok(Request::builder()
        .method(method)
        .uri(uri)
        .header("content-type", media_type)
        .header("x-amz-date", now)
        .header(
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders={names}, Signature={signature}"
            ),
        )
        .body(Full::from(request.body.clone()))?)
}

fn mac(key: &[u8], text: &str) -> Result<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
