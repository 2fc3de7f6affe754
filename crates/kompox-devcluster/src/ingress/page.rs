//! The answers that are the ingress' own. Each says whose it is, in its text and in a header.

use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::body::Bytes;

use super::INGRESS_BANNER;

/// Only in answers of the ingress itself, never in a pod's.
const MARK: HeaderName = HeaderName::from_static("kompox-dev-ingress");

/// A body of a pod, passed on as it comes, or one of ours.
pub(super) type Body = BoxBody<Bytes, hyper::Error>;

/// A page with a status and a reason.
pub(super) fn page(status: StatusCode, reason: &str) -> Response<Body> {
    let text = format!("{status}\n\n{reason}\n\n({INGRESS_BANNER})\n");
    let mut response = Response::new(body(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(MARK, HeaderValue::from_static("stands in for Traefik"));
    response
}

/// A body that is there already.
pub(super) fn body(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}
