//! What all drivers share: the engine, the linker, the options, the sessions and two queues.

use crate::{
    bindings::kompox::driver as wit,
    engine,
    error::RuntimeError,
    http,
    options::{Limits, RuntimeOptions},
    session::Sessions,
    state::CallState,
};
use rustls::ClientConfig;
use std::sync::Arc;
use tokio::sync::Semaphore;
use wasmtime::{
    Engine,
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
    pub(crate) linker: Linker<CallState>,
    pub(crate) tls: ClientConfig,
    pub(crate) options: Arc<RuntimeOptions>,
    pub(crate) sessions: Arc<Sessions>,
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
        let engine = engine::build(&options.cache, &options.limits)?;
        let linker = linker(&engine).map_err(|error| RuntimeError::Linker(engine::chain(&error)))?;
        let calls = usize::try_from(options.limits.concurrent_calls).unwrap_or(Semaphore::MAX_PERMITS);
        let shared = Shared {
            engine,
            linker,
            tls: http::tls(&options.extra_roots)?,
            sessions: Arc::default(),
            compiler: Semaphore::new(1),
            calls: Semaphore::new(calls.min(Semaphore::MAX_PERMITS)),
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
