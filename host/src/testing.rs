//! For unit tests: a client whose requests are recorded and answered by a function. It plays back what
//! a test says; it is no API server.

use axum::body::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use kube::Client;
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{self, Poll},
};

/// A request that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Value,
}

/// What the server says.
pub(crate) enum Answer {
    Json(u16, Value),
    /// A watch that sends these events and stays open.
    Watch(Vec<Value>),
    Never,
}

pub(crate) type Log = Arc<Mutex<Vec<Sent>>>;

/// A client and the log of its requests.
pub(crate) fn client(answer: impl FnMut(&Sent) -> Answer + Send + 'static) -> (Client, Log) {
    let (log, answer) = (Log::default(), Arc::new(Mutex::new(answer)));
    let record = Arc::clone(&log);
    let service = tower::service_fn(move |request: Request<kube::client::Body>| {
        let (record, answer) = (Arc::clone(&record), Arc::clone(&answer));
        async move {
            let sent = read(request).await;
            record.lock().unwrap().push(sent.clone());
            let answer = (answer.lock().unwrap())(&sent);
            Ok::<_, Infallible>(respond(answer).await)
        }
    });
    (Client::new(service, "default"), log)
}

/// The server's answer to a refused request.
pub(crate) fn refused(code: u16, reason: &str) -> Answer {
    Answer::Json(
        code,
        json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
        "reason": reason, "message": "refused by the test" }),
    )
}

/// A watch event.
pub(crate) fn event(type_: &str, object: &Value) -> Value {
    json!({ "type": type_, "object": object })
}

/// The end of a streaming list.
pub(crate) fn listed(kind: &str) -> Value {
    event(
        "BOOKMARK",
        &json!({ "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": kind, "metadata": {
        "resourceVersion": "100", "annotations": { "k8s.io/initial-events-end": "true" } } }),
    )
}

/// A KompoxDisk as the server stores it.
pub(crate) fn disk(name: &str, version: &str) -> Value {
    json!({ "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxDisk",
        "metadata": { "name": name, "namespace": "shop", "uid": format!("uid-of-{name}"),
            "resourceVersion": version, "generation": 1, "finalizers": ["other.example/hold"] },
        "spec": { "size": "1Gi" } })
}

async fn read(request: Request<kube::client::Body>) -> Sent {
    let (parts, body) = request.into_parts();
    let bytes = body.collect_bytes().await.unwrap();
    Sent {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    }
}

async fn respond(answer: Answer) -> Response<Frames> {
    match answer {
        Answer::Json(code, value) => {
            let body = Frames { first: Some(value.to_string()), then: Then::End };
            Response::builder().status(code).body(body).unwrap()
        }
        Answer::Watch(events) => {
            let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
            Response::new(Frames { first: Some(lines), then: Then::Silence })
        }
        Answer::Never => std::future::pending().await,
    }
}

enum Then {
    End,
    Silence,
}

/// One frame, then what a finished answer or an open watch does.
struct Frames {
    first: Option<String>,
    then: Then,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match (self.first.take(), &self.then) {
            (Some(text), _) => Poll::Ready(Some(Ok(Frame::data(text.into())))),
            (None, Then::End) => Poll::Ready(None),
            (None, Then::Silence) => Poll::Pending,
        }
    }
}
