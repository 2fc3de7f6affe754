//! Destroying a cloud object, only when it is certain that it is ours, unused, and in the account in
//! which it was made.
//!
//! Every look here is live. Two looks in a row must agree before the delete call, and the object
//! counts as gone only when two looks in a row *prove* it: a driver's "done" is a report.

use super::{
    CloudObject, Life, Ownership, Problem, Retry, Sighting, creation::POLL, identity::Owner, owner_of,
};
use crate::driver::{Account, Attachments, Target};
use kompox_crds::reasons::Reason;
use std::time::Duration;

/// The looks and calls of this turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence<T> {
    /// Who the credentials are now.
    pub account: Option<Account>,
    /// Looks by handle, in order.
    pub looks: Vec<Sighting<T>>,
    /// Whether the delete call was made in this turn.
    pub deleted: bool,
}

impl<T> Default for Evidence<T> {
    fn default() -> Self {
        Self { account: None, looks: Vec::new(), deleted: false }
    }
}

/// What was recorded when the object was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded<'a> {
    /// Handle.
    pub handle: &'a str,
    /// Account id, where the provider has one.
    pub account_id: Option<&'a str>,
    /// Fingerprint of the credentials, where it has none.
    pub fingerprint: Option<&'a str>,
    /// Fingerprint of the credentials in use now.
    pub fingerprint_now: &'a str,
}

/// The next thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Ask who the credentials are.
    AskAccount,
    /// Search by handle, live.
    Look,
    /// Make the delete call.
    Delete(Target),
    /// Proven gone.
    Gone,
    /// Not yet; look again after this long.
    Wait(Duration),
    /// Something stands in the way.
    Blocked(Problem),
}

/// Decides the next step of a removal. `attached` tells who uses the object, as the provider says.
#[must_use]
pub fn next<T: CloudObject>(
    owner: &Owner,
    recorded: &Recorded<'_>,
    evidence: &Evidence<T>,
    attached: impl Fn(&T) -> Attachments,
) -> Next {
    let Some(account) = &evidence.account else { return Next::AskAccount };
    if let Some(problem) = other_account(recorded, account) {
        return Next::Blocked(problem);
    }
    match evidence.looks.as_slice() {
        [] | [_] if !evidence.deleted => {
            match evidence.looks.last().map(|look| judge(owner, look, &attached)) {
                None | Some(Verdict::Gone | Verdict::Free(_)) => Next::Look,
                Some(Verdict::Leaving) => Next::Wait(POLL),
                Some(Verdict::Blocked(problem)) => Next::Blocked(problem),
            }
        }
        [.., before, last] => {
            agreed(judge(owner, before, &attached), judge(owner, last, &attached), evidence)
        }
        _ => Next::Look,
    }
}

fn agreed<T>(before: Verdict, last: Verdict, evidence: &Evidence<T>) -> Next {
    match (before, last) {
        (Verdict::Gone, Verdict::Gone) => Next::Gone,
        (_, Verdict::Blocked(problem)) => Next::Blocked(problem),
        (Verdict::Free(_), Verdict::Free(target)) if !evidence.deleted => Next::Delete(target),
        (_, Verdict::Gone) => Next::Look,
        _ => Next::Wait(POLL),
    }
}

enum Verdict {
    Gone,
    Leaving,
    Free(Target),
    Blocked(Problem),
}

fn judge<T: CloudObject>(
    owner: &Owner,
    look: &Sighting<T>,
    attached: &impl Fn(&T) -> Attachments,
) -> Verdict {
    let object = match look {
        Sighting::Absent => return Verdict::Gone,
        Sighting::Unclear(unread) => return Verdict::Blocked(unclear(unread)),
        Sighting::Many(handles) => return Verdict::Blocked(many(handles)),
        Sighting::One(object) => object,
    };
    if owner_of(object.tags(), owner) != Ownership::Ours {
        return Verdict::Blocked(not_ours(object.handle()));
    }
    if object.life() == Life::Leaving {
        return Verdict::Leaving;
    }
    match attached(object) {
        Attachments::Detached => {
            let tags = owner.tags();
            Verdict::Free(Target { handle: object.handle().to_owned(), name: None, tags })
        }
        Attachments::Attached(machines) => Verdict::Blocked(in_use(object.handle(), &machines.join(", "))),
        Attachments::Unknown => Verdict::Blocked(in_use(object.handle(), "the provider cannot tell")),
    }
}

/// Absence counts only in the account in which the object was made.
fn other_account(recorded: &Recorded<'_>, now: &Account) -> Option<Problem> {
    let same = match (recorded.account_id, now.id.as_deref()) {
        (Some(then), Some(now)) => then == now,
        (Some(_), None) => false,
        (None, _) => recorded.fingerprint == Some(recorded.fingerprint_now),
    };
    (!same).then(|| {
        let message = format!(
            "`{}` was made with other credentials than those in use now; nothing is destroyed. Restore the credentials of account {}",
            recorded.handle,
            recorded.account_id.unwrap_or("of its creation")
        );
        Problem::stalled(Reason::AccountChanged, message)
    })
}

fn unclear(unread: &[String]) -> Problem {
    let message =
        format!("could not read the object in the cloud, so nothing is destroyed: {}", unread.join("; "));
    Problem::passing(Reason::ProviderUnavailable, message, Retry::TRANSIENT)
}

fn many(handles: &[String]) -> Problem {
    Problem::stalled(
        Reason::MultipleDisks,
        format!("one handle named several objects: {}", handles.join(", ")),
    )
}

fn not_ours(handle: &str) -> Problem {
    let message = format!(
        "`{handle}` does not bear this object's owner tags; it is left alone. Set `spec.deletionPolicy` to Orphan when creating such disks, or restore the tags"
    );
    Problem { retry: Retry::PERSON, ..Problem::stalled(Reason::OwnerMismatch, message) }
}

fn in_use(handle: &str, by: &str) -> Problem {
    let message = format!("`{handle}` is still attached ({by}); it is deleted once it is detached");
    Problem::passing(Reason::DiskInUse, message, Retry::BUSY)
}

#[cfg(test)]
mod tests;
