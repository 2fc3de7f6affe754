//! CEL rules that more than one kind uses. The API server runs them; nothing here is Rust validation.
//!
//! Two laws from how the server evaluates rules (CRD validation ratcheting, KEP-4008): a rule at the
//! **root** is never ratcheted, so only transition rules (with `oldSelf`) may stand there, and each
//! judges only what the write changes; and a transition rule on an optional *field* is bypassed by
//! removing and re-adding it, so it stands on the parent with `has()` on both sides.

use kube::core::{Reason, Rule};

/// The rule of a union: exactly one of `members` is set. Structural `minProperties` would do the same
/// but its refusal suppresses every rule's message.
pub(crate) fn exactly_one_of(members: &[&str]) -> Rule {
    Rule::new(format!("[{}].filter(x, x).size() == 1", presence(members)))
        .message(format!("exactly one of {} must be set", names(members)).as_str())
}

/// At most one of `members` is set.
pub(crate) fn at_most_one_of(members: &[&str]) -> Rule {
    Rule::new(format!("[{}].filter(x, x).size() <= 1", presence(members)))
        .message(format!("at most one of {} may be set", names(members)).as_str())
}

/// `member` is set if and only if the discriminator `mode` has the value `value`.
pub(crate) fn only_with_mode(member: &str, value: &str) -> Rule {
    Rule::new(format!("has(self.{member}) == (self.mode == '{value}')"))
        .message(format!("must be set if and only if `mode` is '{value}'").as_str())
        .field_path(format!(".{member}"))
}

/// The root expression "a cloud request may have been sent": `handle` names the status field with the
/// provider's id. Uses `oldSelf`.
pub(crate) fn started(handle: &str) -> String {
    format!(
        "(has(oldSelf.status) && (has(oldSelf.status.creation) \
         || (has(oldSelf.status.{handle}) && oldSelf.status.{handle} != \"\")))"
    )
}

/// Root rule: `spec.<field>` neither changes, appears nor disappears once started.
pub(crate) fn frozen(field: &str, handle: &str) -> Rule {
    let (new, old) = (format!("self.spec.{field}"), format!("oldSelf.spec.{field}"));
    let started = started(handle);
    Rule::new(format!("!{started} || (has({new}) == has({old}) && (!has({new}) || {new} == {old}))"))
        .message("may not change once provisioning has started")
        .field_path(format!(".spec.{field}"))
        .reason(Reason::FieldValueForbidden)
}

/// Root rule: a provider's id, once known, neither changes nor disappears, not even with the whole
/// status.
pub(crate) fn write_once(handle: &str) -> Rule {
    let (new, old) = (format!("self.status.{handle}"), format!("oldSelf.status.{handle}"));
    Rule::new(format!(
        "!has(oldSelf.status) || !has({old}) || {old} == \"\" || (has(self.status) && has({new}) && {new} == {old})"
    ))
    .message("is write-once")
    .field_path(format!(".status.{handle}"))
    .reason(Reason::FieldValueForbidden)
}

fn presence(members: &[&str]) -> String {
    members.iter().map(|m| format!("has(self.{m})")).collect::<Vec<_>>().join(", ")
}

fn names(members: &[&str]) -> String {
    members.iter().map(|m| format!("`{m}`")).collect::<Vec<_>>().join(", ")
}
