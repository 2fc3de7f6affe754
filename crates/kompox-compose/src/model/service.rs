//! One service: <https://github.com/compose-spec/compose-spec/blob/main/05-services.md>.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::{
    Deploy, FileMount, Healthcheck, Hook, Mount, NetworkAttachment, NetworkMode, Port, PreStart, Protocol,
    Resources, SecurityOption, SharedNamespace, VolumesFrom,
};
use crate::span::{Span, Spanned};

/// A service with the keys that decide something in a cluster. The name of a field is the name of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Name, and where the service begins. Letters, digits, `.`, `_` and `-`: not always a DNS label.
    pub name: Spanned<String>,
    /// Image reference as written; absent only where there is a `build`.
    pub image: Option<Spanned<String>>,
    /// Where `build` is written: nothing is built in a cluster.
    pub build: Option<Span>,
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
    /// Mounts of `volumes` and `tmpfs`, in the order of the file.
    pub mounts: Vec<Mount>,
    /// `volumes_from`, in the order of the file.
    pub volumes_from: Vec<VolumesFrom>,
    /// `configs`, in the order of the file.
    pub configs: Vec<FileMount>,
    /// `secrets`, in the order of the file.
    pub secrets: Vec<FileMount>,
    /// What must be up first, by service name, with what follows from links, shared namespaces and
    /// `volumes_from`. Free of cycles; every name is an enabled service, or one that is not required.
    pub depends_on: BTreeMap<String, Dependency>,
    /// `links`: the other service, and the alias under which this one reaches it.
    pub links: Vec<Spanned<(String, Option<String>)>>,
    /// Health check; absent: the image's.
    pub healthcheck: Option<Spanned<Healthcheck>>,
    /// What to do when the container ends; absent: `no`.
    pub restart: Option<Spanned<RestartPolicy>>,
    /// `deploy.replicas` or `scale`; absent: 1.
    pub replicas: Option<Spanned<u32>>,
    /// `deploy` but for what is in `replicas` and `resources`.
    pub deploy: Deploy,
    /// `deploy.resources` and the older keys.
    pub resources: Resources,
    /// User, as written: `1000`, `1000:1000`, `name`, `name:group`. Never empty.
    pub user: Option<Spanned<String>>,
    /// Further groups, as written.
    pub group_add: Vec<Spanned<String>>,
    /// Working directory.
    pub working_dir: Option<Spanned<String>>,
    /// `label_file` overridden by `labels`: labels of the container.
    pub labels: BTreeMap<String, Spanned<String>>,
    /// Annotations of the container.
    pub annotations: BTreeMap<String, Spanned<String>>,
    /// Time between the stop signal and the kill; absent: Docker waits 10 s.
    pub stop_grace_period: Option<Spanned<Duration>>,
    /// The signal that asks the container to end, as written; absent: the image's.
    pub stop_signal: Option<Spanned<String>>,
    /// Name of the container: on a network it is a second name of the service. `[a-zA-Z0-9][a-zA-Z0-9_.-]+`,
    /// unique in the project.
    pub container_name: Option<Spanned<String>>,
    /// Host name inside the container, as written.
    pub hostname: Option<Spanned<String>>,
    /// Domain name inside the container, as written.
    pub domainname: Option<Spanned<String>>,
    /// `extra_hosts`: name and address, as written, in order. The address may be `host-gateway`.
    pub extra_hosts: Vec<Spanned<(String, String)>>,
    /// Name servers, as written.
    pub dns: Vec<Spanned<String>>,
    /// Search domains.
    pub dns_search: Vec<Spanned<String>>,
    /// Options of the resolver, as written.
    pub dns_opt: Vec<Spanned<String>>,
    /// Whether an init process runs as process 1.
    pub init: Option<Spanned<bool>>,
    /// Whether the root file system is read-only.
    pub read_only: Option<Spanned<bool>>,
    /// Whether the container has every right of the host's root.
    pub privileged: Option<Spanned<bool>>,
    /// Kernel capabilities added, as written, without repetition.
    pub cap_add: Vec<Spanned<String>>,
    /// Kernel capabilities dropped, as written, without repetition.
    pub cap_drop: Vec<Spanned<String>>,
    /// `security_opt`, in the order of the file.
    pub security_opt: Vec<SecurityOption>,
    /// Kernel parameters.
    pub sysctls: BTreeMap<String, Spanned<String>>,
    /// Size of `/dev/shm` in bytes; absent: 64 MiB.
    pub shm_size: Option<Spanned<u64>>,
    /// `storage_opt`, as written.
    pub storage_opt: BTreeMap<String, Spanned<String>>,
    /// `network_mode`; excludes `networks`.
    pub network_mode: Option<Spanned<NetworkMode>>,
    /// `pid`.
    pub pid: Option<Spanned<SharedNamespace>>,
    /// `ipc`.
    pub ipc: Option<Spanned<SharedNamespace>>,
    /// `uts`, as written: `host` or empty.
    pub uts: Option<Spanned<String>>,
    /// `userns_mode`, as written.
    pub userns_mode: Option<Spanned<String>>,
    /// `cgroup`, as written: `host` or `private`.
    pub cgroup: Option<Spanned<String>>,
    /// Platform `os[/arch[/variant]]`, as written.
    pub platform: Option<Spanned<String>>,
    /// `runtime`, as written.
    pub runtime: Option<Spanned<String>>,
    /// When the image is pulled; absent: when it is missing.
    pub pull_policy: Option<Spanned<PullPolicy>>,
    /// Whether a terminal is allocated.
    pub tty: Option<Spanned<bool>>,
    /// Whether standard input stays open.
    pub stdin_open: Option<Spanned<bool>>,
    /// Networks joined, by key of [`super::Project::networks`]; empty only with `network_mode`.
    pub networks: BTreeMap<String, NetworkAttachment>,
    /// Profiles that enable the service; empty: always enabled.
    pub profiles: Vec<Spanned<String>>,
    /// `pre_start`, in order.
    pub pre_start: Vec<PreStart>,
    /// `post_start`, in order.
    pub post_start: Vec<Hook>,
    /// `pre_stop`, in order.
    pub pre_stop: Vec<Hook>,
    /// `x-kompox` of the service.
    pub extension: ServiceExtension,
}

/// `x-kompox` of a service: what Compose has no word for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceExtension {
    /// `livenessProbe: fromHealthcheck`: the health check restarts the container too. Docker never does that.
    pub liveness_from_healthcheck: Option<Spanned<bool>>,
    /// `resources.requests`: Kubernetes resource name to quantity, as written.
    pub requests: BTreeMap<String, Spanned<String>>,
    /// `resources.limits`: Kubernetes resource name to quantity, as written.
    pub limits: BTreeMap<String, Spanned<String>>,
    /// `models`: for each model of the service, the URL under which it is served.
    pub models: BTreeMap<String, Spanned<String>>,
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
    /// `build`: never pulled.
    Build,
    /// `daily`, `weekly`, `every_<duration>`, `refresh`: pulled again after a time.
    Refresh,
}
