//! The leaves of a read project: what there is to account for. Nothing here knows what a key means.

use std::fmt;

use crate::span::Span;
use crate::yaml::{Kind, Node, Origin};

/// One value without further values below it: a scalar, null, or an empty collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Where it is.
    pub path: LeafPath,
    /// The value in the file; for one that was filled in, the value it was filled in for.
    pub span: Span,
    /// The key that holds the value; for items of lists, the value.
    pub key_span: Span,
    /// Whether the value is in the input, perhaps in a shorter form, and not a default.
    pub written: bool,
}

/// The place of a leaf, as its parts: keys may hold dots.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeafPath(Vec<Segment>);

/// One part of a [`LeafPath`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// A key of a mapping.
    Key(String),
    /// An item of a list, from 0.
    Index(usize),
}

impl LeafPath {
    /// The parts, from the outermost.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The key at a position; `None` beyond the end and for items of lists.
    #[must_use]
    pub fn key(&self, position: usize) -> Option<&str> {
        match self.0.get(position)? {
            Segment::Key(key) => Some(key),
            Segment::Index(_) => None,
        }
    }

    fn with(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }
}

impl From<Vec<Segment>> for LeafPath {
    fn from(segments: Vec<Segment>) -> Self {
        Self(segments)
    }
}

/// `services.web.ports[0].target`.
impl fmt::Display for LeafPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if position == 0 => write!(f, "{key}")?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// The leaves below a value, in the order of the text.
pub(crate) fn leaves(root: &Node) -> Vec<Leaf> {
    let mut out = Vec::new();
    collect(root, &root.span, &LeafPath::default(), true, &mut out);
    out
}

fn collect(node: &Node, key: &Span, path: &LeafPath, written: bool, out: &mut Vec<Leaf>) {
    let written = written && node.origin == Origin::Written;
    match &node.kind {
        Kind::Mapping(entries) if !entries.is_empty() => {
            for entry in entries {
                let path = path.with(Segment::Key(entry.key.value.clone()));
                collect(&entry.value, &entry.key.span, &path, written, out);
            }
        }
        Kind::Sequence(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &item.span, &path.with(Segment::Index(index)), written, out);
            }
        }
        _ => out.push(Leaf { path: path.clone(), span: node.span.clone(), key_span: key.clone(), written }),
    }
}
