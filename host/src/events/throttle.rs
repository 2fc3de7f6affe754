//! Which events are worth a request. A repetition is written at most every five minutes, with the count
//! of all in between, and one object gets a bounded number of new events. Pure: `now` is an argument.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

/// Least time between two writes of one event.
const REPEAT_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Length of an object's window.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// New events of one object in one window.
const NEW_PER_WINDOW: u32 = 25;
/// Events, and objects, remembered at most.
const CAPACITY: usize = 8192;

/// What to do about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is new.
    Create,
    /// It has happened this many times.
    Repeat(i32),
    /// Only count it.
    Hold,
}

#[derive(Debug, Default)]
pub(super) struct Throttle {
    sent: HashMap<String, Sent>,
    objects: HashMap<String, Window>,
}

#[derive(Debug)]
struct Sent {
    count: i32,
    written: Timestamp,
}

#[derive(Debug)]
struct Window {
    since: Timestamp,
    created: u32,
}

impl Throttle {
    /// Decides about the event `name` of the object `uid`, and remembers it.
    pub(super) fn decide(&mut self, name: &str, uid: &str, now: Timestamp) -> Decision {
        if let Some(sent) = self.sent.get_mut(name) {
            sent.count = sent.count.saturating_add(1);
            if now.duration_since(sent.written) < REPEAT_AFTER {
                return Decision::Hold;
            }
            sent.written = now;
            return Decision::Repeat(sent.count);
        }
        if !self.may_create(uid, now) {
            return Decision::Hold;
        }
        self.resume(name, 1, now);
        Decision::Create
    }

    /// Remembers that `name` was written with this count.
    pub(super) fn resume(&mut self, name: &str, count: i32, now: Timestamp) {
        if self.sent.len() >= CAPACITY {
            self.sent.retain(|_, sent| now.duration_since(sent.written) < REPEAT_AFTER);
        }
        if self.sent.len() >= CAPACITY {
            self.sent.clear();
        }
        self.sent.insert(name.to_owned(), Sent { count, written: now });
    }

    /// The write of `name` failed: the next time it is new.
    pub(super) fn forget(&mut self, name: &str) {
        self.sent.remove(name);
    }

    fn may_create(&mut self, uid: &str, now: Timestamp) -> bool {
        if self.objects.len() >= CAPACITY {
            self.objects.retain(|_, window| now.duration_since(window.since) < WINDOW);
        }
        if self.objects.len() >= CAPACITY {
            self.objects.clear();
        }
        let window = self.objects.entry(uid.to_owned()).or_insert(Window { since: now, created: 0 });
        if now.duration_since(window.since) >= WINDOW {
            *window = Window { since: now, created: 0 };
        }
        window.created = window.created.saturating_add(1);
        window.created <= NEW_PER_WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_repetition_is_counted_and_written_now_and_then() {
        let mut throttle = Throttle::default();
        assert_eq!(throttle.decide("e", "uid", at(0)), Decision::Create);
        assert_eq!(throttle.decide("e", "uid", at(1)), Decision::Hold);
        assert_eq!(throttle.decide("e", "uid", at(299)), Decision::Hold);
        assert_eq!(throttle.decide("e", "uid", at(300)), Decision::Repeat(4));
        assert_eq!(throttle.decide("e", "uid", at(301)), Decision::Hold);
        throttle.forget("e");
        assert_eq!(throttle.decide("e", "uid", at(302)), Decision::Create);
    }

    #[test]
    fn one_noisy_object_does_not_take_the_others_share() {
        let mut throttle = Throttle::default();
        let created = |throttle: &mut Throttle, uid: &str, second: i64| {
            (0..100)
                .filter(|n| {
                    throttle.decide(&format!("{uid}-{second}-{n}"), uid, at(second)) == Decision::Create
                })
                .count()
        };
        assert_eq!(created(&mut throttle, "noisy", 0), 25);
        assert_eq!(created(&mut throttle, "other", 1), 25);
        assert_eq!(created(&mut throttle, "noisy", 599), 0);
        assert_eq!(created(&mut throttle, "noisy", 600), 25);
    }

    #[test]
    fn memory_is_bounded() {
        let mut throttle = Throttle::default();
        for n in 0..3 * CAPACITY {
            throttle.decide(&n.to_string(), &n.to_string(), at(0));
        }
        assert!(throttle.sent.len() <= CAPACITY && throttle.objects.len() <= CAPACITY);
    }
}
