//! What concerns a container alone, in Kubernetes' terms.

use super::Protocol;
use crate::app::secret_text::SecretText;
use k8s_openapi::api::core::v1::{ResourceRequirements, SecurityContext};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What concerns the container alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerPlan {
    /// Image reference, verbatim.
    pub image: String,
    /// `Always`, `IfNotPresent` or `Never`. Always set: Kubernetes' default differs for `latest`.
    pub image_pull_policy: String,
    /// Compose `entrypoint`, `$` not yet doubled; empty: the image's.
    pub entrypoint: Vec<String>,
    /// Compose `command`, `$` not yet doubled; empty: the image's.
    pub command: Vec<String>,
    /// Working directory; absent: the image's.
    pub working_dir: Option<String>,
    /// Ports the container listens on, by number and protocol.
    pub ports: Vec<ContainerPort>,
    /// Readiness; absent: ready when started.
    pub healthcheck: Option<Healthcheck>,
    /// User, capabilities and the like.
    pub security: SecurityContext,
    /// What it may use and what is kept for it.
    pub resources: ResourceRequirements,
    /// Runs right after the start, verbatim; empty: nothing.
    pub post_start: Vec<String>,
    /// Runs before the stop signal, verbatim; empty: nothing.
    pub pre_stop: Vec<String>,
    /// The signal that asks process 1 to end, as a shell's `kill -` takes it; absent: the image's.
    pub stop_signal: Option<String>,
    /// Whether a terminal is allocated.
    pub tty: bool,
    /// Whether standard input stays open.
    pub stdin: bool,
    /// Containers that must end well before this one starts, in order.
    pub init: Vec<InitContainer>,
}

/// A port that a container listens on: for people, for network policies and for the publish Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPort {
    /// Number in the container.
    pub number: u16,
    /// Transport protocol.
    pub protocol: Protocol,
    /// Unique in the container, at most 15 lower-case letters, digits and `-`.
    pub name: String,
    /// Port of the node that leads here too.
    pub host: Option<HostPort>,
}

/// A port of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// Number.
    pub number: u16,
    /// Address of the node it is bound to; absent: all of them.
    pub address: Option<IpAddr>,
}

/// A health check, in whole seconds as Kubernetes counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healthcheck {
    /// The command, `$` not yet doubled.
    pub command: Vec<String>,
    /// Between two checks.
    pub interval_seconds: i32,
    /// For one check.
    pub timeout_seconds: i32,
    /// Failures in a row before the container counts as unready.
    pub retries: i32,
    /// Between two checks until the first success.
    pub start_interval_seconds: i32,
    /// Whether an unready container is restarted, which Docker never does.
    pub restarts: bool,
}

/// A container that runs before the service's own and must end well.
#[derive(Clone, Debug, PartialEq)]
pub struct InitContainer {
    /// Name, unique in the pod.
    pub name: String,
    /// Image reference.
    pub image: String,
    /// Words of the command, `$` not yet doubled. It takes the place of the image's entrypoint.
    pub command: Vec<String>,
    /// Working directory; absent: the image's.
    pub working_dir: Option<String>,
    /// User, capabilities and the like.
    pub security: SecurityContext,
    /// Variables beside those of the service: name, and key of the service's environment with the value.
    pub variables: BTreeMap<String, String>,
}

/// A variable whose name cannot be the key of a Secret.
#[derive(Clone, Debug)]
pub struct NamedVariable {
    /// Key under which a Secret holds the value.
    pub key: String,
    /// The value.
    pub value: SecretText,
}
