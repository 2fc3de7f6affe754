//! Headers on their way through: those of one connection end here (RFC 9110, section 7.6.1), and the pod learns
//! who asked, as Traefik tells it.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Uri};

use super::{Peer, Scheme};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// Besides those that `Connection` lists. `Transfer-Encoding` is the HTTP library's business.
const OF_ONE_CONNECTION: [HeaderName; 6] = [
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
];

/// True when the client asks for another protocol on this connection.
pub(super) fn wants_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE) && listed(headers).contains(&header::UPGRADE)
}

/// Prepares a request for a pod. What a client says of itself in `X-Forwarded-…` is not believed.
pub(super) fn to_pod<B>(request: &mut Request<B>, peer: Peer, port: u16) {
    let host = host(request.uri(), request.headers());
    let headers = request.headers_mut();
    let upgrade = wants_upgrade(headers).then(|| headers.get(header::UPGRADE).cloned()).flatten();
    strip(headers);
    if let Some(protocol) = upgrade {
        headers.insert(header::UPGRADE, protocol);
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
    let address = peer.address.ip().to_string();
    for (name, value) in [(FORWARDED_FOR, &address), (REAL_IP, &address), (FORWARDED_PORT, &port.to_string())]
    {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    let scheme = if peer.scheme == Scheme::Https { "https" } else { "http" };
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(scheme));
    // The pod sees the host that the user typed.
    if let Some(host) = host {
        headers.insert(FORWARDED_HOST, host.clone());
        headers.insert(header::HOST, host);
    }
}

/// Prepares a pod's answer for the client.
pub(super) fn to_client(headers: &mut HeaderMap) {
    strip(headers);
    headers.remove(header::UPGRADE);
}

fn host(uri: &Uri, headers: &HeaderMap) -> Option<HeaderValue> {
    let named = uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    named.or_else(|| headers.get(header::HOST).cloned())
}

fn strip(headers: &mut HeaderMap) {
    for name in listed(headers).into_iter().chain(OF_ONE_CONNECTION) {
        headers.remove(name);
    }
    headers.remove(header::CONNECTION);
}

/// The names in `Connection`.
fn listed(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut request = Request::builder().uri("/x").body(()).unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_static(value));
        }
        let peer = Peer { address: "127.0.0.1:5".parse().unwrap(), scheme: Scheme::Https };
        to_pod(&mut request, peer, 8443);
        request.headers().clone()
    }

    #[test]
    fn a_pod_learns_who_asked_and_not_what_the_client_claims() {
        let headers = sent(&[
            ("host", "a.localhost:8443"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "http"),
        ]);
        for (name, value) in [
            ("host", "a.localhost:8443"),
            ("x-forwarded-host", "a.localhost:8443"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-port", "8443"),
            ("x-real-ip", "127.0.0.1"),
        ] {
            assert_eq!(headers.get_all(name).iter().collect::<Vec<_>>(), [value], "{name}");
        }
    }

    #[test]
    fn headers_of_one_connection_end_here() {
        let headers = sent(&[
            ("connection", "close, x-private"),
            ("x-private", "1"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
        ]);
        for name in ["connection", "x-private", "te"] {
            assert!(!headers.contains_key(name), "{name}");
        }
    }

    #[test]
    fn an_upgrade_goes_through() {
        let headers = sent(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")]);
        assert!(headers["connection"] == "upgrade" && headers["upgrade"] == "websocket");
    }
}
