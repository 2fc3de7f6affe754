//! One account at one endpoint: a leaky bucket (GCRA, ITU-T I.371), the number of open requests, and the
//! time until which it is closed. Every request that passes holds a reservation of its own, so that none
//! is overtaken.

use super::Quota;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until, timeout_at},
};

/// When to come again if all requests that may be open are open until the deadline.
const BUSY: Duration = Duration::from_secs(1);

/// What the requests of one account share.
pub(crate) struct Gate {
    state: Mutex<State>,
    open: Arc<Semaphore>,
}

#[derive(Default)]
struct State {
    /// When the bucket will be empty again; none: it is.
    next: Option<Instant>,
    closed_until: Option<Instant>,
    /// How often it was closed: a reservation from before does not count.
    closings: u64,
    /// Permits that the semaphore has in all.
    permits: u32,
}

/// A request may be sent; dropped when its answer was read.
#[derive(Debug)]
pub(crate) struct Pass {
    _open: Option<OwnedSemaphorePermit>,
}

/// The turn would come after the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Late {
    /// When it would come, from now.
    pub(crate) after: Duration,
}

impl Default for Gate {
    fn default() -> Self {
        Self { state: Mutex::default(), open: Arc::new(Semaphore::new(0)) }
    }
}

impl Gate {
    /// Waits until a request may be sent.
    ///
    /// # Errors
    /// It could not be before `deadline`; nothing was waited for then, except for a request that is open.
    pub(crate) async fn pass(&self, quota: Quota, deadline: Instant) -> Result<Pass, Late> {
        loop {
            let (turn, closings) = self.reserve(quota, deadline)?;
            // A timer takes a millisecond even if it is due.
            if turn > Instant::now() {
                sleep_until(turn).await;
            }
            let open = self.enter(quota, deadline).await?;
            if self.state().closings == closings {
                return Ok(Pass { _open: open });
            }
        }
    }

    /// Lets nobody pass before `until`, and nobody in a burst then.
    pub(crate) fn close(&self, quota: Quota, until: Instant) {
        let mut state = self.state();
        state.closings = state.closings.wrapping_add(1);
        state.closed_until = state.closed_until.max(Some(until));
        state.next = state.next.max(until.checked_add(quota.ahead));
    }

    fn reserve(&self, quota: Quota, deadline: Instant) -> Result<(Instant, u64), Late> {
        let now = Instant::now();
        let mut state = self.state();
        let next = state.next.unwrap_or(now).max(now);
        let earliest = state.closed_until.unwrap_or(now).max(now);
        let turn = match quota.interval {
            Some(_) => next.checked_sub(quota.ahead).unwrap_or(now).max(earliest),
            None => earliest,
        };
        if turn > deadline {
            return Err(Late { after: turn.saturating_duration_since(now) });
        }
        if let Some(interval) = quota.interval {
            state.next = next.max(turn).checked_add(interval);
        }
        Ok((turn, state.closings))
    }

    async fn enter(&self, quota: Quota, deadline: Instant) -> Result<Option<OwnedSemaphorePermit>, Late> {
        let Some(concurrent) = quota.concurrent else { return Ok(None) };
        self.resize(concurrent);
        match timeout_at(deadline, Arc::clone(&self.open).acquire_owned()).await {
            Ok(permit) => Ok(permit.ok()),
            Err(_) => Err(Late { after: BUSY }),
        }
    }

    /// The last declaration holds: a driver that was replaced may have had another. Fewer permits come
    /// into effect as requests end.
    fn resize(&self, wanted: u32) {
        let mut state = self.state();
        let count = |permits: u32| usize::try_from(permits).unwrap_or(Semaphore::MAX_PERMITS);
        if wanted > state.permits {
            self.open.add_permits(count(wanted - state.permits));
            state.permits = wanted;
        } else if wanted < state.permits {
            let forgotten = self.open.forget_permits(count(state.permits - wanted));
            state.permits -= u32::try_from(forgotten).unwrap_or(0);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
