//! Short-lived memory of drivers that log in by themselves (WIT `session`): in RAM only, bounded.
//!
//! A scope is private to (component, provider type, configuration, credentials). It may forget at any
//! time, so every bound is enforced by forgetting.

use kompox_core::driver::Call;
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Entries of one scope (contract).
const KEYS: usize = 32;
/// Bytes of one value (contract).
const VALUE_BYTES: usize = 16 << 10;
/// Bytes of one key; the contract leaves it open.
const KEY_BYTES: usize = 256;
/// Scopes kept; each may hold up to 512 KiB.
const SCOPES: usize = 256;

/// Whose memory it is: a hash, so that nothing of a credential is kept as a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scope([u8; 32]);

impl Scope {
    /// The scope of `call` for the component with `digest`.
    pub(crate) fn of(digest: &str, call: &Call) -> Self {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        part(digest);
        part(&call.provider_type);
        part(&call.credentials.fingerprint(&call.cluster.uid));
        for (key, value) in &call.config {
            part(key);
            part(value);
        }
        Self(hash.finalize().into())
    }
}

/// The memory of all drivers of a runtime.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<BTreeMap<Scope, Memory>>);

struct Memory {
    used: Instant,
    entries: BTreeMap<String, Entry>,
}

struct Entry {
    value: String,
    expires: Instant,
}

impl Sessions {
    /// What was put under `key`, unless it has expired.
    pub(crate) fn get(&self, scope: &Scope, key: &str, now: Instant) -> Option<String> {
        let mut scopes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = scopes.get_mut(scope)?;
        memory.used = now;
        memory.entries.retain(|_, entry| entry.expires > now);
        memory.entries.get(key).map(|entry| entry.value.clone())
    }

    /// Keeps `value` for `ttl`; zero removes it. What exceeds the bounds is not kept; in a full scope
    /// the entry that expires first makes room.
    pub(crate) fn put(&self, scope: &Scope, key: &str, value: String, ttl: Duration, now: Instant) {
        let mut scopes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let expires = now.checked_add(ttl).filter(|_| !ttl.is_zero());
        let Some(expires) = expires.filter(|_| value.len() <= VALUE_BYTES && key.len() <= KEY_BYTES) else {
            if let Some(memory) = scopes.get_mut(scope) {
                memory.entries.remove(key);
            }
            return;
        };
        if !scopes.contains_key(scope) {
            make_room(&mut scopes);
        }
        let memory =
            scopes.entry(scope.clone()).or_insert_with(|| Memory { used: now, entries: BTreeMap::new() });
        memory.used = now;
        memory.entries.retain(|_, entry| entry.expires > now);
        if memory.entries.len() >= KEYS && !memory.entries.contains_key(key) {
            let first = memory.entries.iter().min_by_key(|(_, entry)| entry.expires).map(|(k, _)| k.clone());
            first.and_then(|key| memory.entries.remove(&key));
        }
        memory.entries.insert(key.to_owned(), Entry { value, expires });
    }
}

fn make_room(scopes: &mut BTreeMap<Scope, Memory>) {
    while scopes.len() >= SCOPES {
        let oldest = scopes.iter().min_by_key(|(_, memory)| memory.used).map(|(scope, _)| scope.clone());
        let Some(oldest) = oldest else { return };
        scopes.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn scope(name: u8) -> Scope {
        Scope([name; 32])
    }

    #[test]
    fn values_expire_and_can_be_removed() {
        let sessions = Sessions::default();
        let now = Instant::now();
        sessions.put(&scope(1), "ticket", "t".into(), MINUTE, now);
        assert_eq!(sessions.get(&scope(1), "ticket", now).as_deref(), Some("t"));
        assert_eq!(sessions.get(&scope(2), "ticket", now), None, "scopes are private");
        assert_eq!(sessions.get(&scope(1), "ticket", now + MINUTE), None);
        sessions.put(&scope(1), "ticket", "t".into(), MINUTE, now);
        sessions.put(&scope(1), "ticket", String::new(), Duration::ZERO, now);
        assert_eq!(sessions.get(&scope(1), "ticket", now), None);
    }

    #[test]
    fn bounds_are_kept_by_forgetting() {
        let sessions = Sessions::default();
        let now = Instant::now();
        for i in 0..40_u32 {
            sessions.put(
                &scope(1),
                &format!("k{i}"),
                i.to_string(),
                MINUTE + Duration::from_secs(i.into()),
                now,
            );
        }
        let kept = (0..40).filter(|i| sessions.get(&scope(1), &format!("k{i}"), now).is_some()).count();
        assert_eq!(kept, KEYS);
        assert_eq!(sessions.get(&scope(1), "k39", now).as_deref(), Some("39"));
        sessions.put(&scope(1), "k39", "x".repeat(VALUE_BYTES + 1), MINUTE, now);
        assert_eq!(sessions.get(&scope(1), "k39", now), None, "the old value would be stale");
    }

    #[test]
    fn the_scope_used_longest_ago_is_forgotten_first() {
        let sessions = Sessions::default();
        let now = Instant::now();
        for name in 0..=255_u8 {
            sessions.put(&scope(name), "k", "v".into(), MINUTE, now + Duration::from_millis(name.into()));
        }
        sessions.get(&scope(0), "k", now + Duration::from_secs(1));
        let newcomer = Scope([0xaa; 32]);
        let newest = Scope([[1_u8; 16], [2; 16]].concat().try_into().unwrap());
        sessions.put(&newest, "k", "v".into(), MINUTE, now + Duration::from_secs(2));
        assert!(sessions.get(&scope(0), "k", now).is_some());
        assert!(sessions.get(&scope(1), "k", now).is_none());
        assert!(sessions.get(&newcomer, "k", now).is_some());
    }
}
