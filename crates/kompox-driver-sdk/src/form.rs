//! Percent-encoding after RFC 3986 for URLs, and `application/x-www-form-urlencoded` bodies, which
//! differ in one character: a space is `%20` in the one and `+` in the other. Services take both in a
//! body; those that compute a signature over the form read anew (moto does) take only the `+` that the
//! media type defines and AWS' own SDKs send.

use std::fmt::Write;

/// The `Content-Type` of a [`Form`].
pub const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// Percent-encodes everything but RFC 3986's unreserved characters, for paths and queries.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_encoded(&mut out, text, "%20");
    out
}

fn push_encoded(out: &mut String, text: &str, space: &str) {
    for byte in text.bytes() {
        if byte == b' ' {
            out.push_str(space);
        } else if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// Name/value pairs in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    pairs: Vec<(String, String)>,
}

impl Form {
    /// An empty form.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The form with one more pair.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.push(name, value);
        self
    }

    /// The form with one more pair, if there is a value.
    #[must_use]
    pub fn with_some(mut self, name: &str, value: Option<impl Into<String>>) -> Self {
        if let Some(value) = value {
            self.push(name, value);
        }
        self
    }

    /// Adds a pair.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.pairs.push((name.into(), value.into()));
    }

    /// Adds another form's pairs.
    pub fn append(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
    }

    /// The pairs, in the order in which they were added.
    #[must_use]
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// `name=value&name=value`, encoded as a body.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::new();
        for (name, value) in &self.pairs {
            if !out.is_empty() {
                out.push('&');
            }
            push_encoded(&mut out, name, "+");
            out.push('=');
            push_encoded(&mut out, value, "+");
        }
        out
    }
}

/// Reads an encoded form back; a malformed escape is kept as it stands. For tests and fakes.
#[must_use]
pub fn decode(body: &str) -> Vec<(String, String)> {
    body.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode_text(name), decode_text(value)))
        .collect()
}

fn decode_text(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        match escape(first, tail) {
            Some(byte) => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                out.push(if first == b'+' { b' ' } else { first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn escape(first: u8, tail: &[u8]) -> Option<u8> {
    if first != b'%' {
        return None;
    }
    let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::{Form, decode, encode};

    #[test]
    fn only_unreserved_characters_stay() {
        for (text, expected) in [
            ("gp3-A_z.~9", "gp3-A_z.~9"),
            ("a b+c", "a%20b%2Bc"),
            ("ebs.csi.aws.com/cluster", "ebs.csi.aws.com%2Fcluster"),
            ("é=&", "%C3%A9%3D%26"),
        ] {
            assert_eq!(encode(text), expected);
        }
    }

    #[test]
    fn a_form_keeps_its_order_and_reads_back() {
        let form =
            Form::new().with("Action", "X").with_some("Gone", None::<String>).with("Tag.1.Key", "a b/ü%");
        assert_eq!(form.encode(), "Action=X&Tag.1.Key=a+b%2F%C3%BC%25");
        assert_eq!(decode(&form.encode()), form.pairs());
        let mut twice = form.clone();
        twice.append(form);
        assert_eq!(twice.pairs().len(), 4);
    }

    #[test]
    fn malformed_escapes_are_kept() {
        assert_eq!(decode("a=%zz%4&b"), [("a".into(), "%zz%4".into()), ("b".into(), String::new())]);
    }
}
