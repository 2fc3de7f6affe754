//! Between the values of the port and those of the contract. Requests are converted by `From`;
//! answers come from outside and are read by a [`Reader`], which bounds and redacts them.

mod disk;
mod identity;
mod kubernetes;
mod snapshot;
mod types;

use crate::redact::{Redactor, prefix};
use kompox_core::driver::Attributes;
use std::{sync::Arc, time::Duration};

/// Longest reason, in characters.
const REASON: usize = 128;
/// Longest text for people, in characters.
const MESSAGE: usize = 1024;
/// Longest handle, in bytes (contract).
const HANDLE: usize = 1 << 10;
/// Longest name, zone, location, time, key, path or word, in bytes.
const WORD: usize = 256;
/// Longest opaque token, in bytes (contract).
const TOKEN: usize = 4 << 10;
/// Longest value of an attribute, in bytes.
const VALUE: usize = 4 << 10;
/// All keys and values of a map together, in bytes: such a map becomes part of an object.
const MAP: usize = 64 << 10;
/// Largest size, in bytes: a Kubernetes quantity holds no more.
const SIZE: u64 = i64::MAX.unsigned_abs();
/// Longest wait that a driver can ask for. AWS lets a volume rest for six hours between two changes.
const DELAY: Duration = Duration::from_secs(12 * 60 * 60);
/// Objects on a page.
const ITEMS: usize = 1_000;
/// Entries of any other list or map.
const ENTRIES: usize = 256;

/// An answer that breaks a bound of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) String);

/// What reading gives.
pub(crate) type Read<T> = Result<T, Malformed>;

/// Reads the answers of one call.
pub(crate) struct Reader(pub(crate) Arc<Redactor>);

impl Reader {
    /// Text for people: redacted, on one line, cut.
    pub(crate) fn message(&self, text: &str) -> String {
        cut(&single_line(&self.0.redact_head(text, 4 * MESSAGE)), MESSAGE)
    }

    /// A CamelCase code: as a message, but shorter.
    fn reason(&self, text: &str) -> String {
        cut(&single_line(&self.0.redact_head(text, 4 * REASON)), REASON)
    }

    /// A value that is kept and compared: whole or not at all, and never a credential.
    fn exact(&self, what: &str, text: String, bytes: usize) -> Read<String> {
        if text.len() > bytes {
            return Err(Malformed(format!("{what} is longer than {bytes} bytes")));
        }
        if text.chars().any(char::is_control) {
            return Err(Malformed(format!("{what} holds control characters")));
        }
        if self.0.finds_in(&text) {
            return Err(Malformed(format!("{what} holds a credential")));
        }
        Ok(text)
    }

    fn handle(&self, text: String) -> Read<String> {
        if text.is_empty() {
            return Err(Malformed("a handle is empty".to_owned()));
        }
        self.exact("a handle", text, HANDLE)
    }

    fn word(&self, what: &str, text: String) -> Read<String> {
        self.exact(what, text, WORD)
    }

    fn optional(&self, what: &str, text: Option<String>) -> Read<Option<String>> {
        text.map(|text| self.word(what, text)).transpose()
    }

    /// A size in bytes.
    fn size(&self, what: &str, bytes: u64) -> Read<u64> {
        if bytes > SIZE {
            return Err(Malformed(format!("{what} is {bytes} bytes, more than any disk has")));
        }
        Ok(bytes)
    }

    /// A page token or resume token. It may hold what the host must not look into.
    fn token(&self, what: &str, text: Option<String>) -> Read<Option<String>> {
        match text {
            Some(text) if text.len() > TOKEN => {
                Err(Malformed(format!("{what} is longer than {TOKEN} bytes")))
            }
            text => Ok(text),
        }
    }

    fn words(&self, what: &str, list: Vec<String>) -> Read<Vec<String>> {
        list_of(what, list, ENTRIES, |text| self.word(what, text))
    }

    /// Tags of others may hold anything: an odd one must not hide a whole page.
    fn value(&self, what: &str, text: &str) -> Read<String> {
        if text.len() > VALUE {
            return Err(Malformed(format!("{what} holds a value longer than {VALUE} bytes")));
        }
        Ok(self.0.redact(text))
    }

    fn attributes(&self, what: &str, list: Vec<(String, String)>) -> Read<Attributes> {
        let pairs = list_of(what, list, ENTRIES, |(key, value)| {
            Ok((self.word(what, key)?, self.value(what, &value)?))
        })?;
        if pairs.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() > MAP {
            return Err(Malformed(format!("{what} are larger than {MAP} bytes")));
        }
        let length = pairs.len();
        let attributes: Attributes = pairs.into_iter().collect();
        if attributes.len() < length {
            return Err(Malformed(format!("{what} holds a key twice")));
        }
        Ok(attributes)
    }

    fn messages(&self, what: &str, list: Vec<String>) -> Read<Vec<String>> {
        list_of(what, list, ITEMS, |text| Ok(self.message(&text)))
    }
}

fn list_of<W, T>(what: &str, list: Vec<W>, limit: usize, read: impl Fn(W) -> Read<T>) -> Read<Vec<T>> {
    if list.len() > limit {
        return Err(Malformed(format!("{what} has more than {limit} entries")));
    }
    list.into_iter().map(read).collect()
}

/// A wait in milliseconds, as far as it is believed.
fn delay(milliseconds: u32) -> Duration {
    Duration::from_millis(milliseconds.into()).min(DELAY)
}

fn pairs(attributes: &Attributes) -> Vec<(String, String)> {
    attributes.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn cut(text: &str, characters: usize) -> String {
    text.char_indices().nth(characters).map_or(text, |(end, _)| prefix(text, end)).to_owned()
}

/// `text` on one line: control characters, line separators and direction marks become spaces, so that
/// it can forge neither log lines nor terminal output.
pub(crate) fn single_line(text: &str) -> String {
    let separates = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.split(|c: char| separates(c) || c == ' ')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests;
