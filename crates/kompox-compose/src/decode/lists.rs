//! Lists of strings and mappings of strings in the forms that many keys share.

use std::collections::{BTreeMap, BTreeSet};

use super::Context;
use super::cursor::{At, Fields};
use crate::codes;
use crate::span::Spanned;
use crate::text::shown;
use crate::yaml::{Kind, Scalar, Shape};

impl<'n> Fields<'n> {
    /// Takes a list of strings, or a single one.
    pub(super) fn words(&mut self, cx: &mut Context<'_>, key: &str) -> Vec<Spanned<String>> {
        let items = self.take(key).map(|at| one_or_many(cx, &at)).unwrap_or_default();
        items.into_iter().filter_map(|item| item.word(cx)).collect()
    }

    /// Takes a mapping of strings.
    pub(super) fn map(&mut self, cx: &mut Context<'_>, key: &str) -> BTreeMap<String, Spanned<String>> {
        self.take(key).map(|at| labels(cx, &at)).unwrap_or_default()
    }
}

/// A list of strings without repetition; a repeated item is reported.
pub(super) fn unique(cx: &mut Context<'_>, at: &At<'_>) -> Vec<Spanned<String>> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for item in at.items(cx) {
        let Some(text) = item.text(cx) else { continue };
        if seen.insert(text.value.clone()) {
            out.push(text);
        } else {
            repeated(cx, &item);
        }
    }
    out
}

/// A list of strings or numbers.
pub(super) fn printed(cx: &mut Context<'_>, at: &At<'_>) -> Vec<Spanned<String>> {
    at.items(cx).into_iter().filter_map(|item| item.printed(cx)).collect()
}

/// Says that an entry repeats an earlier one.
pub(super) fn repeated(cx: &mut Context<'_>, item: &At<'_>) {
    let message = format!("{} repeats an earlier entry", shown(&item.name()));
    cx.report(item.finding(&codes::REPEATED_ENTRY, message));
}

/// A string or a list of strings.
pub(super) fn one_or_many<'n>(cx: &mut Context<'_>, at: &At<'n>) -> Vec<At<'n>> {
    match &at.node.kind {
        Kind::Scalar(scalar) if scalar.shape() == Shape::Text => vec![at.clone()],
        Kind::Sequence(items) => at.each(items),
        _ => {
            at.wrong_type(cx, "a string or a list");
            Vec::new()
        }
    }
}

/// One entry of a mapping or of a list of `KEY=VALUE`: the name, where, and the value if there is one.
pub(super) struct Pair<'n> {
    pub(super) name: Spanned<String>,
    pub(super) value: Option<String>,
    pub(super) at: At<'n>,
}

/// The entries of a mapping of scalars, or of a list of `KEY=VALUE` and `KEY`; null is an empty one.
pub(super) fn pairs<'n>(cx: &mut Context<'_>, at: &At<'n>) -> Vec<Pair<'n>> {
    match &at.node.kind {
        Kind::Mapping(entries) => {
            entries.iter().filter_map(|entry| value_pair(cx, &entry.key, at.below(entry))).collect()
        }
        Kind::Sequence(items) => {
            let items = at.each(items);
            let pairs: Vec<_> = items.into_iter().filter_map(|item| text_pair(cx, item)).collect();
            last_of_each(cx, pairs)
        }
        Kind::Scalar(scalar) if scalar.shape() == Shape::Null => Vec::new(),
        Kind::Scalar(_) => {
            at.wrong_type(cx, "a mapping or a list");
            Vec::new()
        }
    }
}

fn value_pair<'n>(cx: &mut Context<'_>, name: &Spanned<String>, at: At<'n>) -> Option<Pair<'n>> {
    let Some(scalar) = at.scalar() else {
        at.wrong_type(cx, "a string, a number, a boolean or null");
        return None;
    };
    warn_of_rewriting(cx, &at, scalar);
    Some(Pair { name: name.clone(), value: scalar.printed(), at })
}

/// `VERSION: 1.10` means the number 1.1 to Docker: the text that the container sees is not the one written.
fn warn_of_rewriting(cx: &mut Context<'_>, at: &At<'_>, scalar: &Scalar) {
    if scalar.printed().is_some_and(|printed| printed != scalar.text) {
        let kind = at.node.type_name();
        let message =
            format!("{} is {kind} without quotes, and reads back as different text", shown(&at.name()));
        cx.report(
            at.finding(&codes::REWRITTEN_SCALAR, message)
                .help("put the value in quotes to keep it as written"),
        );
    }
}

fn text_pair<'n>(cx: &mut Context<'_>, at: At<'n>) -> Option<Pair<'n>> {
    let text = at.string(cx)?;
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    Some(Pair { name: Spanned::new(name.to_owned(), at.node.span.clone()), value, at })
}

fn last_of_each<'n>(cx: &mut Context<'_>, pairs: Vec<Pair<'n>>) -> Vec<Pair<'n>> {
    let mut index = BTreeMap::new();
    let mut out: Vec<Pair<'n>> = Vec::new();
    for pair in pairs {
        match index.get(&pair.name.value).and_then(|&at: &usize| out.get_mut(at)) {
            Some(earlier) => {
                repeated(cx, &pair.at);
                *earlier = pair;
            }
            None => {
                index.insert(pair.name.value.clone(), out.len());
                out.push(pair);
            }
        }
    }
    out
}

/// `labels`: <https://github.com/compose-spec/compose-spec/blob/main/05-services.md#labels>.
pub(super) fn labels(cx: &mut Context<'_>, at: &At<'_>) -> BTreeMap<String, Spanned<String>> {
    let mut out = BTreeMap::new();
    for pair in pairs(cx, at) {
        let Spanned { value: name, span } = pair.name;
        if name.is_empty() {
            cx.report(pair.at.finding(&codes::INVALID_VALUE, "a label needs a name"));
            continue;
        }
        out.insert(name, Spanned::new(pair.value.unwrap_or_default(), span));
    }
    out
}
