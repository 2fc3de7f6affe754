//! What one call's store holds, and the host's side of the interfaces a driver imports.

use crate::{
    auth::{Refusal, Vault},
    bindings::kompox::driver as wit,
    bounds::Bounds,
    convert::single_line,
    http::{Exchange, Hooks},
    redact::{Redactor, prefix},
    session::{Scope, Sessions},
    stdio::GuestOutput,
};
use kompox_core::driver::Call;
use secrecy::ExposeSecret as _;
use std::{
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};
use wasmtime::{Engine, Store, UpdateDeadline, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// Ticks of the epoch for which a guest has a processor whenever it wants one: a hundred milliseconds. Those
/// of the first party need less than one tick.
const FULL_SPEED: u32 = 20;
/// Then it rests so long after every tick.
const REST: Duration = Duration::from_millis(45);
/// Handles of one call: streams, requests, responses.
const HANDLES: usize = 1_000;
/// Bytes that one host call or answer may copy out of the guest.
const COPIED_BYTES: usize = 16 << 20;
/// Bytes of one set of HTTP headers, as wasmtime counts them.
const HEADER_BYTES: usize = 64 << 10;
/// Bytes of one read of random numbers.
const RANDOM_BYTES: u64 = 64 << 10;
/// Log records of one call.
const LOG_RECORDS: u32 = 200;
/// Bytes of a log message with its fields.
const LOG_BYTES: usize = 4 << 10;
/// Longest name of a credential in the audit log, in bytes: that of a key of a Secret.
const KEY_BYTES: usize = 253;
/// Fields of a log record.
const LOG_FIELDS: usize = 32;

/// The parts of a call that the host needs before, during and after the guest runs.
pub(crate) struct Setup {
    pub(crate) context: wit::call::CallContext,
    pub(crate) deadline: Instant,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) stderr: GuestOutput,
    pub(crate) stdout: GuestOutput,
    pub(crate) scope: Scope,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) vault: Vault,
    /// Linear memory the call may have.
    pub(crate) memory_bytes: usize,
    /// The most it had.
    pub(crate) memory_peak: Arc<AtomicUsize>,
}

/// The data of one call's store.
pub(crate) struct CallState {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    hooks: Hooks,
    bounds: Bounds,
    context: wit::call::CallContext,
    deadline: Instant,
    redactor: Arc<Redactor>,
    scope: Scope,
    sessions: Arc<Sessions>,
    vault: Vault,
    records: u32,
    /// Ticks of the epoch in which the guest ran, one for each return from a wait.
    ticks: u32,
}

/// The context as the guest sees it: no secret is in it.
pub(crate) fn context(call: &Call) -> wit::call::CallContext {
    wit::call::CallContext {
        provider_type: call.provider_type.clone(),
        config: serde_json::Value::from_iter(call.config.clone()).to_string(),
        cluster: wit::call::Cluster {
            uid: call.cluster.uid.clone(),
            name: call.cluster.name.clone(),
            region: call.cluster.region.clone(),
        },
        traceparent: None,
        attributes: Vec::new(),
    }
}

/// A fresh store for one call.
pub(crate) fn store(engine: &Engine, setup: &Setup) -> Store<CallState> {
    let mut table = ResourceTable::new();
    table.set_max_capacity(HANDLES);
    let mut http = WasiHttpCtx::new();
    http.set_field_size_limit(HEADER_BYTES);
    let state = CallState {
        // Nothing is given: no files, no environment, no arguments, no network but wasi:http.
        wasi: WasiCtx::builder()
            .stdout(setup.stdout.clone())
            .stderr(setup.stderr.clone())
            .max_random_size(RANDOM_BYTES)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build(),
        http,
        table,
        hooks: Hooks(Arc::clone(&setup.exchange)),
        bounds: Bounds::new(setup.memory_bytes, Arc::clone(&setup.memory_peak)),
        context: setup.context.clone(),
        deadline: setup.deadline,
        redactor: Arc::clone(&setup.redactor),
        scope: setup.scope.clone(),
        sessions: Arc::clone(&setup.sessions),
        vault: setup.vault.clone(),
        records: 0,
        ticks: 0,
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.bounds);
    store.set_hostcall_fuel(COPIED_BYTES);
    // The first deadline must be set too: without it a guest that never returns never yields.
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut context| Ok(context.data_mut().yielding()));
    store
}

impl CallState {
    /// A guest that computes for long is made to rest between ticks: several of them would
    /// otherwise take the processors from those who wait for their clouds.
    fn yielding(&mut self) -> UpdateDeadline {
        self.ticks = self.ticks.saturating_add(1);
        if self.ticks <= FULL_SPEED {
            return UpdateDeadline::Yield(1);
        }
        UpdateDeadline::YieldCustom(1, Box::pin(tokio::time::sleep(REST)))
    }
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for CallState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

impl wit::types::Host for CallState {}

impl wit::call::Host for CallState {
    fn context(&mut self) -> wasmtime::Result<wit::call::CallContext> {
        Ok(self.context.clone())
    }

    fn remaining_ms(&mut self) -> wasmtime::Result<u32> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        Ok(u32::try_from(left.as_millis()).unwrap_or(u32::MAX))
    }
}

impl wit::log::Host for CallState {
    fn log(
        &mut self,
        level: wit::log::Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        self.records = self.records.saturating_add(1);
        if self.records > LOG_RECORDS {
            if self.records == LOG_RECORDS + 1 {
                tracing::warn!("driver logs too much, the rest of this call is dropped");
            }
            return Ok(());
        }
        let fields: String =
            fields.iter().take(LOG_FIELDS).map(|(key, value)| format!(" {key}={value:?}")).collect();
        let text = self.redactor.redact_head(&format!("{message}{fields}"), LOG_BYTES);
        emit(level, prefix(&single_line(&text), LOG_BYTES));
        Ok(())
    }
}

/// A record of a guest, in the span of its call. Its text is a value: it cannot forge fields of the host.
fn emit(level: wit::log::Level, text: &str) {
    match level {
        wit::log::Level::Trace => tracing::trace!("{text}"),
        wit::log::Level::Debug => tracing::debug!("{text}"),
        wit::log::Level::Info => tracing::info!("{text}"),
        wit::log::Level::Warn => tracing::warn!("{text}"),
        wit::log::Level::Error => tracing::error!("{text}"),
    }
}

/// What may be used is decided by the vault; every use is recorded for the audit.
impl wit::credentials::Host for CallState {
    fn reveal(
        &mut self,
        name: String,
    ) -> wasmtime::Result<Result<String, wit::credentials::CredentialError>> {
        let revealed = self.vault.reveal(&name).map(|secret| secret.expose_secret().to_owned());
        self.audit("reveal", &name, revealed.as_ref().err());
        Ok(revealed.map_err(Into::into))
    }

    fn sign(
        &mut self,
        name: String,
        algorithm: String,
        params: Vec<(String, String)>,
        payload: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, wit::credentials::CredentialError>> {
        let signed = self.vault.sign(&name, &algorithm, &params, &payload);
        self.audit("sign", &name, signed.as_ref().err());
        Ok(signed.map_err(Into::into))
    }
}

impl CallState {
    /// One record per use of an entry by the driver itself. The name may be any text of the guest.
    fn audit(&self, action: &'static str, name: &str, refusal: Option<&Refusal>) {
        let key = self.redactor.redact(prefix(&single_line(name), KEY_BYTES));
        let refusal = refusal.map(tracing::field::debug);
        tracing::info!(action, key, refusal, "driver used a credential");
    }
}

impl From<Refusal> for wit::credentials::CredentialError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::NotFound,
            Refusal::NotGranted => Self::NotGranted,
            Refusal::Failed(what) => Self::Failed(what.to_owned()),
        }
    }
}

/// What is kept here is a secret of the driver: it is removed from logs and messages too.
impl wit::session::Host for CallState {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        let value = self.sessions.get(&self.scope, &key, Instant::now());
        if let Some(value) = &value {
            self.redactor.add(value);
        }
        Ok(value)
    }

    fn put(&mut self, key: String, value: String, ttl_ms: u32) -> wasmtime::Result<()> {
        self.redactor.add(&value);
        let ttl = Duration::from_millis(ttl_ms.into());
        self.sessions.put(&self.scope, &key, value, ttl, Instant::now());
        Ok(())
    }
}
