//! What one call may have of wasmtime: memory in all, and its tables, memories and instances.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

/// Core instances of one component: Python guests need more than a hundred.
const INSTANCES: usize = 256;
const MEMORIES: usize = 4;
const TABLES: usize = 32;
const TABLE_ELEMENTS: usize = 20_000;

/// The bounds of one store. wasmtime's own would bound each memory and not their sum.
pub(crate) struct Bounds {
    rest: StoreLimits,
    /// Linear memory of the call, in bytes.
    limit: usize,
    memory: usize,
    peak: Arc<AtomicUsize>,
}

impl Bounds {
    /// `limit` bytes of linear memory; `peak` is kept at the most that the call had.
    pub(crate) fn new(limit: usize, peak: Arc<AtomicUsize>) -> Self {
        let rest = StoreLimitsBuilder::new()
            .table_elements(TABLE_ELEMENTS)
            .instances(INSTANCES)
            .memories(MEMORIES)
            .tables(TABLES)
            .build();
        Self { rest, limit, memory: 0, peak }
    }
}

impl ResourceLimiter for Bounds {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let wanted = self.memory.saturating_sub(current).saturating_add(desired);
        if wanted > self.limit || maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.memory = wanted;
        self.peak.fetch_max(wanted, Ordering::Relaxed);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.rest.table_growing(current, desired, maximum)
    }

    fn instances(&self) -> usize {
        self.rest.instances()
    }

    fn tables(&self) -> usize {
        self.rest.tables()
    }

    fn memories(&self) -> usize {
        self.rest.memories()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_of_a_call_share_its_bound() {
        let peak = Arc::new(AtomicUsize::new(0));
        let mut bounds = Bounds::new(100, Arc::clone(&peak));
        let mut grow = |current, desired, maximum| bounds.memory_growing(current, desired, maximum).unwrap();
        assert!(grow(0, 60, None));
        assert!(!grow(0, 60, None), "a second memory");
        assert!(grow(0, 40, None));
        assert!(!grow(60, 61, None));
        assert!(!Bounds::new(100, Arc::default()).memory_growing(0, 50, Some(49)).unwrap());
        assert_eq!(peak.load(Ordering::Relaxed), 100);
    }
}
