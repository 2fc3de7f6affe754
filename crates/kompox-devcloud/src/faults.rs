//! Faults that were asked for: kept in memory, each account's own, and met one by one.

use crate::api::{Fault, FaultKind};
use crate::refusal::Refusal;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// All that a fault may be restricted to.
const OPERATIONS: &[&str] = &[
    "get-account",
    "list-volumes",
    "create-volume",
    "get-volume",
    "change-volume",
    "delete-volume",
    "attach-volume",
    "detach-volume",
    "list-snapshots",
    "create-snapshot",
    "get-snapshot",
    "change-snapshot",
    "delete-snapshot",
];
const MAX_COUNT: u32 = 10_000;
const MAX_MILLISECONDS: u64 = 3_600_000;
/// Faults that may wait at a time, in all accounts.
const MAX_WAITING: usize = 1000;

/// The faults that wait, oldest first.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<(String, Fault)>>);

impl Faults {
    fn waiting(&self) -> MutexGuard<'_, Vec<(String, Fault)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn list(&self, account: &str) -> Vec<Fault> {
        let waiting = self.waiting();
        waiting.iter().filter(|(owner, _)| owner == account).map(|(_, fault)| fault.clone()).collect()
    }

    pub(crate) fn add(&self, account: &str, fault: Fault) -> Result<(), Refusal> {
        check(&fault)?;
        let mut waiting = self.waiting();
        if waiting.len() >= MAX_WAITING {
            return Err(Refusal::invalid(format!("{MAX_WAITING} faults wait already")));
        }
        waiting.push((account.to_owned(), fault));
        Ok(())
    }

    pub(crate) fn clear(&self, account: &str) {
        self.waiting().retain(|(owner, _)| owner != account);
    }

    /// The fault that this request meets; one less waits after.
    pub(crate) fn meet(&self, account: &str, operation: &str) -> Option<Fault> {
        let mut waiting = self.waiting();
        let fits = |fault: &Fault| fault.operation.as_deref().is_none_or(|wanted| wanted == operation);
        let index = waiting.iter().position(|(owner, fault)| owner == account && fits(fault))?;
        let (_, fault) = waiting.get_mut(index)?;
        let met = fault.clone();
        fault.count -= 1;
        if fault.count == 0 {
            waiting.remove(index);
        }
        Some(met)
    }
}

fn check(fault: &Fault) -> Result<(), Refusal> {
    if !(1..=MAX_COUNT).contains(&fault.count) {
        return Err(Refusal::invalid(format!("count must be 1 to {MAX_COUNT}")));
    }
    if let Some(operation) = fault.operation.as_deref().filter(|operation| !OPERATIONS.contains(operation)) {
        let operation: String = operation.chars().take(64).collect();
        return Err(Refusal::invalid(format!(
            "there is no operation \"{operation}\": {}",
            OPERATIONS.join(", ")
        )));
    }
    let needs_time = matches!(fault.kind, FaultKind::Delay | FaultKind::Stuck);
    if needs_time != fault.milliseconds.is_some_and(|time| (1..=MAX_MILLISECONDS).contains(&time)) {
        return Err(Refusal::invalid(format!(
            "delay and stuck, and they only, need milliseconds, 1 to {MAX_MILLISECONDS}"
        )));
    }
    if fault.kind != FaultKind::Throttled && fault.retry_after_seconds.is_some() {
        return Err(Refusal::invalid("retryAfterSeconds is for throttled"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Faults;
    use crate::api::{Fault, FaultKind};

    #[test]
    fn a_fault_meets_as_many_requests_as_it_was_asked_for() {
        let faults = Faults::default();
        let fault = Fault { count: 2, ..Fault::once(FaultKind::Throttled, "get-volume") };
        faults.add("a", fault).unwrap();
        faults.add("a", Fault { operation: None, ..Fault::once(FaultKind::Internal, "") }).unwrap();
        let kind = |account, operation| faults.meet(account, operation).map(|fault| fault.kind);
        assert_eq!(kind("b", "get-volume"), None);
        assert_eq!(kind("a", "get-volume"), Some(FaultKind::Throttled));
        assert_eq!(faults.list("a")[0].count, 1);
        assert_eq!(kind("a", "list-volumes"), Some(FaultKind::Internal));
        assert_eq!(kind("a", "list-volumes"), None);
        assert_eq!(kind("a", "get-volume"), Some(FaultKind::Throttled));
        assert_eq!(kind("a", "get-volume"), None);
    }

    #[test]
    fn faults_that_make_no_sense_are_refused() {
        let good = Fault::once(FaultKind::Delay, "get-volume");
        let good = Fault { milliseconds: Some(5), ..good };
        let faults = Faults::default();
        faults.add("a", good.clone()).unwrap();
        for fault in [
            Fault { count: 0, ..good.clone() },
            Fault { operation: Some("fly".into()), ..good.clone() },
            Fault { milliseconds: None, ..good.clone() },
            Fault { milliseconds: Some(0), ..good.clone() },
            Fault { kind: FaultKind::Internal, ..good.clone() },
            Fault { retry_after_seconds: Some(1), ..good.clone() },
        ] {
            assert!(faults.add("a", fault.clone()).is_err(), "{fault:?}");
        }
        faults.clear("a");
        assert_eq!(faults.list("a"), []);
    }
}
