//! Places in the model, such as `services.web.ports[0]`.

use std::fmt;

use crate::limits::MAX_SHOWN;

/// A place in the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path(String);

impl Path {
    /// The place under a key; a very long key is cut.
    pub(crate) fn key(&self, key: &str) -> Self {
        let key = key.char_indices().nth(MAX_SHOWN).and_then(|(end, _)| key.get(..end)).unwrap_or(key);
        let separator = if self.0.is_empty() { "" } else { "." };
        Self(format!("{}{separator}{key}", self.0))
    }

    /// The place of an item of a list.
    pub(crate) fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// The last part: `ports[0]`.
    pub(crate) fn name(&self) -> String {
        self.0.rsplit('.').next().unwrap_or(&self.0).to_owned()
    }

    /// Whether this is the place with that path.
    pub(crate) fn is(&self, path: &str) -> bool {
        self.0 == path
    }

    /// Whether this is a key of that name inside something.
    pub(crate) fn is_below(&self, key: &str) -> bool {
        self.0.strip_suffix(key).is_some_and(|above| above.ends_with('.'))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
