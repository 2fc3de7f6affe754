//! Two trees in canonical form into one: the later one is completed by the earlier one.
//!
//! <https://github.com/compose-spec/compose-spec/blob/main/13-merge.md>: mappings merge by key, lists grow,
//! commands and tests are replaced, and the tags `!reset` and `!override` cut the earlier value off.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::{Type, Unique};
use crate::unique;
use crate::yaml::{Entry, Kind, Mark, Node};

/// Merges a value over an earlier one of the same type.
///
/// Marks are kept, so that the result can itself be merged over something; [`settle_marks`] ends that.
pub(crate) fn merge(ty: &'static Type, base: &mut Node, over: Node) {
    let replaces = matches!(over.mark, Some(Mark::Override | Mark::Reset));
    if replaces || matches!(ty, Type::Command | Type::Test) {
        *base = over;
        return;
    }
    if over.is_null() {
        return;
    }
    if base.mark == Some(Mark::Reset) {
        *base = Node { mark: Some(Mark::Override), ..over };
        return;
    }
    match (&mut base.kind, over.kind) {
        (Kind::Mapping(earlier), Kind::Mapping(later)) => {
            if changes_driver(ty, earlier, &later) {
                *earlier = later;
            } else {
                mappings(ty, earlier, later);
            }
        }
        (Kind::Sequence(earlier), Kind::Sequence(later)) => lists(ty, earlier, later),
        (kind, later) => {
            *kind = later;
            (base.span, base.origin) = (over.span, over.origin);
        }
    }
    unique::last_counts(ty, base);
}

fn mappings(ty: &'static Type, earlier: &mut Vec<Entry>, later: Vec<Entry>) {
    let places = earlier.iter().enumerate().map(|(place, entry)| (entry.key.value.clone(), place));
    let places: BTreeMap<String, usize> = places.collect();
    for entry in later {
        let Some(known) = places.get(&entry.key.value).and_then(|&place| earlier.get_mut(place)) else {
            earlier.push(entry);
            continue;
        };
        let absent = entry.value.is_null() && entry.value.mark.is_none();
        match below(ty, &entry.key.value) {
            // A variable without a value stands for the one outside, whatever an earlier file says.
            Some(Type::Environment) if matches!(ty, Type::Environment) => known.value = entry.value,
            Some(ty) => merge(ty, &mut known.value, entry.value),
            None if absent => continue,
            None => known.value = entry.value,
        }
        known.key = entry.key;
    }
}

/// The type of the value under a key.
fn below(ty: &'static Type, key: &str) -> Option<&'static Type> {
    match ty {
        Type::Object(keys) | Type::Struct(keys) | Type::Nullable(keys) | Type::Long(keys, _) => keys.get(key),
        Type::Named(item) | Type::Listed(item, _) => Some(item),
        Type::Environment => Some(&Type::Environment),
        Type::MultiOptions => Some(&Type::Texts),
        _ => None,
    }
}

/// The options of one logging driver mean nothing to another.
fn changes_driver(ty: &Type, earlier: &[Entry], later: &[Entry]) -> bool {
    let Type::Object(keys) = ty else { return false };
    if keys.get("driver").is_none() || keys.keys.len() != 2 {
        return false;
    }
    let driver = |entries: &[Entry]| {
        entries.iter().find(|entry| entry.key.value == "driver").and_then(|entry| entry.value.printed())
    };
    matches!((driver(earlier), driver(later)), (Some(a), Some(b)) if a != b)
}

fn lists(ty: &'static Type, earlier: &mut Vec<Node>, later: Vec<Node>) {
    if let Type::List(item, Unique::Subnet) = ty {
        let subnet = |node: &Node| node.get("subnet").and_then(Node::printed);
        let known = std::mem::take(earlier);
        // Of several with the same subnet the first counts.
        let known: BTreeMap<_, _> = known.into_iter().rev().map(|pool| (subnet(&pool), pool)).collect();
        for pool in later {
            match known.get(&subnet(&pool)) {
                Some(known) => {
                    let mut known = known.clone();
                    merge(item, &mut known, pool);
                    earlier.push(known);
                }
                None => earlier.push(pool),
            }
        }
        return;
    }
    let mut known: BTreeSet<_> = earlier.iter().map(Node::content).collect();
    let new: Vec<bool> = later.iter().map(|item| known.insert(item.content())).collect();
    earlier.extend(later.into_iter().zip(new).filter_map(|(item, new)| new.then_some(item)));
    if matches!(ty, Type::Hosts) {
        earlier.sort_by(|a, b| a.as_text().cmp(&b.as_text()));
    }
}

/// Removes what is marked `!reset`, and forgets the marks.
pub(crate) fn settle_marks(node: &mut Node) {
    node.mark = None;
    match &mut node.kind {
        Kind::Mapping(entries) => {
            entries.retain(|entry| entry.value.mark != Some(Mark::Reset));
            entries.iter_mut().for_each(|entry| settle_marks(&mut entry.value));
        }
        Kind::Sequence(items) => {
            items.retain(|item| item.mark != Some(Mark::Reset));
            items.iter_mut().for_each(settle_marks);
        }
        Kind::Scalar(_) => {}
    }
}
