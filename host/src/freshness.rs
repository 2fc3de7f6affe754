//! Whether the cache has seen our own last write to an object (the idea of KEP-5647, stale controllers).
//!
//! A reconciliation on an older copy would repeat work and end in a conflict. Resource versions of one
//! resource are numbers that grow (KEP-5504); where one is not a number, nothing is held back.

use kube::Resource;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Objects remembered at most; beyond it, writes are not recorded: a conflict then tells.
const CAPACITY: usize = 65_536;

/// The version each of our own objects got with our last write, until the cache has it.
#[derive(Debug, Default)]
pub struct Freshness(Mutex<HashMap<String, u64>>);

impl Freshness {
    /// Notes what the server answered to a write.
    pub fn wrote<K: Resource>(&self, object: &K) {
        let Some((uid, version)) = identity(object) else { return };
        let mut written = self.written();
        if written.len() < CAPACITY || written.contains_key(uid) {
            written.insert(uid.to_owned(), version);
        }
    }

    /// Whether `cached` is older than our own last write to it.
    pub fn is_behind<K: Resource>(&self, cached: &K) -> bool {
        let Some((uid, version)) = identity(cached) else { return false };
        let mut written = self.written();
        let behind = written.get(uid).is_some_and(|ours| version < *ours);
        if !behind {
            written.remove(uid);
        }
        behind
    }

    /// Forgets the object `uid`.
    pub fn forget(&self, uid: &str) {
        self.written().remove(uid);
    }

    fn written(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn identity<K: Resource>(object: &K) -> Option<(&str, u64)> {
    let meta = object.meta();
    Some((meta.uid.as_deref()?, meta.resource_version.as_deref()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::core::ObjectMeta;

    fn object(uid: &str, version: &str) -> ConfigMap {
        let metadata = ObjectMeta {
            uid: Some(uid.into()),
            resource_version: Some(version.into()),
            ..ObjectMeta::default()
        };
        ConfigMap { metadata, ..ConfigMap::default() }
    }

    #[test]
    fn a_copy_from_before_our_write_is_held_back_until_the_cache_has_it() {
        let freshness = Freshness::default();
        freshness.wrote(&object("a", "10"));
        assert!(freshness.is_behind(&object("a", "9")));
        assert!(!freshness.is_behind(&object("b", "9")), "another object, or its successor");
        assert!(!freshness.is_behind(&object("a", "10")));
        assert!(freshness.written().is_empty(), "nothing is kept once the cache has it");
    }

    #[test]
    fn versions_that_are_not_numbers_hold_nothing_back() {
        let freshness = Freshness::default();
        freshness.wrote(&object("a", "opaque"));
        assert!(!freshness.is_behind(&object("a", "1")));
    }
}
