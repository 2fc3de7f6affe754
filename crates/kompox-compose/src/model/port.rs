//! Ports of a service.

use std::fmt;
use std::net::IpAddr;

use crate::span::Span;

/// A port of the container that is published
/// (<https://github.com/compose-spec/compose-spec/blob/main/05-services.md#ports>). Ranges of the short form
/// are already taken apart: one entry per container port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The entry in the file; the ports of one range share it.
    pub span: Span,
    /// Port in the container, from 1.
    pub target: u16,
    /// Port outside. Absent when only the container's port is given: Docker takes a random one then.
    /// More than one when the platform may choose from a range.
    pub published: Option<PortRange>,
    /// `protocol`.
    pub protocol: Protocol,
    /// `host_ip`: the address of the host that the port is bound to; `127.0.0.1` means "not from outside".
    pub host_ip: Option<IpAddr>,
    /// `name`: a name for people.
    pub name: Option<String>,
    /// `app_protocol`: what is spoken on the port, such as `http`.
    pub app_protocol: Option<String>,
    /// `mode`, as written: `ingress` (the default) or `host`.
    pub mode: Option<String>,
}

/// A range of ports, both ends included, `first <= last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortRange {
    /// First port, from 1.
    pub first: u16,
    /// Last port; equal to `first` for a single port.
    pub last: u16,
}

/// Transport protocol of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// `tcp`, the default.
    Tcp,
    /// `udp`.
    Udp,
    /// `sctp`.
    Sctp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        })
    }
}
