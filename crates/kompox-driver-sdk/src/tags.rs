//! Carrying the host's tags through a provider's tag rules, and back without loss.
//!
//! The host's alphabet (`intent.tags`) fits most providers as it is. For the others, and for the
//! user's own tags, each byte that the provider does not take becomes the escape character and two
//! hex digits.

use crate::types::{Error, ErrorCode};
use std::fmt::Write;

/// What a provider takes as a tag.
#[derive(Clone, Copy, Debug)]
pub struct TagRules {
    /// Longest key, in characters.
    pub key_length: usize,
    /// Longest value, in characters.
    pub value_length: usize,
    /// Whether a key may contain the character.
    pub key_allows: fn(char) -> bool,
    /// Whether a value may contain the character.
    pub value_allows: fn(char) -> bool,
    /// Starts an escape of two hex digits and must itself be allowed. None: what is not allowed is
    /// an error.
    pub escape: Option<char>,
    /// Beginnings of keys that belong to the provider or the driver, compared without case.
    pub reserved: &'static [&'static str],
}

impl TagRules {
    /// The pair as the provider stores it.
    ///
    /// # Errors
    /// `invalid-argument` if the key is reserved, or key or value cannot be carried.
    pub fn encode(&self, key: &str, value: &str) -> Result<(String, String), Error> {
        let lower = key.to_ascii_lowercase();
        if let Some(prefix) = self.reserved.iter().find(|prefix| lower.starts_with(*prefix)) {
            return Err(invalid(key, format!("tag keys that begin with \"{prefix}\" are reserved")));
        }
        let stored_key = self.encode_text(key, self.key_allows);
        let stored_key = stored_key.filter(|text| (1..=self.key_length).contains(&text.chars().count()));
        let stored_value = self.encode_text(value, self.value_allows);
        let stored_value = stored_value.filter(|text| text.chars().count() <= self.value_length);
        match (stored_key, stored_value) {
            (Some(stored_key), Some(stored_value)) => Ok((stored_key, stored_value)),
            (None, _) => Err(invalid(key, format!("the provider cannot carry the tag key \"{key}\""))),
            (_, None) => Err(invalid(key, format!("the provider cannot carry the value of tag \"{key}\""))),
        }
    }

    /// The pair as it was before [`TagRules::encode`].
    #[must_use]
    pub fn decode(&self, key: &str, value: &str) -> (String, String) {
        (self.decode_text(key), self.decode_text(value))
    }

    fn encode_text(&self, text: &str, allows: fn(char) -> bool) -> Option<String> {
        let mut out = String::with_capacity(text.len());
        for character in text.chars() {
            if allows(character) && Some(character) != self.escape {
                out.push(character);
                continue;
            }
            let escape = self.escape?;
            for byte in character.to_string().bytes() {
                // Writing to a String cannot fail.
                let _ = write!(out, "{escape}{byte:02x}");
            }
        }
        Some(out)
    }

    fn decode_text(&self, text: &str) -> String {
        let Some(escape) = self.escape else { return text.to_owned() };
        let mut pieces = text.split(escape);
        let mut out: Vec<u8> = pieces.next().unwrap_or_default().as_bytes().to_vec();
        for piece in pieces {
            let byte = piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            match byte {
                Some(byte) => {
                    out.push(byte);
                    out.extend_from_slice(piece.get(2..).unwrap_or_default().as_bytes());
                }
                // Written by someone else: shown as it stands.
                None => {
                    out.extend_from_slice(escape.to_string().as_bytes());
                    out.extend_from_slice(piece.as_bytes());
                }
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    }
}

fn invalid(key: &str, message: String) -> Error {
    Error::new(ErrorCode::InvalidArgument, "InvalidTag", message).detail("field", format!("tags.{key}"))
}

#[cfg(test)]
mod tests {
    use super::TagRules;
    use crate::types::ErrorCode;

    /// Like Google's labels.
    const NARROW: TagRules = TagRules {
        key_length: 63,
        value_length: 20,
        key_allows: |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_',
        value_allows: |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_',
        escape: Some('_'),
        reserved: &["goog"],
    };
    const WIDE: TagRules = TagRules {
        key_allows: |_| true,
        value_allows: |_| true,
        escape: None,
        reserved: &["aws:"],
        ..NARROW
    };

    #[test]
    fn every_pair_reads_back_exactly() {
        for (key, value) in [("kompox-disk", "a-b-1"), ("a_b", "_"), ("Team", "A.b/ü"), ("x", "")] {
            for rules in [NARROW, WIDE] {
                let (stored_key, stored_value) = rules.encode(key, value).unwrap();
                assert!(stored_key.chars().all(rules.key_allows), "{stored_key}");
                assert_eq!(rules.decode(&stored_key, &stored_value), (key.to_owned(), value.to_owned()));
            }
        }
    }

    #[test]
    fn foreign_tags_are_shown_as_they_stand() {
        assert_eq!(NARROW.decode("a_zz", "_4"), ("a_zz".to_owned(), "_4".to_owned()));
    }

    #[test]
    fn what_cannot_be_carried_is_refused() {
        let strict = TagRules { escape: None, ..NARROW };
        for (rules, key, value) in [
            (NARROW, "google-x", "v"),
            (NARROW, "", "v"),
            (NARROW, "k", "ÜÜÜÜ"),
            (strict, "Key", "v"),
            (strict, "key", "V"),
            (WIDE, "AWS:x", "v"),
        ] {
            let error = rules.encode(key, value).unwrap_err();
            assert_eq!((error.code, error.reason.as_str()), (ErrorCode::InvalidArgument, "InvalidTag"));
        }
    }
}
