//! One request to the service: JSON in, JSON out, and what its errors mean in the contract's terms.

use crate::api::Fault;
use crate::config::Config;
use kompox_driver_sdk::form;
use kompox_driver_sdk::http::{Method, Request, Response, Transport, TransportError};
use kompox_driver_sdk::json;
use kompox_driver_sdk::types::{Effect, Error, ErrorCode, Query};
use serde::{Serialize, de::DeserializeOwned};

/// Most handles of one query, by the contract.
const MAX_HANDLES: usize = 100;

/// The service of one call.
pub struct Client<'a> {
    transport: &'a mut dyn Transport,
    /// The configuration of the call.
    pub config: &'a Config,
}

/// Objects, the next page, and what could not be looked for.
pub struct Found<T> {
    /// What is there.
    pub items: Vec<T>,
    /// None = the last page.
    pub next: Option<String>,
    /// Handles that cannot be ids of the service.
    pub unread: Vec<String>,
}

/// Volumes or snapshots: the last part of the path, and the beginning of each id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    path: &'static str,
    prefix: &'static str,
}

/// Volumes.
pub const VOLUMES: Kind = Kind { path: "v1/volumes", prefix: "vol-" };
/// Snapshots.
pub const SNAPSHOTS: Kind = Kind { path: "v1/snapshots", prefix: "snap-" };

impl Kind {
    /// Whether `handle` can be an id of this kind. One that cannot must not become part of a URL.
    #[must_use]
    pub fn is_id(self, handle: &str) -> bool {
        let digits = handle.strip_prefix(self.prefix).unwrap_or_default();
        digits.len() == 20
            && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    }

    fn object(self, handle: &str) -> Result<String, Error> {
        if self.is_id(handle) {
            return Ok(format!("{}/{handle}", self.path));
        }
        let message = format!("\"{handle}\" is not an id of the form {}…", self.prefix);
        Err(Error::invalid("handle", "MalformedId", message))
    }
}

impl<'a> Client<'a> {
    /// Sends through `transport` to where `config` says.
    pub fn new(transport: &'a mut dyn Transport, config: &'a Config) -> Self {
        Self { transport, config }
    }

    /// Reads a path.
    ///
    /// # Errors
    /// What the service answers; the effect is `none`.
    pub fn read<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, Error> {
        let response = self.send(&Request::new(Method::Get, self.url(path)));
        response.and_then(|response| json::body(&response)).map_err(Error::read_only)
    }

    /// The object of that id, if there is one.
    ///
    /// # Errors
    /// What the service answers, but for its absence.
    pub fn get<T: DeserializeOwned>(&mut self, kind: Kind, handle: &str) -> Result<Option<T>, Error> {
        match self.read(&kind.object(handle)?) {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.code == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates an object.
    ///
    /// # Errors
    /// What the service answers; `effect` tells what may be left behind.
    pub fn create<T: DeserializeOwned>(&mut self, kind: Kind, body: &impl Serialize) -> Result<T, Error> {
        self.write(Method::Post, kind.path, body)
    }

    /// Changes an object.
    ///
    /// # Errors
    /// What the service answers; `effect` tells what may be left behind.
    pub fn change<T: DeserializeOwned>(
        &mut self,
        kind: Kind,
        handle: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.write(Method::Patch, &kind.object(handle)?, body)
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// What the service answers; `effect` tells what may be left behind.
    pub fn delete(&mut self, kind: Kind, handle: &str) -> Result<(), Error> {
        let url = self.url(&kind.object(handle)?);
        self.send(&Request::new(Method::Delete, url)).map(drop)
    }

    /// One page for the host's query. The service shows an account's objects as a whole: what it leaves out does
    /// not exist.
    ///
    /// # Errors
    /// What the service answers; never for an object that is not there.
    pub fn find<T: DeserializeOwned>(
        &mut self,
        kind: Kind,
        query: &Query,
        page: Option<&str>,
    ) -> Result<Found<T>, Error> {
        if !query.handles.is_empty() {
            return self.by_handles(kind, &query.handles);
        }
        let mut parameters: Vec<(String, &str)> = Vec::new();
        parameters.extend(query.name.as_deref().map(|name| ("name".to_owned(), name)));
        parameters.extend(query.disk_handle.as_deref().map(|volume| ("volume".to_owned(), volume)));
        parameters.extend(page.map(|page| ("cursor".to_owned(), page)));
        parameters.extend(query.tags.iter().map(|(key, value)| (format!("tag.{key}"), value.as_str())));
        let limit = query.limit.min(500).to_string();
        parameters.extend((query.limit > 0).then_some(("limit".to_owned(), limit.as_str())));
        let pairs: Vec<String> = parameters
            .iter()
            .map(|(name, value)| format!("{}={}", form::encode(name), form::encode(value)))
            .collect();
        let page: crate::api::Page<T> = self.read(&format!("{}?{}", kind.path, pairs.join("&")))?;
        Ok(Found { items: page.items, next: page.next, unread: Vec::new() })
    }

    fn by_handles<T: DeserializeOwned>(&mut self, kind: Kind, handles: &[String]) -> Result<Found<T>, Error> {
        if handles.len() > MAX_HANDLES {
            return Err(Error::invalid("handles", "TooMany", format!("at most {MAX_HANDLES} handles")));
        }
        let mut found = Found { items: Vec::new(), next: None, unread: Vec::new() };
        for handle in handles {
            if kind.is_id(handle) {
                found.items.extend(self.get(kind, handle)?);
            } else {
                // Never asked for, so nothing is known of it.
                found.unread.push(format!("{handle}: not an id of the form {}…", kind.prefix));
            }
        }
        Ok(found)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.config.endpoint)
    }

    fn write<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let body = serde_json::to_vec(body).map_err(|error| {
            Error::new(ErrorCode::Internal, "UnwritableRequest", format!("failed to write JSON: {error}"))
        })?;
        let response = self.send(&Request::new(method, self.url(path)).body("application/json", body))?;
        json::body(&response)
    }

    fn send(&mut self, request: &Request) -> Result<Response, Error> {
        let response = self.transport.send(request).map_err(TransportError::into_error)?;
        if response.is_success() { Ok(response) } else { Err(refused(&response)) }
    }
}

/// The service answers 4xx before it does anything; after a 5xx nobody knows.
fn refused(response: &Response) -> Error {
    let status = response.status;
    let effect = if (400..500).contains(&status) { Effect::None } else { Effect::Unknown };
    let fault = serde_json::from_slice::<Fault>(&response.body).ok();
    let known = fault.as_ref().and_then(|fault| meaning(&fault.code));
    let (code, reason) = known.map_or_else(|| by_status(status), |(code, reason)| (code, reason.to_owned()));
    let message = fault.map_or_else(|| format!("the service answered {status}"), |fault| fault.message);
    let error = Error::new(code, reason, message).effect(effect).detail("httpStatus", status.to_string());
    match response.retry_after_ms() {
        Some(milliseconds) => error.retry_after_ms(milliseconds),
        None => error,
    }
}

/// The codes of `docs/devcloud.md`.
fn meaning(code: &str) -> Option<(ErrorCode, &'static str)> {
    Some(match code {
        "invalid-argument" => (ErrorCode::InvalidArgument, "InvalidArgument"),
        "out-of-range" => (ErrorCode::OutOfRange, "OutOfRange"),
        "unauthenticated" => (ErrorCode::Unauthenticated, "Unauthenticated"),
        "quota-exceeded" => (ErrorCode::QuotaExceeded, "QuotaExceeded"),
        "not-found" => (ErrorCode::NotFound, "NotFound"),
        "already-exists" => (ErrorCode::AlreadyExists, "AlreadyExists"),
        "in-use" => (ErrorCode::InUse, "InUse"),
        "not-ready" => (ErrorCode::FailedPrecondition, "NotReady"),
        "throttled" => (ErrorCode::Throttled, "Throttled"),
        // Its fault, not the request's: to be tried again.
        "internal" => (ErrorCode::Unavailable, "ServiceFailed"),
        _ => return None,
    })
}

/// For answers that are not the service's own, such as those of a proxy on the way.
fn by_status(status: u16) -> (ErrorCode, String) {
    let code = match status {
        401 => ErrorCode::Unauthenticated,
        403 => ErrorCode::PermissionDenied,
        429 => ErrorCode::Throttled,
        // A 404 that the service did not write says nothing about its objects.
        400..=499 => ErrorCode::Other,
        500..=599 => ErrorCode::Unavailable,
        _ => ErrorCode::Internal,
    };
    (code, format!("Http{status}"))
}
