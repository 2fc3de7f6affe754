//! Whether the operator is ready to serve: every cache was filled once, the kinds are served, the
//! drivers are loaded. Parts announce themselves; nobody polls them. Served by `health`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The parts and whether each is ready.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<String, bool>>>);

impl Readiness {
    /// Adds a part that is not ready yet.
    #[must_use]
    pub fn expect(&self, part: impl Into<String>) -> Announcement {
        let part = part.into();
        self.parts().insert(part.clone(), false);
        Announcement { readiness: self.clone(), part }
    }

    /// The parts that are not ready, sorted.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        self.parts().iter().filter(|(_, ready)| !**ready).map(|(part, _)| part.clone()).collect()
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<String, bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One part's way to say that it is ready.
#[derive(Clone, Debug)]
pub struct Announcement {
    readiness: Readiness,
    part: String,
}

impl Announcement {
    /// It is ready, once and for all: a watch that is interrupted later still has its cache.
    pub fn ready(&self) {
        if let Some(ready) = self.readiness.parts().get_mut(&self.part) {
            *ready = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_must_announce_itself() {
        let readiness = Readiness::default();
        let disks = readiness.expect("disk");
        let drivers = readiness.expect("drivers");
        assert_eq!(readiness.missing(), ["disk", "drivers"]);
        drivers.ready();
        assert_eq!(readiness.missing(), ["disk"]);
        disks.ready();
        disks.ready();
        assert!(readiness.missing().is_empty());
    }
}
