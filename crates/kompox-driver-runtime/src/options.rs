//! What an administrator may set: limits, egress grants, where compiled components are kept.
//!
//! Values only; what they mean is decided by the modules that read them.

use crate::{
    auth::{WorkloadIdentity, WorkloadIdentityGrant},
    observer::{NoObserver, Observer},
    trust::TrustBundle,
};
use ipnet::IpNet;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// The wall clock used for signatures. A function, so that signatures can be tested.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Settings of a [`Runtime`](crate::Runtime).
#[derive(Clone)]
pub struct RuntimeOptions {
    /// Where compiled components are kept between starts.
    pub cache: ComponentCache,
    /// Bounds on components, calls and requests.
    pub limits: Limits,
    /// What single drivers may reach beyond public https endpoints, by driver name.
    pub grants: BTreeMap<String, EgressGrant>,
    /// Told of every finished call and request.
    pub observer: Arc<dyn Observer>,
    /// The clock of signatures; the system's by default.
    pub clock: Clock,
    /// The operator's own identities; a driver needs a grant to act with them.
    pub workload_identity: WorkloadIdentity,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            cache: ComponentCache::default(),
            limits: Limits::default(),
            grants: BTreeMap::new(),
            observer: Arc::new(NoObserver),
            clock: Arc::new(SystemTime::now),
            workload_identity: WorkloadIdentity::default(),
        }
    }
}

/// Where compiled components are kept. The entries are native code: the directory is made with mode
/// 0700 and must not be writable by anybody else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ComponentCache {
    /// `$XDG_CACHE_HOME/kompox/components`, else `$HOME/.cache/kompox/components`, else none.
    #[default]
    UserDefault,
    /// This directory; relative paths are taken from the working directory.
    Directory(PathBuf),
    /// Compile at every start.
    Disabled,
}

/// Bounds. Each has a default that the built-in drivers stay far below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest component, in bytes, checked before anything parses it. 32 MiB.
    pub component_bytes: usize,
    /// Linear memory of one call, in bytes; [`CallBounds`] may say otherwise for a driver. 64 MiB.
    pub memory_bytes: usize,
    /// Calls that run at once, over all drivers; more wait within their own timeout. 64.
    pub concurrent_calls: u32,
    /// Calls of one driver that run at once; more wait within their own timeout. 32.
    pub concurrent_calls_per_driver: u32,
    /// Requests that one call may send; [`CallBounds`] may say otherwise for a driver. 64.
    pub requests_per_call: u32,
    /// Longest request body, in bytes; it is held in memory to be signed. 1 MiB.
    pub request_body_bytes: usize,
    /// Longest response body, in bytes. 16 MiB.
    pub response_body_bytes: usize,
    /// Name resolution, TCP and TLS together. 10 s.
    pub connect_timeout: Duration,
    /// From the request to the response's head, and between two parts of its body. 30 s.
    pub first_byte_timeout: Duration,
    /// How long `describe` may take when a driver is loaded. 5 s.
    pub describe_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            component_bytes: 32 << 20,
            memory_bytes: 64 << 20,
            concurrent_calls: 64,
            concurrent_calls_per_driver: 32,
            requests_per_call: 64,
            request_body_bytes: 1 << 20,
            response_body_bytes: 16 << 20,
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(30),
            describe_timeout: Duration::from_secs(5),
        }
    }
}

/// What a driver may reach beyond public addresses over https, and what it may do with credentials.
///
/// A grant opens nothing that the driver does not declare: it only lifts the refusals named here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EgressGrant {
    /// Which of the endpoints that the driver declares may be used.
    pub scope: EgressScope,
    /// Whether endpoints may be plain http.
    pub plain_http: PlainHttp,
    /// Networks that may be reached although they are private or loopback, and whose addresses may
    /// be written as such in a URL. Link-local and metadata addresses stay refused.
    pub networks: Vec<IpNet>,
    /// Origins (`https://host` or `https://host:port`) that an endpoint taken whole from the
    /// configuration may have. Without it, only addresses in `networks` are possible there.
    pub origins: Vec<String>,
    /// Whose certificates are believed besides those of public authorities.
    pub trust_bundle: TrustBundle,
    /// Keys of the credentials Secret whose values the component may see.
    pub reveal_secret_keys: BTreeSet<String>,
    /// Bounds of its calls.
    pub bounds: CallBounds,
    /// Whether its profiles may act with the operator's own identity in calls without credentials.
    pub workload_identity: WorkloadIdentityGrant,
}

/// What one driver's calls may use, where the administrator says so; the rest is as in [`Limits`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallBounds {
    /// Linear memory of one call, in bytes; [`CallBounds::MEMORY_BYTES`] at most.
    pub memory_bytes: Option<usize>,
    /// Requests that one call may send.
    pub requests: Option<u32>,
}

impl CallBounds {
    /// What a call can be given at most, in bytes: 1 GiB.
    pub const MEMORY_BYTES: usize = 1 << 30;

    /// Bytes of linear memory.
    pub(crate) fn memory_bytes(&self, limits: &Limits) -> usize {
        self.memory_bytes.unwrap_or(limits.memory_bytes).min(Self::MEMORY_BYTES)
    }

    /// Requests of a call.
    pub(crate) fn requests(&self, limits: &Limits) -> u32 {
        self.requests.unwrap_or(limits.requests_per_call)
    }
}

/// Which of its declared endpoints a driver may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EgressScope {
    /// All of them.
    #[default]
    Declared,
    /// None: the driver has no network.
    Closed,
    /// Those on these hosts; the first label may be `*`, which stands for exactly one label.
    Hosts(Vec<String>),
}

/// Whether plain http is possible at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    /// Never: https only.
    #[default]
    Denied,
    /// To addresses inside the granted networks, never across the public internet.
    InGrantedNetworks,
}
