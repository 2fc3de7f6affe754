//! The normalised project: every short form made long, every default of the specification that needs no
//! cluster filled in, every value with its place. Nothing here knows YAML or Kubernetes.
//!
//! Names and meanings are those of <https://github.com/compose-spec/compose-spec/blob/main/spec.md>. A
//! consumer should take a [`Service`] apart by its fields, without `..`, so that the compiler points at every
//! conversion to write when a field is added here.

mod mount;
mod port;
mod service;

use std::collections::BTreeMap;

pub use mount::{NamedVolume, Tmpfs};
pub use port::{Port, PortRange, Protocol};
pub use service::{
    Dependency, DependencyCondition, EnvironmentVariable, Healthcheck, HealthcheckTest, PullPolicy,
    RestartPolicy, Service,
};

use crate::span::{Span, Spanned};

/// A Compose project, without the services that the active profiles leave out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The name given by the caller, else the file's `name`. Lower-case letters, digits, `-` and `_`.
    pub name: Option<String>,
    /// The services to run, by name; never empty unless profiles leave all of them out.
    pub services: BTreeMap<String, Service>,
    /// Services that the active profiles leave out, and where they are.
    pub disabled_services: BTreeMap<String, Span>,
    /// The named volumes that the file declares, used or not.
    pub volumes: BTreeMap<String, Volume>,
    /// The networks that the file declares. In a cluster all of them are one flat network.
    pub networks: BTreeMap<String, Network>,
}

/// A named volume: <https://github.com/compose-spec/compose-spec/blob/main/07-volumes.md>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The key in the file.
    pub span: Span,
    /// `name`: the name on the platform, where it shall not be made from the project's name.
    pub name: Option<Spanned<String>>,
}

/// A network: <https://github.com/compose-spec/compose-spec/blob/main/06-networks.md>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The key in the file.
    pub span: Span,
    /// `name`: the name on the platform.
    pub name: Option<Spanned<String>>,
    /// `internal`: without a way out.
    pub internal: bool,
    /// `external`: made and shared by others.
    pub external: bool,
}
