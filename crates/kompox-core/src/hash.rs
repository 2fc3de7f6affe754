//! SHA-256 of structured input: rollout hashes and the short suffixes of names. Nothing secret comes out.

use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// A SHA-256 over fields. Every field is preceded by its length, so that `("ab", "c")` and `("a", "bc")`
/// differ.
#[derive(Clone, Default)]
pub struct FieldHasher(Sha256);

impl FieldHasher {
    /// Adds one field.
    pub fn field(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let bytes = bytes.as_ref();
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    /// The digest as 64 hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> String {
        hex(&self.0.clone().finalize())
    }

    /// The first 16 hexadecimal digits: enough to tell the versions of one object apart.
    #[must_use]
    pub fn short(&self) -> String {
        first(&self.hex(), 16)
    }
}

/// The first 8 hexadecimal digits of the SHA-256 of `text`: the suffix that makes a cut name unique.
#[must_use]
pub fn suffix(text: &str) -> String {
    first(&hex(&Sha256::digest(text.as_bytes())), 8)
}

fn first(digits: &str, count: usize) -> String {
    digits.chars().take(count).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_is_the_known_digest() {
        // printf abc | sha256sum
        assert_eq!(suffix("abc"), "ba7816bf");
    }

    #[test]
    fn field_borders_count() {
        let hash = |fields: &[&str]| {
            let mut hasher = FieldHasher::default();
            for field in fields {
                hasher.field(field);
            }
            hasher.hex()
        };
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_eq!(hash(&["ab", "c"]).len(), 64);
    }
}
