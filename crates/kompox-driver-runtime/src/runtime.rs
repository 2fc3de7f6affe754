//! What all drivers share: the engine, the linker, the options, the sessions and two queues.

use crate::{
    auth::Tokens,
    bindings::kompox::driver as wit,
    engine,
    error::RuntimeError,
    http::Client,
    limiter::Limiter,
    options::{EgressGrant, Limits, RuntimeOptions},
    session::Sessions,
    state::CallState,
    trust::Trust,
};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::{
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
};
use tokio::sync::Semaphore;
use wasmtime::{
    Cache, Engine,
    component::{HasSelf, Linker},
};

/// Loads drivers and serves their calls. Cheap to clone. Needs a tokio runtime with time and IO.
#[derive(Clone)]
pub struct Runtime {
    pub(crate) shared: Arc<Shared>,
}

/// The parts of a [`Runtime`] that its drivers hold on to.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    /// Of compiled components.
    pub(crate) cache: Option<Cache>,
    pub(crate) linker: Linker<CallState>,
    pub(crate) trust: Trust,
    pub(crate) options: Arc<RuntimeOptions>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) limiter: Arc<Limiter>,
    /// The host's own connections to token endpoints: public and private addresses over https, and
    /// the fixed addresses of platforms' credential servers.
    pub(crate) host: Arc<Client>,
    /// One permit: components are compiled one after the other.
    pub(crate) compiler: Semaphore,
    /// As many permits as instances fit the pool.
    pub(crate) calls: Semaphore,
}

impl Runtime {
    /// A runtime with `options`.
    ///
    /// # Errors
    /// The cache directory, TLS or the engine cannot be prepared; the message says what to change.
    pub fn new(options: RuntimeOptions) -> Result<Self, RuntimeError> {
        let (engine, cache) = engine::build(&options.cache, &options.limits)?;
        let linker = linker(&engine).map_err(|error| RuntimeError::Linker(engine::chain(&error)))?;
        let calls = permits(options.limits.concurrent_calls);
        let trust = Trust::new()?;
        let shared = Shared {
            engine,
            cache,
            linker,
            host: Arc::new(Client::new(&trust, &host_grant(), &options.limits)),
            trust,
            sessions: Arc::default(),
            tokens: Arc::default(),
            limiter: Arc::default(),
            compiler: Semaphore::new(1),
            calls: Semaphore::new(calls),
            options: Arc::new(options),
        };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl Runtime {
    /// The bounds of this runtime.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.options.limits
    }
}

/// As many permits as a semaphore can have at most.
pub(crate) fn permits(count: u32) -> usize {
    usize::try_from(count).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS)
}

/// Where the host itself looks for token endpoints that this operator or its administrator named: in a
/// network with endpoints of its own (AWS PrivateLink, Private Service Connect) their names have private
/// addresses. No guest and no tenant chooses such a name.
fn host_grant() -> EgressGrant {
    let v4 = |a, b, prefix| IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), prefix));
    let unique_local = Ipv6Net::new_assert(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7);
    EgressGrant {
        networks: vec![
            v4(10, 0, 8),
            v4(172, 16, 12),
            v4(192, 168, 16),
            v4(100, 64, 10),
            IpNet::V6(unique_local),
        ],
        ..EgressGrant::default()
    }
}

/// All of WASI 0.2, since guests of some languages import it whole; what they get of it is decided by
/// the empty context of each call.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<CallState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wit::types::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    wit::call::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    wit::log::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    wit::credentials::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    wit::session::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    Ok(linker)
}
