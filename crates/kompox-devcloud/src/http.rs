//! The interface over HTTP: routes, tokens, faults, JSON in and out. What is done is `cloud.rs`'s.

pub(crate) mod query;
mod route;

use crate::api::{Attachment, Change, Code, Fault, FaultKind, NewSnapshot, NewVolume, Page};
use crate::cloud::{Created, Job};
use crate::refusal::Refusal;
use crate::shared::{Shared, run_later};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, SERVER};
use hyper::{Request, Response, StatusCode};
use route::{Operation, route};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Largest body of a request, in bytes.
const MAX_BODY: usize = 64 << 10;
/// Says in every answer what this is.
const SERVER_NAME: &str = concat!("devcloud/", env!("CARGO_PKG_VERSION"), " (for development only)");

/// An answer before it is written.
struct Reply {
    status: StatusCode,
    body: Vec<u8>,
    /// What is still to be done.
    job: Option<Job>,
}

impl Reply {
    fn json(status: StatusCode, value: &impl Serialize) -> Result<Self, Refusal> {
        let body = serde_json::to_vec(value)
            .map_err(|error| Refusal::new(Code::Internal, format!("failed to write JSON: {error}")))?;
        Ok(Self { status, body, job: None })
    }

    fn ok(value: &impl Serialize) -> Result<Self, Refusal> {
        Self::json(StatusCode::OK, value)
    }

    fn created<T: Serialize>(created: &Created<T>, job: Job) -> Result<Self, Refusal> {
        let status = if created.is_new { StatusCode::CREATED } else { StatusCode::OK };
        Ok(Self { job: created.is_new.then_some(job), ..Self::json(status, &created.object)? })
    }

    fn empty() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: Vec::new(), job: None }
    }
}

/// A request, read.
struct Asked {
    account: String,
    operation: Operation,
    query: String,
    body: Bytes,
    /// How long a new object stays `creating`.
    stuck: Option<Duration>,
}

/// Answers a request. An error closes the connection without an answer.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> io::Result<Response<Full<Bytes>>> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let (reply, is_lost) = match handle(&shared, request).await {
        Ok((reply, is_lost)) => (Ok(reply), is_lost),
        Err(refusal) => (Err(refusal), false),
    };
    let outcome = reply.as_ref().map(|reply| reply.status.as_u16());
    tracing::debug!(%method, path, ?outcome, is_lost, "answered");
    if is_lost {
        return Err(lost());
    }
    Ok(reply.map_or_else(refused, |reply| respond(reply.status, reply.body)))
}

/// An answer is lost because somebody asked for it.
fn lost() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the answer is lost: a fault that was asked for")
}

/// The reply, and whether it is to be lost.
async fn handle(shared: &Arc<Shared>, request: Request<Incoming>) -> Result<(Reply, bool), Refusal> {
    let operation = route(request.method(), request.uri().path());
    if operation == Some(Operation::Health) {
        return Ok((health()?, false));
    }
    let account = authenticate(shared, &request)?;
    let operation = operation.ok_or_else(|| {
        Refusal::new(Code::NotFound, format!("there is no {} {}", request.method(), request.uri().path()))
    })?;
    let fault = operation.name().and_then(|name| shared.faults.meet(&account, name));
    let time = fault.as_ref().and_then(|fault| fault.milliseconds).map(Duration::from_millis);
    let kind = fault.as_ref().map(|fault| fault.kind);
    match kind {
        Some(FaultKind::Throttled) => {
            let seconds = fault.and_then(|fault| fault.retry_after_seconds).unwrap_or(1);
            return Err(Refusal::throttled(seconds));
        }
        Some(FaultKind::Internal) => {
            return Err(Refusal::new(Code::Internal, "something failed: a fault that was asked for"));
        }
        Some(FaultKind::Delay) => tokio::time::sleep(time.unwrap_or_default()).await,
        Some(FaultKind::LostAnswer | FaultKind::Stuck) | None => {}
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = Limited::new(request.into_body(), MAX_BODY).collect().await;
    let body =
        body.map_err(|error| Refusal::invalid(format!("the body cannot be read: {error}")))?.to_bytes();
    let stuck = time.filter(|_| kind == Some(FaultKind::Stuck));
    let reply = run(shared, Asked { account, operation, query, body, stuck }).await;
    match (reply, kind) {
        // Also a refusal is lost: nobody knows then what became of the request.
        (Err(_), Some(FaultKind::LostAnswer)) => Ok((Reply::empty(), true)),
        (reply, kind) => Ok((reply?, kind == Some(FaultKind::LostAnswer))),
    }
}

fn authenticate(shared: &Shared, request: &Request<Incoming>) -> Result<String, Refusal> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer "));
    let account = token.and_then(|token| shared.tokens.account(token));
    account.map(str::to_owned).ok_or_else(|| {
        Refusal::new(Code::Unauthenticated, "send a token of the token file: Authorization: Bearer TOKEN")
    })
}

/// Performs on a thread that may block; a job that is left goes on without the caller.
async fn run(shared: &Arc<Shared>, asked: Asked) -> Result<Reply, Refusal> {
    let delay = asked.stuck.unwrap_or_default();
    let on = Arc::clone(shared);
    let performed = tokio::task::spawn_blocking(move || perform(&on, &asked)).await;
    let mut reply = performed.map_err(|error| {
        Refusal::new(Code::Internal, format!("the request ended before its time: {error}"))
    })??;
    if let Some(job) = reply.job.take() {
        tokio::spawn(run_later(Arc::clone(shared), job, delay));
    }
    Ok(reply)
}

fn perform(shared: &Shared, asked: &Asked) -> Result<Reply, Refusal> {
    let (cloud, account) = (&shared.cloud, asked.account.as_str());
    match &asked.operation {
        Operation::Health => health(),
        Operation::GetAccount => Reply::ok(&cloud.account(account)),
        Operation::ListVolumes => Reply::ok(&cloud.volumes(account, &query::filter(&asked.query)?)?),
        Operation::CreateVolume => create_volume(shared, asked),
        Operation::GetVolume(id) => Reply::ok(&cloud.volume(account, id)?),
        Operation::ChangeVolume(id) => {
            Reply::ok(&cloud.change_volume(account, id, &read::<Change>(asked)?)?)
        }
        Operation::DeleteVolume(id) => cloud.delete_volume(account, id).map(|()| Reply::empty()),
        Operation::Attach(id) => Reply::ok(&cloud.attach(account, id, &read::<Attachment>(asked)?.node)?),
        Operation::Detach(id) => Reply::ok(&cloud.detach(account, id, &read::<Attachment>(asked)?.node)?),
        Operation::ListSnapshots => Reply::ok(&cloud.snapshots(account, &query::filter(&asked.query)?)?),
        Operation::CreateSnapshot => {
            let created = cloud.create_snapshot(account, read::<NewSnapshot>(asked)?)?;
            Reply::created(&created, Job::Snapshot(created.object.id.clone()))
        }
        Operation::GetSnapshot(id) => Reply::ok(&cloud.snapshot(account, id)?),
        Operation::ChangeSnapshot(id) => {
            Reply::ok(&cloud.change_snapshot(account, id, &read::<Change>(asked)?)?)
        }
        Operation::DeleteSnapshot(id) => cloud.delete_snapshot(account, id).map(|()| Reply::empty()),
        Operation::ListFaults => Reply::ok(&Page { items: shared.faults.list(account), next: None }),
        Operation::AddFault => {
            let fault = read::<Fault>(asked)?;
            shared.faults.add(account, fault.clone())?;
            Reply::json(StatusCode::CREATED, &fault)
        }
        Operation::ClearFaults => {
            shared.faults.clear(account);
            Ok(Reply::empty())
        }
    }
}

/// Needs no token: a launcher asks whether the service is there.
fn health() -> Result<Reply, Refusal> {
    Reply::ok(&serde_json::json!({ "service": "devcloud", "for": "development" }))
}

/// An empty volume is made before the answer, one with a source after it.
fn create_volume(shared: &Shared, asked: &Asked) -> Result<Reply, Refusal> {
    let mut created = shared.cloud.create_volume(&asked.account, read::<NewVolume>(asked)?)?;
    let job = Job::Volume(created.object.id.clone());
    if !created.is_new || created.object.source.is_some() || asked.stuck.is_some() {
        return Reply::created(&created, job);
    }
    shared.cloud.run(&job);
    created.object = shared.cloud.volume(&asked.account, &created.object.id)?;
    Reply::json(StatusCode::CREATED, &created.object)
}

fn read<T: DeserializeOwned>(asked: &Asked) -> Result<T, Refusal> {
    serde_json::from_slice(&asked.body)
        .map_err(|error| Refusal::invalid(format!("the body is not as documented: {error}")))
}

fn refused(refusal: Refusal) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let retry_after = refusal.retry_after;
    let mut response = respond(status, serde_json::to_vec(&refusal.body()).unwrap_or_default());
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn respond(status: StatusCode, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(SERVER, HeaderValue::from_static(SERVER_NAME));
    if status != StatusCode::NO_CONTENT {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}
