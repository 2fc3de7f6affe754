//! One service: <https://github.com/compose-spec/compose-spec/blob/main/05-services.md>.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::{NamedVolume, Port, Protocol, Tmpfs};
use crate::span::{Span, Spanned};

/// A service with all its keys. The name of a field is the name of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Name, and where the service begins. Letters, digits, `.`, `_` and `-`: not always a DNS label.
    pub name: Spanned<String>,
    /// Image reference as written.
    pub image: Spanned<String>,
    /// Words of the command; absent: the image's. An empty list is a command that was cleared.
    pub command: Option<Spanned<Vec<String>>>,
    /// Words of the entrypoint; absent: the image's. An empty list clears it, and the image's command too.
    pub entrypoint: Option<Spanned<Vec<String>>>,
    /// The variables of `env_file`, in order, overridden by those of `environment`. Variables without a value
    /// are resolved already. Names are non-empty printable ASCII without `=`.
    pub environment: BTreeMap<String, EnvironmentVariable>,
    /// Published ports in the order of the file, without repetition.
    pub ports: Vec<Port>,
    /// Ports that are only documentation, ranges taken apart.
    pub expose: BTreeSet<(u16, Protocol)>,
    /// Named volumes in the order of the file.
    pub volumes: Vec<NamedVolume>,
    /// File systems in memory, of the key `tmpfs` and of volumes of that type.
    pub tmpfs: Vec<Tmpfs>,
    /// What must be up first, by service name. Free of cycles; every name is an enabled service, or one that
    /// is not required.
    pub depends_on: BTreeMap<String, Dependency>,
    /// Health check; absent: the image's.
    pub healthcheck: Option<Spanned<Healthcheck>>,
    /// What to do when the container ends; absent: `no`.
    pub restart: Option<Spanned<RestartPolicy>>,
    /// `deploy.replicas` or `scale`; absent: 1.
    pub replicas: Option<Spanned<u32>>,
    /// User, as written: `1000`, `1000:1000`, `name`, `name:group`. Never empty.
    pub user: Option<Spanned<String>>,
    /// Working directory.
    pub working_dir: Option<Spanned<String>>,
    /// Labels of the container.
    pub labels: BTreeMap<String, Spanned<String>>,
    /// Time between the stop signal and the kill; absent: Docker waits 10 s.
    pub stop_grace_period: Option<Spanned<Duration>>,
    /// Name of the container: on a network it is a second name of the service. `[a-zA-Z0-9][a-zA-Z0-9_.-]+`,
    /// unique in the project.
    pub container_name: Option<Spanned<String>>,
    /// Host name inside the container, as written.
    pub hostname: Option<Spanned<String>>,
    /// Whether an init process runs as process 1.
    pub init: Option<Spanned<bool>>,
    /// Whether the root file system is read-only.
    pub read_only: Option<Spanned<bool>>,
    /// Kernel capabilities added, as written, without repetition.
    pub cap_add: Vec<Spanned<String>>,
    /// Kernel capabilities dropped, as written, without repetition.
    pub cap_drop: Vec<Spanned<String>>,
    /// Platform `os[/arch[/variant]]`, as written.
    pub platform: Option<Spanned<String>>,
    /// When the image is pulled; absent: when it is missing.
    pub pull_policy: Option<Spanned<PullPolicy>>,
    /// Networks joined, by key of [`super::Project::networks`]; `default` is always there. Empty: `default`.
    pub networks: BTreeMap<String, Span>,
    /// Profiles that enable the service; empty: always enabled.
    pub profiles: Vec<Spanned<String>>,
}

/// The value of an environment variable, and where its name was written last (it may be an `env_file`).
#[derive(Clone, Debug)]
pub struct EnvironmentVariable {
    /// The value: often a secret, so it prints as `[REDACTED]`.
    pub value: SecretString,
    /// The name in the Compose file or in the environment file.
    pub span: Span,
}

impl PartialEq for EnvironmentVariable {
    fn eq(&self, other: &Self) -> bool {
        self.span == other.span && self.value.expose_secret() == other.value.expose_secret()
    }
}

impl Eq for EnvironmentVariable {}

/// One entry of `depends_on`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The name in the file.
    pub span: Span,
    /// What to wait for.
    pub condition: DependencyCondition,
    /// Whether a change of the dependency restarts the dependent.
    pub restart: bool,
    /// Whether the dependent can do without it.
    pub required: bool,
}

/// What a dependent waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DependencyCondition {
    /// `service_started`: the containers run.
    Started,
    /// `service_healthy`: the health check succeeds.
    Healthy,
    /// `service_completed_successfully`: the container ended with exit code 0.
    CompletedSuccessfully,
}

/// Health check. The accessors give Docker's defaults for what the file leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healthcheck {
    /// The test.
    pub test: HealthcheckTest,
    /// Time between two tests.
    pub interval: Option<Spanned<Duration>>,
    /// Time after which a test has failed.
    pub timeout: Option<Spanned<Duration>>,
    /// Failures in a row that make the container unhealthy; at least 1.
    pub retries: Option<Spanned<u32>>,
    /// Time after the start in which failures do not count.
    pub start_period: Option<Spanned<Duration>>,
    /// Time between two tests during the start period.
    pub start_interval: Option<Spanned<Duration>>,
}

/// What a health check runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthcheckTest {
    /// `disable: true` or `["NONE"]`: no check, not even the image's.
    Disabled,
    /// `["CMD", …]`: a program and its arguments; never empty.
    Exec(Vec<String>),
    /// `["CMD-SHELL", text]` or a string: text for the container's `/bin/sh -c`; never empty.
    Shell(String),
}

impl Healthcheck {
    /// Time between two tests: 30 s unless the file says otherwise.
    #[must_use]
    pub fn interval(&self) -> Duration {
        value_or(self.interval.as_ref(), Duration::from_secs(30))
    }

    /// Time after which a test has failed: 30 s unless the file says otherwise.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        value_or(self.timeout.as_ref(), Duration::from_secs(30))
    }

    /// Failures in a row that make the container unhealthy: 3 unless the file says otherwise.
    #[must_use]
    pub fn retries(&self) -> u32 {
        self.retries.as_ref().map_or(3, |retries| retries.value)
    }

    /// Time after the start in which failures do not count: none unless the file says otherwise.
    #[must_use]
    pub fn start_period(&self) -> Duration {
        value_or(self.start_period.as_ref(), Duration::ZERO)
    }

    /// Time between two tests during the start period: 5 s unless the file says otherwise.
    #[must_use]
    pub fn start_interval(&self) -> Duration {
        value_or(self.start_interval.as_ref(), Duration::from_secs(5))
    }
}

/// Docker takes zero for "not set" in health checks.
fn value_or(value: Option<&Spanned<Duration>>, default: Duration) -> Duration {
    value.map(|value| value.value).filter(|value| !value.is_zero()).unwrap_or(default)
}

/// What to do when the container ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartPolicy {
    /// `no`: leave it.
    No,
    /// `always`.
    Always,
    /// `on-failure[:max-retries]`; without a number there is no limit.
    OnFailure {
        /// Restarts after which it is left.
        max_retries: Option<u32>,
    },
    /// `unless-stopped`: as `always`, but not after a person stopped it.
    UnlessStopped,
}

/// When the image is pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullPolicy {
    /// `always`.
    Always,
    /// `never`.
    Never,
    /// `missing`, also written `if_not_present`.
    Missing,
}
