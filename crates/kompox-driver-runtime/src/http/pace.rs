//! How the requests of one call keep to the limits of the accounts they use.

use crate::{
    egress::Endpoint,
    limiter::{Account, Gate, Late, Limiter, Pass, Quota},
};
use kompox_core::driver::{DriverError, Effect, ErrorCode};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// A driver that names a longer time means a single object, such as the cool-down of a volume. What the
/// provider itself says with `Retry-After` is followed for longer.
const LONGEST_BY_DRIVER: Duration = Duration::from_secs(10);
/// For a driver that does not say when.
const UNSAID: Duration = Duration::from_secs(1);

/// The pace of one call.
pub(crate) struct Pace {
    limiter: Arc<Limiter>,
    /// Of the credentials: whose limits count.
    fingerprint: String,
    deadline: Instant,
    /// One request of a call waits at a time: among calls it is first come, first served.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    /// Whether anything was sent.
    sent: AtomicBool,
}

#[derive(Default)]
struct State {
    passed: Vec<(Arc<Gate>, Quota)>,
    /// The first request that would have had to wait too long, and where to.
    late: Option<(String, Late)>,
}

impl Pace {
    /// The pace of a call with the credentials of this fingerprint, which ends at `deadline`.
    pub(crate) fn new(limiter: Arc<Limiter>, fingerprint: String, deadline: Instant) -> Self {
        Self {
            limiter,
            fingerprint,
            deadline,
            turn: tokio::sync::Mutex::default(),
            state: Mutex::default(),
            sent: AtomicBool::new(false),
        }
    }

    /// The account of this call at `endpoint`.
    pub(super) fn gate(&self, endpoint: &Endpoint) -> Arc<Gate> {
        self.limiter.gate(Account::new(&self.fingerprint, &endpoint.url()))
    }

    /// Waits until the account may send another request.
    pub(super) async fn wait(&self, gate: &Arc<Gate>, endpoint: &Endpoint) -> Result<Pass, Late> {
        let _turn = self.turn.lock().await;
        let passed = gate.pass(endpoint.quota, self.deadline).await;
        let mut state = self.state();
        match &passed {
            Ok(_) if state.passed.iter().any(|(other, _)| Arc::ptr_eq(other, gate)) => {}
            Ok(_) => state.passed.push((Arc::clone(gate), endpoint.quota)),
            Err(late) => {
                state.late.get_or_insert_with(|| (endpoint.declared.clone(), *late));
            }
        }
        passed
    }

    /// A request leaves.
    pub(super) fn sends(&self) {
        self.sent.store(true, Ordering::Relaxed);
    }

    /// What is told instead of the driver's error when a request would have had to wait too long. If
    /// nothing was sent before it, nothing was changed; else the driver's word on the effect counts.
    pub(crate) fn late(&self, effect: Effect) -> Option<DriverError> {
        let state = self.state();
        let (endpoint, Late { after }) = state.late.as_ref()?;
        let effect = if self.sent.load(Ordering::Relaxed) { effect } else { Effect::None };
        let message = format!(
            "no request to `{endpoint}` may be sent for this account before {} ms have passed, and the call ends \
             earlier",
            after.as_millis()
        );
        let mut error = DriverError::new(ErrorCode::Throttled, effect, "RateLimited", message);
        error.retry_after = Some(*after);
        Some(error)
    }

    /// The driver says that the provider wants fewer requests: nobody sends one to where this call did,
    /// for the time it names.
    pub(crate) fn throttled(&self, retry_after: Option<Duration>) {
        let pause = retry_after.unwrap_or(UNSAID);
        if pause > LONGEST_BY_DRIVER {
            return;
        }
        let until = Instant::now() + pause;
        for (gate, quota) in &self.state().passed {
            gate.close(*quota, until);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
