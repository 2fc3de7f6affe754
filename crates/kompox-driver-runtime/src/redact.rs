//! Removes the secrets of a call from text that people or logs will see.
//!
//! It knows a secret in the forms in which servers and drivers echo it: plain, percent-encoded,
//! JSON-escaped, hexadecimal, and base64 at any offset. It cannot know what a driver does to text
//! on purpose; drivers never get a secret in the first place.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::{
    fmt::Write as _,
    sync::{PoisonError, RwLock},
};

/// What stands in a secret's place.
pub(crate) const REDACTED: &str = "[redacted]";

/// Shorter values would take ordinary text with them.
const SHORTEST: usize = 4;
/// The same for a line of a longer text.
const SHORTEST_LINE: usize = 8;
/// Lines of one text that are looked for by themselves: a private key of RSA has a hundred at most.
const LINES: usize = 512;
/// The same for encoded fragments that have lost their ends.
const SHORTEST_FRAGMENT: usize = 8;
/// The unreserved characters of RFC 3986 stay as they are.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The secrets of one call, in all their forms.
#[derive(Default)]
pub(crate) struct Redactor {
    /// Longest first: a form may contain another.
    needles: RwLock<Vec<String>>,
}

impl Redactor {
    /// Knows `secrets`.
    #[cfg(test)]
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let redactor = Self::default();
        for secret in secrets {
            redactor.add(secret);
        }
        redactor
    }

    /// Learns one more secret.
    pub(crate) fn add(&self, secret: &str) {
        let mut needles = self.needles.write().unwrap_or_else(PoisonError::into_inner);
        needles.extend(forms(secret.trim()));
        let lines = secret.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE);
        for line in lines.take(LINES).filter(|line| *line != secret.trim()) {
            needles.extend(forms(line));
        }
        needles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        needles.dedup();
    }

    /// `text` without any secret.
    pub(crate) fn redact(&self, text: &str) -> String {
        let needles = self.needles.read().unwrap_or_else(PoisonError::into_inner);
        let mut text = text.to_owned();
        for needle in needles.iter() {
            if text.contains(needle.as_str()) {
                text = text.replace(needle.as_str(), REDACTED);
            }
        }
        text
    }

    /// Whether `text` holds a secret.
    pub(crate) fn finds_in(&self, text: &str) -> bool {
        let needles = self.needles.read().unwrap_or_else(PoisonError::into_inner);
        needles.iter().any(|needle| text.contains(needle.as_str()))
    }

    /// As [`Self::redact`], for text that was cut off at its end, perhaps inside a secret. Whole secrets go
    /// first: what is left of one that spans the new end would show its beginning.
    pub(crate) fn redact_cut(&self, text: &str) -> String {
        let redacted = self.redact(text);
        prefix(&redacted, redacted.len().saturating_sub(self.longest())).to_owned()
    }

    /// The beginning of `text`, some `bytes` of it, redacted. The work does not grow with the rest.
    pub(crate) fn redact_head(&self, text: &str, bytes: usize) -> String {
        let head = prefix(text, bytes.saturating_add(self.longest()));
        if head.len() < text.len() { self.redact_cut(head) } else { self.redact(text) }
    }

    fn longest(&self) -> usize {
        let needles = self.needles.read().unwrap_or_else(PoisonError::into_inner);
        needles.first().map_or(0, String::len)
    }
}

/// The longest prefix of at most `bytes` bytes that ends at a character.
pub(crate) fn prefix(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

fn forms(secret: &str) -> Vec<String> {
    if secret.len() < SHORTEST {
        return Vec::new();
    }
    let percent = utf8_percent_encode(secret, RESERVED).to_string();
    let mut forms = vec![
        secret.to_owned(),
        percent.replace("%20", "+"),
        form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        lower_escapes(&percent),
        percent,
        json_escaped(secret),
        hex(secret.as_bytes()),
        hex(secret.as_bytes()).to_ascii_uppercase(),
    ];
    for offset in 0..3 {
        forms.extend(base64_at(secret, offset));
    }
    forms
}

/// What stays the same of a secret's base64 wherever it begins in the encoded text (`user:secret`).
fn base64_at(secret: &str, offset: usize) -> Vec<String> {
    let padded = [vec![0; offset], secret.as_bytes().to_vec()].concat();
    // Sextets that share bits with what stands before or after are not the secret's own.
    let first = (offset * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)]
        .iter()
        .filter_map(|text| text.get(first..last))
        .filter(|text| text.len() >= SHORTEST_FRAGMENT.min(secret.len()))
        .map(str::to_owned)
        .collect()
}

fn json_escaped(secret: &str) -> String {
    let quoted = serde_json::Value::from(secret).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or(secret).to_owned()
}

fn lower_escapes(percent: &str) -> String {
    let mut left = 0_u8;
    percent
        .chars()
        .map(|c| {
            let in_escape = left > 0;
            left = if c == '%' { 2 } else { left.saturating_sub(1) };
            if in_escape { c.to_ascii_lowercase() } else { c }
        })
        .collect()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    #[test]
    fn every_form_of_a_secret_disappears() {
        let redactor = Redactor::new([SECRET]);
        let cases = [
            SECRET.to_owned(),
            "wJalrXUtnFEMI%2FK7MDENG%2BbPxRfiCYEXAMPLEKEY".to_owned(),
            "wJalrXUtnFEMI%2fK7MDENG%2bbPxRfiCYEXAMPLEKEY".to_owned(),
            hex(SECRET.as_bytes()),
            STANDARD.encode(SECRET),
            STANDARD.encode(format!("u:{SECRET}")),
            STANDARD.encode(format!("us:{SECRET}\n")),
            STANDARD.encode(format!("user:{SECRET}, and more")),
        ];
        for case in cases {
            let text = redactor.redact(&format!("before {case} after"));
            assert!(text.starts_with("before ") && text.ends_with(" after"), "{case}: {text}");
            assert!(text.contains(REDACTED), "{case}: {text}");
            assert!(text.len() < "before  after".len() + REDACTED.len() + 40, "{case}: {text}");
        }
    }

    #[test]
    fn quotes_and_lines_are_handled() {
        let redactor = Redactor::new(["pass\"word1", "-----BEGIN KEY-----\nMIIabc123\n-----END KEY-----\n"]);
        assert_eq!(redactor.redact(r#"{"p":"pass\"word1"}"#), r#"{"p":"[redacted]"}"#);
        assert_eq!(redactor.redact("line MIIabc123"), "line [redacted]");
    }

    #[test]
    fn ordinary_text_stays() {
        let redactor = Redactor::new(["abc", "", "1"]);
        assert_eq!(redactor.redact("abc 1 def"), "abc 1 def");
        assert!(!redactor.finds_in("abc"));
    }

    #[test]
    fn a_secret_cut_in_half_does_not_survive() {
        let redactor = Redactor::new([SECRET]);
        let text = redactor.redact_cut(&format!("{}{}", "x".repeat(400), &SECRET[..30]));
        assert!(!text.contains("wJal"), "{text}");
    }

    #[test]
    fn prefixes_end_at_characters() {
        assert_eq!(prefix("aé", 2), "a");
        assert_eq!(prefix("aé", 3), "aé");
        assert_eq!(prefix("", 3), "");
    }

    #[test]
    fn a_secret_at_a_cut_is_not_shown_in_part() {
        let secret = "correct-horse-battery-staple";
        let redactor = Redactor::new([secret]);
        for before in 0..200 {
            let text = format!("{}{secret}{}", "x".repeat(before), "y".repeat(200));
            for bytes in [0, 50, 100, 150] {
                for shown in
                    [redactor.redact_cut(prefix(&text, bytes + 40)), redactor.redact_head(&text, bytes)]
                {
                    assert!(!shown.contains("cor") && !shown.contains("ple"), "{before} {bytes}: {shown}");
                }
            }
        }
        assert_eq!(redactor.redact_head("short", 100), "short");
        assert!(redactor.redact_head(&"z".repeat(1 << 20), 100).len() < 1000);
    }
}
