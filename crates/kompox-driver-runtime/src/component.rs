//! A loaded driver: every call gets a fresh instance, a deadline and a bounded answer.
//!
//! The functions of the port are in `component/port.rs`; what all of them share is here.

mod guest;
mod port;

pub(crate) use guest::{Exports, Guest};

use crate::{
    auth::{self, SecretAccess, Signers, Vault, WorkloadIdentity, WorkloadIdentityGrant},
    bindings::kompox::driver::types as wit,
    convert::{Malformed, Read, Reader},
    egress::{Endpoints, Policy},
    engine::chain,
    http::{Client, Exchange, Pace},
    observer::{CallFinished, Stopped},
    operation::{Kind, Operation},
    options::EgressGrant,
    runtime::Shared,
    session::Scope,
    state::{self, CallState, Setup},
    stdio::GuestOutput,
};
use kompox_core::driver::{
    BoxFuture, Call, Credentials, Descriptor, DriverError, DriverResult, Effect, ErrorCode, Provider,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::{Instrument as _, Span};
use wasmtime::component::InstancePre;

/// A component that was checked and compiled, ready to be called.
pub struct LoadedDriver {
    pub(crate) shared: Arc<Shared>,
    pub(crate) name: Arc<str>,
    pub(crate) descriptor: Descriptor,
    pub(crate) digest: String,
    pub(crate) restricted_imports: Vec<String>,
    pub(crate) imports: Vec<String>,
    pub(crate) exported: Vec<String>,
    pub(crate) grant: EgressGrant,
    pub(crate) client: Arc<Client>,
    /// As many permits as calls of it may run at once.
    pub(crate) calls: Arc<Semaphore>,
    pub(crate) exports: Arc<Exports>,
    pub(crate) pre: InstancePre<CallState>,
}

/// What is watched of a call.
struct Watch {
    started: Instant,
    span: Span,
    peak: Arc<AtomicUsize>,
}

/// A call that failed, and whether it was the host that ended it.
struct End {
    stopped: Option<Stopped>,
    error: DriverError,
}

impl From<DriverError> for End {
    fn from(error: DriverError) -> Self {
        Self { stopped: None, error }
    }
}

impl Stopped {
    fn with(self, error: DriverError) -> End {
        End { stopped: Some(self), error }
    }
}

/// What a function that can fail gives back.
type Answer<W> = wasmtime::Result<Result<W, wit::Error>>;

impl LoadedDriver {
    /// What the component imports and never gets anything from (files, sockets, environment): it may
    /// link against them, as guests of some languages always do.
    #[must_use]
    pub fn restricted_imports(&self) -> &[String] {
        &self.restricted_imports
    }

    /// Every interface the component imports, with its version, sorted: what it could ask of the host.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Every interface the component exports, with its version, sorted: what the host can call.
    #[must_use]
    pub fn exported(&self) -> &[String] {
        &self.exported
    }

    /// The same component with another grant. Nothing is compiled again; connections are its own.
    #[must_use]
    pub fn granted(&self, grant: EgressGrant) -> Arc<Self> {
        let client = Arc::new(Client::new(&self.shared.trust, &grant, &self.shared.options.limits));
        Arc::new(Self {
            shared: Arc::clone(&self.shared),
            name: Arc::clone(&self.name),
            descriptor: self.descriptor.clone(),
            digest: self.digest.clone(),
            restricted_imports: self.restricted_imports.clone(),
            imports: self.imports.clone(),
            exported: self.exported.clone(),
            grant,
            client,
            calls: Arc::clone(&self.calls),
            exports: Arc::clone(&self.exports),
            pre: self.pre.clone(),
        })
    }

    /// What it may reach.
    #[must_use]
    pub fn grant(&self) -> &EgressGrant {
        &self.grant
    }

    /// Runs one function in a fresh instance and reads its answer.
    pub(crate) async fn serve<W, T>(
        &self,
        call: &Call,
        operation: Operation,
        invoke: impl for<'s> FnOnce(Guest<'s>) -> BoxFuture<'s, Answer<W>> + Send,
        read: impl FnOnce(&Reader, W) -> Read<T> + Send,
    ) -> DriverResult<T> {
        let started = Instant::now();
        let peak = Arc::new(AtomicUsize::new(0));
        let span = tracing::info_span!(
            "driver_call",
            driver = %self.name,
            operation = operation.as_str(),
            object = call.subject,
        );
        let watch = Watch { started, span: span.clone(), peak: Arc::clone(&peak) };
        let ended = self.run(call, operation, watch, invoke, read).instrument(span.clone()).await;
        let (stopped, result) = match ended {
            Ok(value) => (None, Ok(value)),
            Err(End { stopped, error }) => (stopped, Err(error)),
        };
        let code = result.as_ref().map_or_else(|error| error.code.as_str(), |_| "ok");
        let duration = started.elapsed();
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        span.in_scope(|| tracing::debug!(code, microseconds, "driver call"));
        self.shared.options.observer.call_finished(&CallFinished {
            driver: &self.name,
            operation: operation.as_str(),
            code,
            duration,
            stopped,
            memory_peak_bytes: peak.load(Ordering::Relaxed),
        });
        result
    }

    async fn run<W, T>(
        &self,
        call: &Call,
        operation: Operation,
        watch: Watch,
        invoke: impl for<'s> FnOnce(Guest<'s>) -> BoxFuture<'s, Answer<W>> + Send,
        read: impl FnOnce(&Reader, W) -> Read<T> + Send,
    ) -> Result<T, End> {
        let setup = self.set_up(call, operation, watch)?;
        let _permits = self.permits(setup.deadline).await?;
        let left = setup.deadline.saturating_duration_since(Instant::now());
        let answer = tokio::time::timeout(left, self.instantiate_and_call(&setup, invoke)).await;
        setup.stdout.finish();
        setup.stderr.finish();
        let reader = Reader(Arc::clone(&setup.redactor));
        let answer = match answer {
            Err(_) => {
                return Err(Stopped::Deadline.with(deadline_exceeded(operation, call.timeout)));
            }
            Ok(Err(trap)) => return Err(Stopped::Trap.with(trapped(operation, &reader, &setup, &trap))),
            Ok(Ok(answer)) => answer,
        };
        match answer {
            Ok(value) => Ok(read(&reader, value).map_err(|malformed| invalid_answer(operation, malformed))?),
            Err(error) => Err(refused(operation, reader.error(error), &setup).into()),
        }
    }

    /// A place among the calls of this driver, and one among those of all.
    async fn permits(&self, deadline: Instant) -> Result<[SemaphorePermit<'_>; 2], End> {
        let busy = |message: &str| {
            Stopped::Busy.with(DriverError::new(ErrorCode::Unavailable, Effect::None, "RuntimeBusy", message))
        };
        let deadline = tokio::time::Instant::from_std(deadline);
        let place = async |places| tokio::time::timeout_at(deadline, Semaphore::acquire(places)).await;
        let Ok(Ok(own)) = place(&self.calls).await else {
            return Err(busy("too many calls of this driver were running until the call had to end"));
        };
        let Ok(Ok(of_all)) = place(&self.shared.calls).await else {
            return Err(busy("no driver instance became free in time; raise the limit of concurrent calls"));
        };
        Ok([own, of_all])
    }

    async fn instantiate_and_call<W>(
        &self,
        setup: &Setup,
        invoke: impl for<'s> FnOnce(Guest<'s>) -> BoxFuture<'s, Answer<W>> + Send,
    ) -> Answer<W> {
        let mut store = state::store(&self.shared.engine, setup);
        let instance = self.pre.instantiate_async(&mut store).await?;
        invoke(Guest::new(&mut store, instance, &self.exports)).await
    }

    fn set_up(&self, call: &Call, operation: Operation, watch: Watch) -> DriverResult<Setup> {
        let redactor = Arc::new(auth::redactor(self.descriptor.provider(&call.provider_type), call)?);
        let deadline = watch.started + call.timeout;
        let (policy, signers, vault) = match operation.kind() {
            Kind::Pure => {
                let vault = Vault::new(Credentials::default(), SecretAccess::default());
                (Policy::Closed("this function may not use the network"), Signers::new(), vault)
            }
            Kind::ReadOnly | Kind::Mutating => {
                let provider = self.provider(call)?;
                let endpoints = Endpoints::resolve(provider, &call.config, &self.grant);
                let signers = auth::signers(&self.digest, provider, call, self.identity())?;
                let vault = Vault::new(call.credentials.clone(), self.secret_access(provider));
                (Policy::Open(endpoints), signers, vault)
            }
        };
        let exchange = Exchange {
            driver: Arc::clone(&self.name),
            operation: operation.as_str(),
            subject: call.subject.clone(),
            span: watch.span,
            pace: Pace::new(
                Arc::clone(&self.shared.limiter),
                call.credentials.fingerprint(&call.cluster.uid),
                tokio::time::Instant::from_std(deadline),
            ),
            policy,
            signers,
            client: Arc::clone(&self.client),
            host: Arc::clone(&self.shared.host),
            tokens: Arc::clone(&self.shared.tokens),
            redactor: Arc::clone(&redactor),
            options: Arc::clone(&self.shared.options),
            requests: AtomicU32::new(0),
            allowed_requests: self.grant.bounds.requests(&self.shared.options.limits),
            refusal: Mutex::new(None),
            failure: Mutex::new(None),
        };
        Ok(Setup {
            context: state::context(call),
            deadline,
            exchange: Arc::new(exchange),
            stdout: GuestOutput::new("stdout", Arc::clone(&redactor)),
            stderr: GuestOutput::new("stderr", Arc::clone(&redactor)),
            scope: Scope::of(&self.digest, call),
            sessions: Arc::clone(&self.shared.sessions),
            vault,
            memory_bytes: self.grant.bounds.memory_bytes(&self.shared.options.limits),
            memory_peak: watch.peak,
            redactor,
        })
    }

    /// Signing is for the entries that the driver says it needs; seeing one needs the grant.
    fn secret_access(&self, provider: &Provider) -> SecretAccess {
        SecretAccess {
            reveal: self.grant.reveal_secret_keys.clone(),
            sign: provider.credentials.iter().map(|credential| credential.key.clone()).collect(),
        }
    }

    /// The operator's own identity, if this driver may use it.
    fn identity(&self) -> Option<&WorkloadIdentity> {
        match self.grant.workload_identity {
            WorkloadIdentityGrant::Granted => Some(&self.shared.options.workload_identity),
            WorkloadIdentityGrant::Denied => None,
        }
    }

    fn provider(&self, call: &Call) -> DriverResult<&Provider> {
        self.descriptor.provider(&call.provider_type).ok_or_else(|| {
            let message =
                format!("driver `{}` does not serve provider type `{}`", self.name, call.provider_type);
            DriverError::new(ErrorCode::InvalidArgument, Effect::None, "ProviderTypeUnknown", message)
        })
    }
}

/// A driver's own error. Nobody changes anything by reading, whatever the driver says; and what the
/// host refused is worth more to a reader than what the driver made of it.
fn refused(operation: Operation, mut error: DriverError, setup: &Setup) -> DriverError {
    if operation.kind() != Kind::Mutating {
        error.effect = Effect::None;
    }
    let reader = Reader(Arc::clone(&setup.redactor));
    if let Some(failure) = setup.exchange.failure() {
        let message = reader.message(&failure.message);
        return DriverError { message, details: error.details, ..failure.to_error(error.effect) };
    }
    if let Some(late) = setup.exchange.pace.late(error.effect) {
        return DriverError { details: error.details, ..late };
    }
    if error.code == ErrorCode::Throttled {
        setup.exchange.pace.throttled(error.retry_after);
    }
    if let Some(refusal) = setup.exchange.refusal() {
        error.message = reader.message(&format!("{refusal}; the driver says: {}", error.message));
    }
    error
}

fn deadline_exceeded(operation: Operation, timeout: Duration) -> DriverError {
    let message =
        format!("{} did not finish within {} ms and was stopped", operation.as_str(), timeout.as_millis());
    let effect = operation.worst_effect();
    DriverError::new(ErrorCode::DeadlineExceeded, effect, "DriverDeadlineExceeded", message)
}

fn invalid_answer(operation: Operation, malformed: Malformed) -> DriverError {
    let Malformed(what) = malformed;
    let message = format!("the answer of {} was not accepted: {what}", operation.as_str());
    DriverError::new(ErrorCode::Internal, operation.worst_effect(), "DriverAnswerInvalid", message)
}

/// The end of stderr explains a panic; without it the trap itself must do.
fn trapped(operation: Operation, reader: &Reader, setup: &Setup, trap: &wasmtime::Error) -> DriverError {
    tracing::warn!(trap = reader.message(&chain(trap)), "driver trapped");
    let said = setup.stderr.tail();
    let said = if said.is_empty() { trap.root_cause().to_string() } else { said };
    let message = reader.message(&format!("{} was stopped by a trap: {said}", operation.as_str()));
    DriverError::new(ErrorCode::Internal, operation.worst_effect(), "DriverTrapped", message)
}
