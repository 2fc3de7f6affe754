//! Bodies with a limit: requests are held in memory to be signed, responses are cut off.

use crate::{limiter::Pass, observer::ResponseRead, options::RuntimeOptions};
use bytes::{Bytes, BytesMut};
use http::{Response, header};
use http_body_util::{BodyExt as _, combinators::UnsyncBoxBody};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

/// The whole body, if it is at most `limit` bytes long. Trailers are dropped.
pub(super) async fn collect(mut body: WasiBody, limit: usize) -> Result<Bytes, Error> {
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if collected.len() + data.len() > limit {
            return Err(Error::HttpRequestBodySize(Some(limit as u64)));
        }
        collected.extend_from_slice(&data);
    }
    Ok(collected.freeze())
}

/// Who reads a response: its place among the open requests is free when the body is dropped.
pub(super) struct Reader {
    driver: Arc<str>,
    options: Arc<RuntimeOptions>,
    bytes: usize,
    _pass: Pass,
}

impl Reader {
    /// A driver whose request passed.
    pub(super) fn new(driver: &Arc<str>, options: &Arc<RuntimeOptions>, pass: Pass) -> Self {
        Self { driver: Arc::clone(driver), options: Arc::clone(options), bytes: 0, _pass: pass }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let read = ResponseRead { driver: &self.driver, bytes: self.bytes };
        self.options.observer.response_read(&read);
    }
}

/// The response with a body that ends in an error after `limit` bytes, or when nothing comes for
/// `pause`.
pub(super) fn limited(
    response: Response<Incoming>,
    limit: usize,
    pause: Duration,
    reader: Reader,
) -> Result<Response<WasiBody>, Error> {
    let declared =
        response.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: u64| length > limit as u64) {
        return Err(too_long(limit));
    }
    Ok(response.map(|body| {
        let deadline = Box::pin(tokio::time::sleep(pause));
        let body = Limited { body, left: limit, limit, pause, deadline, reader };
        UnsyncBoxBody::new(body)
    }))
}

fn too_long(limit: usize) -> Error {
    Error::HttpResponseBodySize(Some(limit as u64))
}

struct Limited {
    body: Incoming,
    left: usize,
    limit: usize,
    pause: Duration,
    deadline: Pin<Box<Sleep>>,
    reader: Reader,
}

impl Body for Limited {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            ready!(self.deadline.as_mut().poll(cx));
            return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
        };
        let next = Instant::now() + self.pause;
        self.deadline.as_mut().reset(next);
        Poll::Ready(frame.map(|frame| {
            // The head has arrived: whatever happened, the request was received.
            let frame = frame.map_err(|_| Error::HttpResponseIncomplete)?;
            let length = frame.data_ref().map_or(0, Bytes::len);
            self.reader.bytes = self.reader.bytes.saturating_add(length);
            self.left = self.left.checked_sub(length).ok_or_else(|| too_long(self.limit))?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
