//! When to try again: per object, growing, jittered and bounded.
//!
//! The state is the count of failures in a row for each uid, nothing else. The jitter is a hash of uid
//! and count: objects that fail together spread out, and the same failure gives the same delay.

use kompox_core::cloud::Retry;
use kube::runtime::controller::Action;
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Objects remembered at most; the one whose count is lowest goes first.
const CAPACITY: usize = 65_536;

/// Somebody else wrote first: read again, soon.
pub const RACE: Retry = Retry::Backoff { min: Duration::from_millis(50), max: Duration::from_secs(5) };
/// The API server does not answer, or asks to come back later.
pub const OUTAGE: Retry = Retry::Backoff { min: Duration::from_millis(500), max: Duration::from_secs(60) };
/// A person, a policy or a quota must change in the cluster; no watch would tell.
pub const REFUSED: Retry = Retry::Backoff { min: Duration::from_secs(5), max: Duration::from_secs(300) };

/// Failures in a row, per object.
#[derive(Debug, Default)]
pub struct Backoff(Mutex<HashMap<String, u32>>);

impl Backoff {
    /// Counts a failure of the object `uid` and says when it is due again.
    #[must_use]
    pub fn failed(&self, uid: &str, retry: Retry) -> Action {
        match retry {
            Retry::Backoff { min, max } => Action::requeue(delay(uid, self.count(uid), min, max)),
            Retry::After(hint) => Action::requeue(hint),
            Retry::AwaitChange => Action::await_change(),
        }
    }

    /// Forgets the failures of the object `uid`: it succeeded, or it is gone.
    pub fn reset(&self, uid: &str) {
        self.failures().remove(uid);
    }

    fn count(&self, uid: &str) -> u32 {
        let mut failures = self.failures();
        if failures.len() >= CAPACITY && !failures.contains_key(uid) {
            let lowest = failures.iter().min_by_key(|(_, count)| **count).map(|(uid, _)| uid.clone());
            lowest.and_then(|uid| failures.remove(&uid));
        }
        let count = failures.entry(uid.to_owned()).or_default();
        *count = count.saturating_add(1);
        *count
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, HashMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The delay before attempt `failures + 1`: anywhere between `min` and `min · 2^failures`, at most `max`.
fn delay(uid: &str, failures: u32, min: Duration, max: Duration) -> Duration {
    let ceiling = min.saturating_mul(1_u32.checked_shl(failures.min(20)).unwrap_or(u32::MAX)).min(max);
    let mut hash = DefaultHasher::new();
    (uid, failures).hash(&mut hash);
    // The upper 32 bits as a fraction of one.
    let fraction = (hash.finish() >> 32) as f64 / f64::from(u32::MAX);
    (min + ceiling.saturating_sub(min).mul_f64(fraction)).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_millis(100);
    const MAX: Duration = Duration::from_secs(10);

    #[test]
    fn delays_stay_in_bounds_and_grow() {
        let mean = |failures: u32| {
            let total: Duration =
                (0..1000).map(|object| delay(&format!("uid-{object}"), failures, MIN, MAX)).sum();
            total / 1000
        };
        for failures in [1, 2, 5, 31, 32, u32::MAX] {
            for object in 0..100 {
                let delay = delay(&format!("uid-{object}"), failures, MIN, MAX);
                assert!((MIN..=MAX).contains(&delay), "{failures}: {delay:?}");
            }
        }
        assert!(mean(1) < mean(3) && mean(3) < mean(6));
    }

    #[test]
    fn objects_that_fail_together_spread_out() {
        let mut delays: Vec<_> = (0..1000).map(|n| delay(&format!("uid-{n}"), 8, MIN, MAX)).collect();
        delays.sort();
        delays.dedup();
        assert!(delays.len() > 990, "only {} different delays", delays.len());
        let early = delays.iter().filter(|delay| **delay < MAX / 2).count();
        assert!((400..600).contains(&early), "{early} of 1000 in the first half");
    }

    #[test]
    fn success_starts_over() {
        let backoff = Backoff::default();
        let first = backoff.failed("a", OUTAGE);
        assert_ne!(first, backoff.failed("a", OUTAGE));
        backoff.reset("a");
        assert_eq!(first, backoff.failed("a", OUTAGE));
        assert_eq!(backoff.failed("a", Retry::AwaitChange), Action::await_change());
    }

    #[test]
    fn memory_is_bounded() {
        let backoff = Backoff::default();
        let _ = backoff.failed("stubborn", RACE);
        let _ = backoff.failed("stubborn", RACE);
        for object in 0..CAPACITY {
            let _ = backoff.failed(&object.to_string(), RACE);
        }
        assert_eq!(backoff.failures().len(), CAPACITY);
        assert_eq!(backoff.failures().get("stubborn"), Some(&2));
    }
}
