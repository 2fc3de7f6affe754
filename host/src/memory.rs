//! What this process remembers of the create calls it made, per object. Losing it is harmless: the
//! protocol then waits out the provider's consistency window.

use k8s_openapi::jiff::Timestamp;
use kompox_core::{
    cloud::{Problem, creation::Asked},
    driver::{DriverError, Outcome},
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Objects remembered at most; beyond it an object is treated as after a restart.
const CAPACITY: usize = 65_536;

/// What is remembered of one object.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// What is known of the create call for the present intent.
    pub asked: Asked,
    /// The generation for which it was made.
    pub generation: Option<i64>,
    /// Why the last change of tags failed.
    pub tags_refused: Option<Problem>,
    attempt: Option<i32>,
}

/// The memory of one controller.
#[derive(Debug, Default)]
pub struct Memory(Mutex<HashMap<String, Remembered>>);

impl Memory {
    /// What is known of the object `uid`, whose recorded intent is that of `attempt`. An intent that
    /// this process did not write is a predecessor's.
    #[must_use]
    pub fn recall(&self, uid: &str, attempt: Option<i32>, now: Timestamp) -> Remembered {
        let mut known = self.known();
        let stranger = || {
            let asked = if attempt.is_some() { Asked::Perhaps { since: now } } else { Asked::No };
            Remembered { asked, generation: None, tags_refused: None, attempt }
        };
        if let Some(remembered) = known.get(uid)
            && (attempt.is_none() || remembered.attempt == attempt)
        {
            return remembered.clone();
        }
        let remembered = stranger();
        if known.len() < CAPACITY {
            known.insert(uid.to_owned(), remembered.clone());
        }
        remembered
    }

    /// This process wrote the intent of `attempt` and has not made the call.
    pub fn intended(&self, uid: &str, attempt: i32) {
        self.change(uid, |remembered| {
            remembered.asked = Asked::No;
            remembered.attempt = Some(attempt);
        });
    }

    /// This process made the call.
    pub fn asked(
        &self,
        uid: &str,
        generation: Option<i64>,
        at: Timestamp,
        answer: Result<Outcome, DriverError>,
    ) {
        self.change(uid, |remembered| {
            remembered.asked = Asked::Yes { at, answer };
            remembered.generation = generation;
        });
    }

    /// A change of tags failed; `None`: it succeeded.
    pub fn tags(&self, uid: &str, problem: Option<Problem>) {
        self.change(uid, |remembered| remembered.tags_refused = problem);
    }

    /// The object is gone.
    pub fn forget(&self, uid: &str) {
        self.known().remove(uid);
    }

    fn change(&self, uid: &str, change: impl FnOnce(&mut Remembered)) {
        if let Some(remembered) = self.known().get_mut(uid) {
            change(remembered);
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn an_intent_of_a_predecessor_may_have_been_asked_for_since_it_was_first_seen() {
        let memory = Memory::default();
        assert_eq!(memory.recall("a", Some(1), at(5)).asked, Asked::Perhaps { since: at(5) });
        assert_eq!(memory.recall("a", Some(1), at(9)).asked, Asked::Perhaps { since: at(5) });
        assert_eq!(memory.recall("b", None, at(9)).asked, Asked::No);
    }

    #[test]
    fn an_answer_belongs_to_its_attempt() {
        let memory = Memory::default();
        let _ = memory.recall("a", None, at(1));
        memory.intended("a", 1);
        memory.asked("a", Some(3), at(2), Ok(Outcome::default()));
        let remembered = memory.recall("a", Some(1), at(9));
        assert_eq!(remembered.asked, Asked::Yes { at: at(2), answer: Ok(Outcome::default()) });
        assert_eq!(remembered.generation, Some(3));
        assert_eq!(memory.recall("a", Some(2), at(9)).asked, Asked::Perhaps { since: at(9) });
        memory.forget("a");
        assert_eq!(memory.recall("a", Some(1), at(20)).asked, Asked::Perhaps { since: at(20) });
    }
}
