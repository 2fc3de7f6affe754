//! YAML text into a tree that keeps what the schema will decide on: text, style, tags and places.
//!
//! Follows YAML 1.2 (<https://yaml.org/spec/1.2.2/>) with the merge keys of YAML 1.1
//! (<https://yaml.org/type/merge.html>). What a scalar *means* is not decided here.

mod build;
mod scalar;
#[cfg(test)]
mod tests;

pub(crate) use build::parse;
pub(crate) use scalar::{Scalar, Shape};

use std::collections::BTreeMap;

use crate::span::{Span, Spanned};

/// A YAML value with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
    pub(crate) origin: Origin,
    /// What a tag says about merging this value over an earlier one.
    pub(crate) mark: Option<Mark>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The text of a file, perhaps in a shorter form.
    Written,
    /// A default of the specification; its span is that of the value it belongs to.
    Default,
}

/// The tags of the Compose Specification for overrides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// `!reset`: the earlier value goes, and so does this one.
    Reset,
    /// `!override`: this value replaces the earlier one instead of being merged into it.
    Override,
}

/// The three kinds of YAML values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// What a value says, wherever it stands and in whatever order its keys are.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Content<'a> {
    /// The text, and whether it is plain.
    Scalar(&'a str, bool),
    Sequence(Vec<Content<'a>>),
    Mapping(BTreeMap<&'a str, Content<'a>>),
}

/// One key of a mapping and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: Spanned<String>,
    pub(crate) value: Node,
}

impl Node {
    /// A written value.
    pub(crate) fn new(span: Span, kind: Kind) -> Self {
        Self { span, kind, origin: Origin::Written, mark: None }
    }

    /// A string made from the text at `span`.
    pub(crate) fn text(span: &Span, text: impl Into<String>) -> Self {
        Self::new(span.clone(), Kind::Scalar(Scalar { text: text.into(), plain: false, substituted: false }))
    }

    /// A number, boolean or null made from the text at `span`.
    pub(crate) fn plain(span: &Span, text: impl Into<String>) -> Self {
        Self::new(span.clone(), Kind::Scalar(Scalar { text: text.into(), plain: true, substituted: false }))
    }

    /// The same value, but filled in rather than written.
    pub(crate) fn filled(mut self) -> Self {
        self.origin = Origin::Default;
        self
    }

    /// The text of a string.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) if scalar.shape() == Shape::Text => Some(&scalar.text),
            _ => None,
        }
    }

    /// The text of any scalar but null, as the reference prints it.
    pub(crate) fn printed(&self) -> Option<String> {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.printed(),
            _ => None,
        }
    }

    /// The entries of a mapping; of anything else none.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The entries of a mapping, to be changed.
    pub(crate) fn entries_mut(&mut self) -> Option<&mut Vec<Entry>> {
        match &mut self.kind {
            Kind::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items of a list; of anything else none.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The value under a key of a mapping, to be changed.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries_mut()?.iter_mut().find(|e| e.key.value == key).map(|e| &mut e.value)
    }

    /// Removes a key of a mapping.
    pub(crate) fn remove(&mut self, key: &str) -> Option<Entry> {
        let entries = self.entries_mut()?;
        let index = entries.iter().position(|e| e.key.value == key)?;
        Some(entries.remove(index))
    }

    /// Sets a key of a mapping: its value is replaced, or the key is added with the place of the mapping.
    pub(crate) fn set(&mut self, key: &str, value: Node) {
        let span = self.span.clone();
        let Some(entries) = self.entries_mut() else { return };
        match entries.iter_mut().find(|e| e.key.value == key) {
            Some(entry) => entry.value = value,
            None => entries.push(Entry { key: Spanned::new(key.to_owned(), span), value }),
        }
    }

    /// Whether two values are the same but for their places.
    pub(crate) fn same(&self, other: &Node) -> bool {
        self.content() == other.content()
    }

    /// The value without its places. It has an order, so that many values can be told apart without comparing
    /// each with every other.
    pub(crate) fn content(&self) -> Content<'_> {
        match &self.kind {
            Kind::Scalar(scalar) => Content::Scalar(&scalar.text, scalar.plain),
            Kind::Sequence(items) => Content::Sequence(items.iter().map(Node::content).collect()),
            Kind::Mapping(entries) => {
                Content::Mapping(entries.iter().map(|e| (e.key.value.as_str(), e.value.content())).collect())
            }
        }
    }

    /// Whether this is `null`, `~` or nothing at all.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(scalar) if scalar.shape() == Shape::Null)
    }

    /// Whether this is a string of no characters.
    pub(crate) fn is_empty_text(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(scalar) if scalar.shape() == Shape::Text && scalar.text.is_empty())
    }

    /// The value's type as a user would name it.
    pub(crate) fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::Mapping(_) => "a mapping",
            Kind::Sequence(_) => "a list",
            Kind::Scalar(scalar) => match scalar.shape() {
                Shape::Null => "null",
                Shape::Boolean(_) => "a boolean",
                Shape::Integer(_) | Shape::Float(_) => "a number",
                Shape::Text => "a string",
            },
        }
    }

    /// The value under a key of a mapping.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Mapping(entries) => entries.iter().find(|e| e.key.value == key).map(|e| &e.value),
            _ => None,
        }
    }
}
