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

use crate::span::{Span, Spanned};

/// A YAML value with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

/// The three kinds of YAML values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// One key of a mapping and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: Spanned<String>,
    pub(crate) value: Node,
}

impl Node {
    /// Whether this is `null`, `~` or nothing at all.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(scalar) if scalar.shape() == Shape::Null)
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
