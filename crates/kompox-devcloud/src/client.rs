//! A typed client of the interface. It retries nothing: the caller knows what may be asked twice.

use crate::api::{
    Account, Attachment, Change, Code, ErrorBody, Fault, Filter, NewSnapshot, NewVolume, Page, Snapshot,
    Volume,
};
use crate::http::query;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

/// Largest answer, in bytes.
const MAX_ANSWER: usize = 16 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(60);

/// Why a request did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Endpoint or token cannot be used.
    #[error("the endpoint must be http://HOST:PORT and the token visible ASCII")]
    Settings,
    /// The service refused; nothing happened, unless the code is `internal`.
    #[error("devcloud refused: {message} ({code:?})")]
    Refused {
        /// Why.
        code: Code,
        /// For people.
        message: String,
        /// When to ask again.
        retry_after: Option<Duration>,
    },
    /// No connection: nothing happened.
    #[error("failed to connect to devcloud at {endpoint}: {reason}")]
    Unreachable {
        /// The endpoint.
        endpoint: String,
        /// What the system says.
        reason: String,
    },
    /// The request was sent and its answer did not come: whether something happened is unknown.
    #[error("the answer of devcloud was lost: {0}")]
    Lost(String),
    /// The answer is not as documented.
    #[error("the answer of devcloud ({status}) is not readable: {reason}")]
    Unreadable {
        /// HTTP status.
        status: u16,
        /// What is wrong with it.
        reason: String,
    },
}

impl ClientError {
    /// The code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }
}

/// A client of one account. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Client {
    endpoint: String,
    authorization: HeaderValue,
    http: legacy::Client<HttpConnector, Full<Bytes>>,
}

impl Client {
    /// `endpoint`: `http://HOST:PORT`, with or without a final slash.
    ///
    /// # Errors
    /// If the endpoint is not of that form, or the token cannot stand in a header.
    #[expect(clippy::needless_pass_by_value, reason = "the client takes the token over")]
    pub fn new(endpoint: &str, token: SecretString) -> Result<Self, ClientError> {
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let uri: Uri = endpoint.parse().map_err(|_| ClientError::Settings)?;
        if uri.scheme_str() != Some("http") || uri.authority().is_none() || uri.path() != "/" {
            return Err(ClientError::Settings);
        }
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
            .map_err(|_| ClientError::Settings)?;
        // Debug shows "Sensitive".
        authorization.set_sensitive(true);
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let http = legacy::Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { endpoint, authorization, http })
    }

    /// The account of the token.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn account(&self) -> Result<Account, ClientError> {
        self.get("/v1/account").await
    }

    /// One page of the volumes.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn volumes(&self, filter: &Filter) -> Result<Page<Volume>, ClientError> {
        self.get(&format!("/v1/volumes?{}", query::encode(filter))).await
    }

    /// Makes a volume, or finds the one that the same token made.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn create_volume(&self, request: &NewVolume) -> Result<Volume, ClientError> {
        self.send(Method::POST, "/v1/volumes", Some(request)).await
    }

    /// One volume.
    ///
    /// # Errors
    /// `not-found`, and as [`ClientError`] says.
    pub async fn volume(&self, id: &str) -> Result<Volume, ClientError> {
        self.get(&object("volumes", id, "")).await
    }

    /// Grows a volume or changes its tags.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn change_volume(&self, id: &str, change: &Change) -> Result<Volume, ClientError> {
        self.send(Method::PATCH, &object("volumes", id, ""), Some(change)).await
    }

    /// Deletes a volume.
    ///
    /// # Errors
    /// `in-use`, `not-found`, and as [`ClientError`] says.
    pub async fn delete_volume(&self, id: &str) -> Result<(), ClientError> {
        self.delete(&object("volumes", id, "")).await
    }

    /// Attaches a volume to a node.
    ///
    /// # Errors
    /// `in-use` if another node has it, and as [`ClientError`] says.
    pub async fn attach(&self, id: &str, node: &str) -> Result<Volume, ClientError> {
        let body = Attachment { node: node.to_owned() };
        self.send(Method::POST, &object("volumes", id, "/attach"), Some(&body)).await
    }

    /// Detaches a volume from a node; attached elsewhere, it stays.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn detach(&self, id: &str, node: &str) -> Result<Volume, ClientError> {
        let body = Attachment { node: node.to_owned() };
        self.send(Method::POST, &object("volumes", id, "/detach"), Some(&body)).await
    }

    /// One page of the snapshots.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn snapshots(&self, filter: &Filter) -> Result<Page<Snapshot>, ClientError> {
        self.get(&format!("/v1/snapshots?{}", query::encode(filter))).await
    }

    /// Takes a snapshot, or finds the one that the same token took. It is `creating` at first.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn create_snapshot(&self, request: &NewSnapshot) -> Result<Snapshot, ClientError> {
        self.send(Method::POST, "/v1/snapshots", Some(request)).await
    }

    /// One snapshot.
    ///
    /// # Errors
    /// `not-found`, and as [`ClientError`] says.
    pub async fn snapshot(&self, id: &str) -> Result<Snapshot, ClientError> {
        self.get(&object("snapshots", id, "")).await
    }

    /// Changes the tags of a snapshot.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn change_snapshot(&self, id: &str, change: &Change) -> Result<Snapshot, ClientError> {
        self.send(Method::PATCH, &object("snapshots", id, ""), Some(change)).await
    }

    /// Deletes a snapshot.
    ///
    /// # Errors
    /// `in-use`, `not-found`, and as [`ClientError`] says.
    pub async fn delete_snapshot(&self, id: &str) -> Result<(), ClientError> {
        self.delete(&object("snapshots", id, "")).await
    }

    /// Asks for a fault.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn add_fault(&self, fault: &Fault) -> Result<Fault, ClientError> {
        self.send(Method::POST, "/v1/faults", Some(fault)).await
    }

    /// The faults that still wait.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn faults(&self) -> Result<Page<Fault>, ClientError> {
        self.get("/v1/faults").await
    }

    /// Forgets all faults.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn clear_faults(&self) -> Result<(), ClientError> {
        self.delete("/v1/faults").await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.send(Method::GET, path, None::<&()>).await
    }

    async fn delete(&self, path: &str) -> Result<(), ClientError> {
        self.exchange(Method::DELETE, path, Bytes::new()).await.map(drop)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, ClientError> {
        let unwritable =
            |error: serde_json::Error| ClientError::Unreadable { status: 0, reason: error.to_string() };
        let body = body.map(serde_json::to_vec).transpose().map_err(unwritable)?.unwrap_or_default();
        let (status, answer) = self.exchange(method, path, body.into()).await?;
        serde_json::from_slice(&answer)
            .map_err(|error| ClientError::Unreadable { status: status.as_u16(), reason: error.to_string() })
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.endpoint))
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(Full::new(body))
            .map_err(|_| ClientError::Settings)?;
        let answered = tokio::time::timeout(TIMEOUT, self.answer(request)).await;
        let (status, headers, answer) = answered
            .map_err(|_| ClientError::Lost(format!("it took more than {} s", TIMEOUT.as_secs())))??;
        if status.is_success() { Ok((status, answer)) } else { Err(refusal(status, &headers, &answer)) }
    }

    async fn answer(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, HeaderMap, Bytes), ClientError> {
        let response = self.http.request(request).await.map_err(|error| {
            let reason = chain(&error);
            if error.is_connect() {
                ClientError::Unreachable { endpoint: self.endpoint.clone(), reason }
            } else {
                ClientError::Lost(reason)
            }
        })?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|error| ClientError::Lost(error.to_string()))?.to_bytes();
        Ok((parts.status, parts.headers, body))
    }
}

/// The path of an object. An id from outside may hold anything: it must not become another path.
fn object(kind: &str, id: &str, action: &str) -> String {
    let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("/v1/{kind}/{id}{action}")
}

fn refusal(status: StatusCode, headers: &HeaderMap, answer: &[u8]) -> ClientError {
    let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    match serde_json::from_slice::<ErrorBody>(answer) {
        Ok(ErrorBody { code, message }) => {
            ClientError::Refused { code, message, retry_after: retry_after.map(Duration::from_secs) }
        }
        Err(error) => ClientError::Unreadable { status: status.as_u16(), reason: error.to_string() },
    }
}

/// An error with its causes: the outer text of the HTTP client says little.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
