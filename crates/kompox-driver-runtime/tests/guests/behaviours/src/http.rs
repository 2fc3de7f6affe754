//! One POST with a body and chosen headers; the error is the name of the WASI error code.

use crate::wasi::{
    http::{
        outgoing_handler,
        types::{ErrorCode, Fields, IncomingBody, Method, OutgoingBody, OutgoingRequest, Scheme},
    },
    io::streams::StreamError,
};

pub fn post(url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<(u16, Vec<u8>), String> {
    let (scheme, rest) = url.split_once("://").ok_or("bad url")?;
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value.as_bytes()).map_err(|error| format!("{name}: {error:?}"))?;
    }
    let request = OutgoingRequest::new(fields);
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    request.set_method(&Method::Post).map_err(|()| "method")?;
    request.set_scheme(Some(&scheme)).map_err(|()| "scheme")?;
    request.set_authority(Some(authority)).map_err(|()| "authority")?;
    request.set_path_with_query(Some(path)).map_err(|()| "path")?;

    let outgoing = request.body().map_err(|()| "body")?;
    let future = outgoing_handler::handle(request, None).map_err(|error| name(&error))?;
    // A refused request drops its body at once: what the response says counts, not the writing.
    if let Ok(stream) = outgoing.write() {
        for chunk in body.chunks(4096) {
            if stream.blocking_write_and_flush(chunk).is_err() {
                break;
            }
        }
    }
    let _ = OutgoingBody::finish(outgoing, None);

    let response = loop {
        match future.get() {
            Some(Ok(Ok(response))) => break response,
            Some(Ok(Err(error))) => return Err(name(&error)),
            Some(Err(())) => return Err("taken".to_owned()),
            None => future.subscribe().block(),
        }
    };
    let status = response.status();
    let incoming = response.consume().map_err(|()| "consume")?;
    let body = read(&incoming)?;
    Ok((status, body))
}

fn read(incoming: &IncomingBody) -> Result<Vec<u8>, String> {
    let stream = incoming.stream().map_err(|()| "stream")?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(65_536) {
            Ok(chunk) => body.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(body),
            Err(StreamError::LastOperationFailed(error)) => {
                let code = crate::wasi::http::types::http_error_code(&error);
                return Err(code.map_or_else(|| "read".to_owned(), |code| name(&code)));
            }
        }
    }
}

fn name(error: &ErrorCode) -> String {
    format!("{error:?}")
}

/// Adds so many headers of that length, and says how far it came.
pub fn headers(count: usize, length: usize) -> String {
    let fields = Fields::new();
    for number in 0..count {
        if let Err(error) = fields.append(&format!("x-{number}"), &vec![b'v'; length]) {
            return format!("{number} {error:?}");
        }
    }
    format!("{count} headers")
}

/// Whether a header may be set.
pub fn may_set(name: &str) -> bool {
    Fields::new().append(name, b"evil.example").is_ok()
}

/// Sends a request and looks at nothing of its answer but that it is there.
pub fn abandon(url: &str) -> Result<(), String> {
    let (scheme, rest) = url.split_once("://").ok_or("bad url")?;
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let request = OutgoingRequest::new(Fields::new());
    let scheme = if scheme == "https" { Scheme::Https } else { Scheme::Http };
    request.set_scheme(Some(&scheme)).map_err(|()| "scheme")?;
    request.set_authority(Some(authority)).map_err(|()| "authority")?;
    request.set_path_with_query(Some(path)).map_err(|()| "path")?;
    let outgoing = request.body().map_err(|()| "body")?;
    let future = outgoing_handler::handle(request, None).map_err(|error| name(&error))?;
    let _ = OutgoingBody::finish(outgoing, None);
    future.subscribe().block();
    Ok(())
}
