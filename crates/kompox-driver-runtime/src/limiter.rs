//! How fast requests may follow each other, and how many may be open: what drivers declare for their
//! endpoints, kept per account, so that drivers and objects which use one account share its limits. An
//! answer that asks for patience closes the account for that time.
//!
//! Waiting is first come, first served and bounded by the caller's deadline: a turn that would come too
//! late is refused at once. Counts nothing but time; what may be sent at all is decided by `egress`.

mod gate;
mod patience;

pub(crate) use gate::{Gate, Late, Pass};
pub(crate) use patience::{asked_for, retry_after};

use kompox_core::driver::Endpoint;
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Accounts that are remembered; the one used longest ago makes room.
const ACCOUNTS: usize = 1024;

/// What a driver declares for an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quota {
    /// Time between two requests in the long run; none: no limit is declared.
    interval: Option<Duration>,
    /// How far requests may come before their time: one less than the burst, in intervals.
    ahead: Duration,
    /// Requests that may be open at once.
    concurrent: Option<u32>,
}

impl Quota {
    /// The limits of an endpoint, which were checked when its driver was loaded.
    pub(crate) fn of(endpoint: &Endpoint) -> Self {
        let interval = endpoint.rate_per_minute.and_then(|rate| Duration::from_secs(60).checked_div(rate));
        let ahead = endpoint.burst.unwrap_or(1).saturating_sub(1);
        Self {
            interval,
            ahead: interval.unwrap_or_default().saturating_mul(ahead),
            concurrent: endpoint.concurrent,
        }
    }
}

/// An endpoint as one account sees it: a hash, so that nothing of a credential is kept as a key. The
/// driver is no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Account([u8; 32]);

impl Account {
    /// The account of the credentials with this fingerprint at `endpoint`, a filled URL prefix.
    pub(crate) fn new(fingerprint: &str, endpoint: &str) -> Self {
        Self(Sha256::new().chain_update(fingerprint).chain_update(endpoint).finalize().into())
    }
}

/// The accounts of all drivers of a runtime.
#[derive(Default)]
pub(crate) struct Limiter(Mutex<BTreeMap<Account, Known>>);

struct Known {
    gate: Arc<Gate>,
    used: Instant,
}

impl Limiter {
    /// The gate of an account; open for one that is not known.
    pub(crate) fn gate(&self, account: Account) -> Arc<Gate> {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !accounts.contains_key(&account) && accounts.len() >= ACCOUNTS {
            let oldest = accounts.iter().min_by_key(|(_, known)| known.used).map(|(account, _)| *account);
            oldest.and_then(|account| accounts.remove(&account));
        }
        let now = Instant::now();
        let known = accounts.entry(account).or_insert_with(|| Known { gate: Arc::default(), used: now });
        known.used = now;
        Arc::clone(&known.gate)
    }
}

#[cfg(test)]
mod tests;
