//! CEL rules of KompoxDisk. Those of the lock stand at the root, since a write that drops `status` as a
//! whole would remove the node on which a deeper rule stands. See `v1alpha1::rules` for the two laws.

use crate::v1alpha1::rules::started;
use kube::core::{Reason, Rule};

pub(super) const HANDLE: &str = "handle";

const LOCKED: &str = "(has(self.status) && has(self.status.usedBy))";
const WAS_LOCKED: &str = "(has(oldSelf.status) && has(oldSelf.status.usedBy))";
const OLD_EPOCH: &str = "(has(oldSelf.status) && has(oldSelf.status.epoch) ? oldSelf.status.epoch : 0)";
/// A lock that was wrong before this write and stays as it is must not block labels and finalizers.
const SAME_LOCK: &str = "(has(self.status) && has(self.status.usedBy) && has(oldSelf.status) \
     && has(oldSelf.status.usedBy) && self.status.usedBy == oldSelf.status.usedBy \
     && has(self.status.epoch) == has(oldSelf.status.epoch) \
     && (!has(self.status.epoch) || self.status.epoch == oldSelf.status.epoch))";
const GOING: &str = "[\"Deleting\", \"Trashed\"]";

// ---- at the root -------------------------------------------------------------------------------

/// As `frozen`, but the value that status resolved may be written down.
pub(super) fn frozen_but_resolved(field: &str) -> Rule {
    let (new, old) = (format!("self.spec.{field}"), format!("oldSelf.spec.{field}"));
    let resolved = format!("oldSelf.status.{field}");
    let started = started(HANDLE);
    Rule::new(format!(
        "!{started} || (!has({new}) && !has({old})) || (has({new}) && ((has({old}) && {new} == {old}) \
         || (has({resolved}) && {new} == {resolved})))"
    ))
    .message("may not change once provisioning has started, except to the value in status")
    .field_path(format!(".spec.{field}"))
    .reason(Reason::FieldValueForbidden)
}

/// `provider.type` has a default, so it is always there; back to `auto` is allowed.
pub(super) fn provider_type_frozen() -> Rule {
    let started = started(HANDLE);
    Rule::new(format!(
        "!{started} || self.spec.provider.type == oldSelf.spec.provider.type \
         || self.spec.provider.type == \"auto\" || (has(oldSelf.status.provider) \
         && has(oldSelf.status.provider.type) && self.spec.provider.type == oldSelf.status.provider.type)"
    ))
    .message("may not change once provisioning has started, except to the value in status or to `auto`")
    .field_path(".spec.provider.type")
    .reason(Reason::FieldValueForbidden)
}

pub(super) fn deletion_policy_frozen() -> Rule {
    Rule::new(format!(
        "!has(oldSelf.status) || !has(oldSelf.status.lifecycle) || !(oldSelf.status.lifecycle in {GOING}) \
         || self.spec.deletionPolicy == oldSelf.spec.deletionPolicy"
    ))
    .message("may not change once deletion has started")
    .field_path(".spec.deletionPolicy")
    .reason(Reason::FieldValueForbidden)
}

pub(super) fn epoch_never_decreases() -> Rule {
    Rule::new(
        "!has(oldSelf.status) || !has(oldSelf.status.epoch) \
         || (has(self.status) && has(self.status.epoch) && self.status.epoch >= oldSelf.status.epoch)",
    )
    .message("may neither decrease nor be removed")
    .field_path(".status.epoch")
    .reason(Reason::FieldValueForbidden)
}

pub(super) fn owner_released_first() -> Rule {
    Rule::new(format!("!{WAS_LOCKED} || !{LOCKED} || self.status.usedBy.uid == oldSelf.status.usedBy.uid"))
        .message("must be released before another owner takes it")
        .field_path(".status.usedBy")
        .reason(Reason::FieldValueForbidden)
}

/// Also holds for the very first status, when there is no old epoch.
pub(super) fn taking_raises_epoch() -> Rule {
    Rule::new(format!(
        "!{LOCKED} || {WAS_LOCKED} || (has(self.status.epoch) && self.status.epoch > {OLD_EPOCH})"
    ))
    .message("taking the lock must raise `epoch`")
    .field_path(".status.usedBy")
    .reason(Reason::FieldValueForbidden)
}

pub(super) fn lock_carries_epoch() -> Rule {
    Rule::new(format!(
        "!{LOCKED} || (has(self.status.epoch) && self.status.usedBy.epoch == self.status.epoch) || {SAME_LOCK}"
    ))
    .message("`usedBy.epoch` must equal `epoch`")
    .field_path(".status.usedBy")
    .reason(Reason::FieldValueForbidden)
}

pub(super) fn no_lock_while_going() -> Rule {
    Rule::new(format!(
        "!{LOCKED} || !has(self.status.lifecycle) || !(self.status.lifecycle in {GOING}) \
         || ({SAME_LOCK} && has(oldSelf.status.lifecycle) && self.status.lifecycle == oldSelf.status.lifecycle)"
    ))
    .message("a disk that is being deleted may not be locked")
    .field_path(".status.usedBy")
    .reason(Reason::FieldValueForbidden)
}

// ---- on `spec` ---------------------------------------------------------------------------------

pub(super) fn size_or_source() -> Rule {
    Rule::new("has(self.size) || has(self.source)")
        .message("must be set unless `source` is set")
        .field_path(".size")
        .reason(Reason::FieldValueRequired)
}

/// `string()`: `quantity()` of an int-or-string compiles and fails at run time for integers.
/// `isQuantity()`: rules run beside a failed pattern, and an evaluation error is no message for people.
pub(super) fn size_positive() -> Rule {
    Rule::new(
        "!has(self.size) || !isQuantity(string(self.size)) \
         || quantity(string(self.size)).isGreaterThan(quantity(\"0\"))",
    )
    .message("must be greater than 0")
    .field_path(".size")
}

pub(super) fn size_never_shrinks() -> Rule {
    Rule::new(
        "!has(oldSelf.size) || (has(self.size) && (!isQuantity(string(self.size)) \
         || quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) >= 0))",
    )
    .message("may neither shrink nor be removed")
    .field_path(".size")
    .reason(Reason::FieldValueForbidden)
}

pub(super) fn storage_class_alone() -> Rule {
    Rule::new("!has(self.storageClassName) || !has(self.source) || has(self.source.snapshotRef)")
        .message("may only be combined with `source.snapshotRef`")
        .field_path(".storageClassName")
}
