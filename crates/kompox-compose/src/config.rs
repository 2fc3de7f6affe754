//! The canonical model of a project, and how it is printed. Nothing is decided here.

mod print;

use std::collections::BTreeSet;

use crate::leaves::{self, Leaf, LeafPath, Segment};
use crate::span::Span;
use crate::yaml::{Kind, Node};

/// A project in canonical form: files merged, short forms made long, defaults filled in.
///
/// Its shape is that of the reference implementation. Services that the active profiles leave out are in it
/// and are not printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    root: Node,
    name: Option<String>,
    disabled: BTreeSet<String>,
}

impl Model {
    pub(crate) fn new(root: Node, name: Option<String>, disabled: BTreeSet<String>) -> Self {
        Self { root, name, disabled }
    }

    /// The tree.
    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    /// The name of the project: the caller's, else the file's.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The services that the active profiles leave out.
    #[must_use]
    pub fn disabled_services(&self) -> &BTreeSet<String> {
        &self.disabled
    }

    /// The project as the reference implementation marshals it to JSON, keys sorted.
    ///
    /// Booleans that are false, empty texts and empty collections are left out where their absence means the
    /// same. Values of variables are in it: it is not for logs.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        print::project(self, print::Format::Json)
    }

    /// The project as YAML, as `docker compose config` prints it, keys sorted.
    ///
    /// # Errors
    ///
    /// If the serialiser gives up, which it has no reason to.
    pub fn to_yaml(&self) -> Result<String, YamlError> {
        let value = print::project(self, print::Format::Yaml);
        serde_saphyr::to_string(&value).map_err(|error| YamlError::Serialise { reason: error.to_string() })
    }

    /// Whether a place is in a service that the active profiles leave out.
    #[must_use]
    pub fn is_left_out(&self, path: &LeafPath) -> bool {
        path.key(0) == Some("services") && path.key(1).is_some_and(|name| self.disabled.contains(name))
    }

    /// Where the key of a place is written; for items of lists, the item. `None` when there is no such place.
    #[must_use]
    pub fn key_span(&self, path: &[Segment]) -> Option<Span> {
        let (mut node, mut span) = (&self.root, &self.root.span);
        for segment in path {
            (node, span) = match (segment, &node.kind) {
                (Segment::Key(key), Kind::Mapping(entries)) => {
                    let entry = entries.iter().find(|entry| entry.key.value == *key)?;
                    (&entry.value, &entry.key.span)
                }
                (Segment::Index(index), Kind::Sequence(items)) => {
                    let item = items.get(*index)?;
                    (item, &item.span)
                }
                _ => return None,
            };
        }
        Some(span.clone())
    }

    /// Every scalar, null and empty collection, in the order of the tree.
    #[must_use]
    pub fn leaves(&self) -> Vec<Leaf> {
        leaves::leaves(&self.root)
    }
}

/// Why there is no YAML.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// The serialiser refused the value.
    #[error("failed to serialise the project as YAML: {reason}")]
    Serialise {
        /// What the serialiser says.
        reason: String,
    },
}
