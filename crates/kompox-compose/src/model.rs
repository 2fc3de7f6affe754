//! The normalised project: every short form made long, every default of the specification that needs no
//! cluster filled in, every value with its place. Nothing here knows YAML or Kubernetes.
//!
//! Names and meanings are those of <https://github.com/compose-spec/compose-spec/blob/main/spec.md>. Keys
//! whose value decides nothing in a cluster are not here: they are leaves of the [`crate::Model`], and the
//! conversion says about each of them what becomes of it.

mod deploy;
mod health;
mod hook;
mod mount;
mod network;
mod port;
mod security;
mod service;
mod source;

use std::collections::BTreeMap;

pub use deploy::{
    Deploy, DeployMode, DeployRestart, Device, PlacementPreference, Quantities, Resources, UpdateConfig,
};
pub use health::{Healthcheck, HealthcheckTest};
pub use hook::{Hook, PreStart};
pub use mount::{BindMount, ImageMount, Mount, MountSource, TmpfsMount, VolumeMount, VolumesFrom};
pub use network::{NetworkAttachment, NetworkMode, SharedNamespace};
pub use port::{Port, PortRange, Protocol};
pub use security::SecurityOption;
pub use service::{
    Dependency, DependencyCondition, EnvironmentVariable, PullPolicy, RestartPolicy, Service,
    ServiceExtension,
};
pub use source::{Config, Content, FileMount, Network, Secret, Volume};

use crate::span::Span;

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
    /// The networks that the file declares, and `default` if a service joins it.
    pub networks: BTreeMap<String, Network>,
    /// The configs that the file declares, used or not.
    pub configs: BTreeMap<String, Config>,
    /// The secrets that the file declares, used or not.
    pub secrets: BTreeMap<String, Secret>,
}
