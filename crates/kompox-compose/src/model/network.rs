//! How a service is reached and what it shares with others.

use std::net::IpAddr;

use crate::span::{Span, Spanned};

/// A service's membership in a network
/// (<https://github.com/compose-spec/compose-spec/blob/main/05-services.md#networks>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkAttachment {
    /// The key in the file; for the implicit `default`, the service.
    pub span: Span,
    /// `aliases`: further names of the service on this network.
    pub aliases: Vec<Spanned<String>>,
    /// Static addresses asked for: `ipv4_address`, `ipv6_address`, `link_local_ips`.
    pub addresses: Vec<Spanned<IpAddr>>,
    /// `mac_address`.
    pub mac_address: Option<Spanned<String>>,
}

/// `network_mode`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkMode {
    /// `none`: no network at all.
    None,
    /// `host`: the host's.
    Host,
    /// `bridge` or `default`: as without the key.
    Bridge,
    /// `service:NAME`: that of another service.
    Service(String),
    /// `container:NAME`: that of a container; it may be the `container_name` of a service.
    Container(String),
    /// Anything else: the name of a network of the platform.
    Other(String),
}

/// `pid`, `ipc`: a namespace that is shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SharedNamespace {
    /// `host`: the host's.
    Host,
    /// `service:NAME`: that of another service.
    Service(String),
    /// `container:NAME`.
    Container(String),
    /// `private`, `shareable`, `none` or empty: the container's own.
    Own(String),
}
