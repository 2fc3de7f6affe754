//! Conditions of KompoxApp, KompoxDisk and KompoxSnapshot: how they are set, merged and ordered, and how
//! one [`Summary`] becomes `Ready`, `Progressing`, `Degraded`, `Reconciling` and `Stalled`.
//!
//! The rules are those of the Kubernetes API conventions and of kstatus, which Flux, Helm and kpt read:
//! `Stalled` means that waiting is useless, `Reconciling` that it is not, and either is there only while
//! true. What an object's state is, is not decided here.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use kompox_crds::{
    Reason,
    conditions::{ALWAYS, DEGRADED, PROGRESSING, READY, RECONCILING, STALLED, WHILE_TRUE},
};
use std::{cmp::Ordering, fmt};

/// Longest message, in characters: a condition is read in a terminal.
pub const MESSAGE_MAX: usize = 1024;

/// What a condition says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It is not known.
    Unknown,
}

impl Status {
    /// The word in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a degraded object may recover without a change of its spec and without a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// The operator keeps trying and may succeed: outage, throttling, a Secret that is still to come.
    Retrying,
    /// Only a change of the spec or a person helps. Tools that wait give up at once.
    Stalled,
}

/// The state of an object in one value; the same for every kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Summary {
    /// The object is as asked.
    Ready,
    /// It will be as asked; nothing is wrong.
    Progressing {
        /// What is being done or waited for.
        reason: Reason,
        /// Names the step, or the object that is waited for.
        message: String,
    },
    /// Something is wrong.
    Degraded {
        /// What is wrong.
        reason: Reason,
        /// Names the field or object, and the remedy.
        message: String,
        /// Whether waiting may help.
        outlook: Outlook,
    },
}

/// Conditions under construction: those of the last status, and what is known now.
///
/// Conditions that are not set in this round stay as they were, with the generation they were computed
/// from. `lastTransitionTime` changes when the status changes, and only then.
#[derive(Clone, Debug)]
pub struct Conditions {
    conditions: Vec<Condition>,
    now: Time,
    generation: i64,
}

impl Conditions {
    /// Starts from the conditions of the last status. `generation` is the object's
    /// `metadata.generation`; `now` is cut to seconds, the precision of the API's times.
    #[must_use]
    pub fn new(previous: &[Condition], now: Timestamp, generation: i64) -> Self {
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Self { conditions: previous.to_vec(), now: Time(now), generation }
    }

    /// Sets one condition. The message is cut to [`MESSAGE_MAX`] characters.
    pub fn set(
        &mut self,
        type_: &str,
        status: Status,
        reason: Reason,
        message: impl Into<String>,
    ) -> &mut Self {
        let mut condition = Condition {
            type_: type_.to_owned(),
            status: status.as_str().to_owned(),
            reason: reason.as_str().to_owned(),
            message: bounded(message.into()),
            observed_generation: Some(self.generation),
            last_transition_time: self.now.clone(),
        };
        match self.conditions.iter_mut().find(|known| known.type_ == type_) {
            Some(known) => {
                if known.status == condition.status {
                    condition.last_transition_time = known.last_transition_time.clone();
                }
                *known = condition;
            }
            None => self.conditions.push(condition),
        }
        self
    }

    /// Removes a condition: one of those that are there only while true, or one that no longer applies.
    pub fn remove(&mut self, type_: &str) -> &mut Self {
        self.conditions.retain(|known| known.type_ != type_);
        self
    }

    /// Sets the conditions that every kind has from the state in one value.
    pub fn summary(&mut self, state: &Summary) -> &mut Self {
        match state {
            Summary::Ready => self.ready(),
            Summary::Progressing { reason, message } => self.progressing(*reason, message),
            Summary::Degraded { reason, message, outlook } => self.degraded(*reason, message, *outlook),
        }
    }

    fn ready(&mut self) -> &mut Self {
        let message = Reason::Ready.summary();
        self.set(READY, Status::True, Reason::Ready, message)
            .set(PROGRESSING, Status::False, Reason::Ready, message)
            .set(DEGRADED, Status::False, Reason::Ready, message)
            .remove(RECONCILING)
            .remove(STALLED)
    }

    fn progressing(&mut self, reason: Reason, message: &str) -> &mut Self {
        self.set(READY, Status::False, reason, message)
            .set(PROGRESSING, Status::True, reason, message)
            .set(DEGRADED, Status::False, reason, message)
            .set(RECONCILING, Status::True, reason, message)
            .remove(STALLED)
    }

    fn degraded(&mut self, reason: Reason, message: &str, outlook: Outlook) -> &mut Self {
        let (progressing, present, absent) = match outlook {
            Outlook::Retrying => (Status::True, RECONCILING, STALLED),
            Outlook::Stalled => (Status::False, STALLED, RECONCILING),
        };
        self.set(READY, Status::False, reason, message)
            .set(PROGRESSING, progressing, reason, message)
            .set(DEGRADED, Status::True, reason, message)
            .set(present, Status::True, reason, message)
            .remove(absent)
    }

    /// As [`Conditions::finish`], for a kind that has only what was set.
    #[must_use]
    pub fn only_set(mut self) -> Vec<Condition> {
        self.conditions.sort_by(order);
        self.conditions
    }

    /// The conditions for the status, in their fixed order: those that are always there (`Unknown` where
    /// nothing was ever set), those that are there while true, then the details by name.
    #[must_use]
    pub fn finish(mut self) -> Vec<Condition> {
        for type_ in ALWAYS {
            if !self.conditions.iter().any(|known| known.type_ == type_) {
                self.set(type_, Status::Unknown, Reason::Unknown, Reason::Unknown.summary());
            }
        }
        self.conditions.sort_by(order);
        self.conditions
    }
}

/// The condition of this type.
#[must_use]
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// Whether the condition of this type is there, is `True` and was computed from `generation`.
#[must_use]
pub fn is_true_for(conditions: &[Condition], type_: &str, generation: i64) -> bool {
    find(conditions, type_)
        .is_some_and(|found| found.status == "True" && found.observed_generation == Some(generation))
}

fn order(a: &Condition, b: &Condition) -> Ordering {
    let rank = |condition: &Condition| {
        ALWAYS.iter().chain(&WHILE_TRUE).position(|type_| *type_ == condition.type_).unwrap_or(usize::MAX)
    };
    rank(a).cmp(&rank(b)).then_with(|| a.type_.cmp(&b.type_))
}

/// At most [`MESSAGE_MAX`] characters; a cut shows as `…`.
fn bounded(message: String) -> String {
    match message.char_indices().nth(MESSAGE_MAX - 1) {
        Some((end, last)) if end + last.len_utf8() < message.len() => {
            let kept: String = message.chars().take(MESSAGE_MAX - 1).collect();
            format!("{kept}…")
        }
        _ => message,
    }
}

#[cfg(test)]
mod tests;
