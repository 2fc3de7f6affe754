//! Where a call may send requests: its driver's declared endpoints, filled in from the
//! configuration, within what the administrator granted.
//!
//! Pure decisions; the names are resolved and the addresses vetted by `http`.

mod address;
mod template;

pub(crate) use address::Networks;
pub(crate) use template::{Template, fill};

use crate::{
    limiter::Quota,
    options::{EgressGrant, EgressScope, PlainHttp},
};
use http::{Method, Uri, uri::Scheme};
use kompox_core::driver::{Attributes, Provider};
use std::{fmt, net::IpAddr};

/// Why a request was refused, and what would allow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Denial {
    /// One word of a fixed list, for metrics.
    pub(crate) reason: &'static str,
    /// For people. Holds no query: it could hold anything.
    pub(crate) message: String,
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

fn denied<T>(reason: &'static str, message: impl Into<String>) -> Result<T, Denial> {
    Err(Denial { reason, message: message.into() })
}

/// The host of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    /// Labels in lower case; `None` is a wildcard for exactly one.
    Name(Vec<Option<String>>),
}

/// An endpoint of one call, all placeholders filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    scheme: Scheme,
    host: Host,
    port: u16,
    /// Begins with `/`.
    path: String,
    /// As the driver declared it.
    pub(crate) declared: String,
    /// Name of the authentication profile.
    pub(crate) auth: Option<String>,
    /// How fast it may be asked.
    pub(crate) quota: Quota,
}

/// What one call may reach.
#[derive(Clone, Debug)]
pub(crate) enum Policy {
    /// Nothing; the text says why.
    Closed(&'static str),
    /// These endpoints.
    Open(Endpoints),
}

/// The endpoints of one call.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    usable: Vec<Endpoint>,
    /// Why declared endpoints are not usable in this call.
    unusable: Vec<String>,
    plain_http: PlainHttp,
    networks: Networks,
    scope: EgressScope,
}

impl Endpoints {
    /// Fills in the endpoints that `provider` declares. What cannot be filled in is left out, and the
    /// reason is kept for the message of a later refusal.
    pub(crate) fn resolve(provider: &Provider, config: &Attributes, grant: &EgressGrant) -> Self {
        let mut endpoints = Self {
            usable: Vec::new(),
            unusable: Vec::new(),
            plain_http: grant.plain_http,
            networks: Networks::new(&grant.networks),
            scope: grant.scope.clone(),
        };
        for declared in &provider.endpoints {
            let resolved = Template::parse(&declared.url)
                .and_then(|template| template.resolve(config, grant, &endpoints.networks));
            match resolved {
                Ok(endpoint) => endpoints.usable.push(Endpoint {
                    auth: declared.auth.clone(),
                    quota: Quota::of(declared),
                    ..endpoint
                }),
                Err(reason) => endpoints.unusable.push(format!("`{}`: {reason}", declared.url)),
            }
        }
        endpoints
    }

    /// What the administrator left open of the driver's endpoints.
    fn in_scope(&self, target: &Target<'_>, uri: &Uri) -> Result<(), Denial> {
        match &self.scope {
            EgressScope::Declared => Ok(()),
            EgressScope::Closed => denied(
                "EgressClosed",
                format!(
                    "request to {} refused: the driver has no network; set `spec.egress.mode` of its \
                     KompoxDriver to `Declared`, or to `Custom` with `{}` in `spec.egress.hosts`",
                    origin(uri),
                    host(uri)
                ),
            ),
            // An address needs the grant of its network instead.
            EgressScope::Hosts(_) if matches!(target.host, TargetHost::Address(_)) => Ok(()),
            EgressScope::Hosts(hosts) if hosts.iter().any(|granted| is_host(granted, uri)) => Ok(()),
            EgressScope::Hosts(_) => denied(
                "HostNotGranted",
                format!(
                    "request to {} refused: add `{}` to `spec.egress.hosts` of the KompoxDriver if it is right",
                    origin(uri),
                    host(uri)
                ),
            ),
        }
    }

    /// The endpoint that covers the request: an exact host before a wildcard, then the longest path.
    fn find(&self, target: &Target) -> Option<&Endpoint> {
        self.usable
            .iter()
            .filter(|endpoint| endpoint.covers(target))
            .max_by_key(|endpoint| (std::cmp::Reverse(endpoint.wildcards()), endpoint.path.len()))
    }
}

impl Policy {
    /// The endpoint that allows this request.
    ///
    /// # Errors
    /// The refusal, which names the endpoint or the grant that is missing.
    pub(crate) fn allow(&self, method: &Method, uri: &Uri) -> Result<&Endpoint, Denial> {
        let endpoints = match self {
            Self::Closed(why) => {
                return denied("EgressClosed", format!("request to {} refused: {why}", origin(uri)));
            }
            Self::Open(endpoints) => endpoints,
        };
        let target = Target::parse(method, uri)?;
        let Some(endpoint) = endpoints.find(&target) else {
            return denied("EndpointNotDeclared", not_declared(endpoints, uri));
        };
        endpoints.in_scope(&target, uri)?;
        if target.scheme == Scheme::HTTP && endpoints.plain_http == PlainHttp::Denied {
            let message = format!(
                "request to {} refused: use https; plain http is for development, to the networks of the \
                 operator's flag `--allow-plain-http-cidr`",
                origin(uri)
            );
            return denied("PlainHttp", message);
        }
        if let TargetHost::Address(address) = target.host
            && let Err(why) = endpoints.networks.allow_literal(address)
        {
            return denied("AddressForbidden", format!("request to {} refused: {why}", origin(uri)));
        }
        Ok(endpoint)
    }
}

/// Whether the host of `uri` is `granted`, whose first label may be `*`.
fn is_host(granted: &str, uri: &Uri) -> bool {
    is_name(granted, uri.host().unwrap_or_default())
}

fn is_name(granted: &str, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    match granted.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && rest == parent),
        None => host == granted,
    }
}

fn not_declared(endpoints: &Endpoints, uri: &Uri) -> String {
    let declared: Vec<&str> = endpoints.usable.iter().map(|endpoint| endpoint.declared.as_str()).collect();
    let mut message = format!(
        "request to {} refused: the driver does not declare this endpoint; usable: {}",
        origin(uri),
        if declared.is_empty() { "none".to_owned() } else { declared.join(", ") }
    );
    if !endpoints.unusable.is_empty() {
        message.push_str("; not usable: ");
        message.push_str(&endpoints.unusable.join(", "));
    }
    message
}

/// The host for people, cut to what a host name may be.
pub(crate) fn host(uri: &Uri) -> String {
    uri.host().unwrap_or("?").chars().filter(|c| !c.is_control()).take(253).collect()
}

/// Scheme and host for people.
fn origin(uri: &Uri) -> String {
    let host = host(uri);
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}", uri.scheme_str().unwrap_or("?"))
}

#[derive(Debug)]
enum TargetHost<'a> {
    Address(IpAddr),
    Name(Vec<&'a str>),
}

#[derive(Debug)]
struct Target<'a> {
    scheme: Scheme,
    host: TargetHost<'a>,
    port: u16,
    path: &'a str,
}

impl<'a> Target<'a> {
    fn parse(method: &Method, uri: &'a Uri) -> Result<Self, Denial> {
        let malformed =
            |what: &str| denied("MalformedRequest", format!("request to {} refused: {what}", origin(uri)));
        if method == Method::CONNECT || method == Method::TRACE {
            return malformed("the methods CONNECT and TRACE are not possible");
        }
        let (Some(scheme), Some(authority), Some(host)) = (uri.scheme(), uri.authority(), uri.host()) else {
            return malformed("scheme and host are required");
        };
        if authority.as_str().contains('@') {
            return malformed("credentials in the URL are not possible");
        }
        let Some(port) = uri.port_u16().or_else(|| default_port(scheme)) else {
            return malformed("the scheme must be https or http");
        };
        if authority.as_str().ends_with(':') || host.ends_with('.') {
            return malformed("the host must be written in its usual form");
        }
        if has_dot_segment(uri.path()) {
            return malformed("the path must not hold `.` or `..` segments");
        }
        Ok(Self { scheme: scheme.clone(), host: TargetHost::parse(host), port, path: uri.path() })
    }
}

impl<'a> TargetHost<'a> {
    fn parse(host: &'a str) -> Self {
        address_literal(host).map_or_else(|| Self::Name(host.split('.').collect()), Self::Address)
    }
}

fn address_literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

fn default_port(scheme: &Scheme) -> Option<u16> {
    match scheme.as_str() {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}

/// A server that resolves such segments would leave the endpoint's prefix. Also in escaped form.
fn has_dot_segment(path: &str) -> bool {
    path.split(['/', '\\']).any(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "."
            || plain == ".."
            || plain.contains("%2f..")
            || plain.contains("..%2f")
            || plain.contains("%5c")
    })
}

impl Endpoint {
    /// The filled URL prefix: for people, and to tell accounts apart.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}:{}{}", self.scheme, self.host, self.port, self.path)
    }

    fn wildcards(&self) -> usize {
        match &self.host {
            Host::Address(_) => 0,
            Host::Name(labels) => labels.iter().filter(|label| label.is_none()).count(),
        }
    }

    fn covers(&self, target: &Target<'_>) -> bool {
        self.scheme == target.scheme
            && self.port == target.port
            && self.host.covers(&target.host)
            && covers_path(&self.path, target.path)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Name(labels) => {
                let labels: Vec<&str> = labels.iter().map(|label| label.as_deref().unwrap_or("*")).collect();
                f.write_str(&labels.join("."))
            }
        }
    }
}

impl Host {
    fn covers(&self, target: &TargetHost<'_>) -> bool {
        match (self, target) {
            (Self::Address(own), TargetHost::Address(other)) => own == other,
            (Self::Name(own), TargetHost::Name(other)) => {
                own.len() == other.len()
                    && own.iter().zip(other).all(|(own, other)| covers_label(own.as_deref(), other))
            }
            _ => false,
        }
    }
}

fn covers_label(own: Option<&str>, other: &str) -> bool {
    own.map_or_else(|| template::is_label(other), |own| own.eq_ignore_ascii_case(other))
}

/// A prefix covers whole segments: `/v1` covers `/v1/x` and not `/v1x`.
fn covers_path(prefix: &str, path: &str) -> bool {
    let path = if path.is_empty() { "/" } else { path };
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
