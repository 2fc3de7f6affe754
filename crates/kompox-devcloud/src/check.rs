//! What the parts of a request must look like. Pure.

use crate::api::{Code, Tags};
use crate::refusal::Refusal;

pub(crate) const MIB: u64 = 1 << 20;
/// Smallest volume: below it mkfs.ext4 has no room for a journal.
const MIN_SIZE: u64 = 16 * MIB;
const MAX_SIZE: u64 = 16 << 40;
const MAX_TAGS: usize = 50;
const MAX_TEXT: usize = 128;

/// A name of 1 to 128 characters `[A-Za-z0-9._-]`.
pub(crate) fn name(field: &str, text: &str) -> Result<(), Refusal> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=MAX_TEXT).contains(&text.len()) && text.bytes().all(allowed) {
        return Ok(());
    }
    Err(Refusal::invalid(format!("{field} must have 1 to {MAX_TEXT} characters of A-Z a-z 0-9 . _ -")))
}

/// What every create request has.
pub(crate) fn new_object(name: &str, client_token: &str, tags: &Tags) -> Result<(), Refusal> {
    self::name("name", name)?;
    self::client_token(client_token)?;
    self::tags(tags)
}

/// A client token of 1 to 128 visible ASCII characters.
fn client_token(text: &str) -> Result<(), Refusal> {
    if (1..=MAX_TEXT).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Refusal::invalid(format!("clientToken must have 1 to {MAX_TEXT} visible ASCII characters")))
}

/// At most 50 tags with keys of 1 to 128 and values of up to 256 characters.
pub(crate) fn tags(tags: &Tags) -> Result<(), Refusal> {
    if tags.len() > MAX_TAGS {
        return Err(Refusal::invalid(format!("an object has at most {MAX_TAGS} tags")));
    }
    let wrong = tags.iter().find(|(key, value)| {
        !(1..=MAX_TEXT).contains(&key.chars().count()) || value.chars().count() > 2 * MAX_TEXT
    });
    match wrong {
        Some((key, _)) => {
            let key: String = key.chars().take(MAX_TEXT).collect();
            Err(Refusal::invalid(format!("the tag \"{key}\" is too long, or its key is empty")))
        }
        None => Ok(()),
    }
}

/// The size in whole MiB, if it is offered.
pub(crate) fn size(bytes: u64) -> Result<u64, Refusal> {
    if (MIN_SIZE..=MAX_SIZE).contains(&bytes) {
        return Ok(bytes.next_multiple_of(MIB));
    }
    Err(Refusal::new(Code::OutOfRange, format!("a volume has 16 MiB to 16 TiB, not {bytes} bytes")))
}

/// The zone, or the first one.
pub(crate) fn zone<'a>(zones: &'a [String], wanted: Option<&str>) -> Result<&'a str, Refusal> {
    let found = match wanted {
        None => zones.first(),
        Some(wanted) => zones.iter().find(|zone| *zone == wanted),
    };
    found.map(String::as_str).ok_or_else(|| {
        let wanted: String = wanted.unwrap_or_default().chars().take(MAX_TEXT).collect();
        Refusal::new(Code::OutOfRange, format!("there is no zone \"{wanted}\", only {}", zones.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::{MIB, client_token, name, size, tags, zone};
    use crate::api::{Code, Tags};

    #[test]
    fn sizes_are_rounded_up_within_bounds() {
        for (bytes, expected) in [
            (16 * MIB, Ok(16 * MIB)),
            (16 * MIB + 1, Ok(17 * MIB)),
            (16 << 40, Ok(16 << 40)),
            (16 * MIB - 1, Err(Code::OutOfRange)),
            ((16 << 40) + 1, Err(Code::OutOfRange)),
            (0, Err(Code::OutOfRange)),
            (u64::MAX, Err(Code::OutOfRange)),
        ] {
            assert_eq!(size(bytes).map_err(|refusal| refusal.code), expected, "{bytes}");
        }
    }

    #[test]
    fn names_tokens_and_tags_have_bounds() {
        let long = |length| "x".repeat(length);
        for (text, good) in [
            ("a.B_9-".to_owned(), true),
            (long(128), true),
            (long(129), false),
            (String::new(), false),
            ("a/b".into(), false),
        ] {
            assert_eq!(name("name", &text).is_ok(), good, "{text}");
        }
        assert!(
            client_token("a b").is_err() && client_token("a/b").is_ok() && client_token(&long(129)).is_err()
        );
        let pair = |key: String, value: String| Tags::from([(key, value)]);
        assert!(tags(&pair(long(128), long(256))).is_ok() && tags(&pair(long(1), long(257))).is_err());
        assert!(tags(&pair(String::new(), long(1))).is_err());
        assert!(tags(&(0..51).map(|number| (number.to_string(), String::new())).collect()).is_err());
    }

    #[test]
    fn the_first_zone_is_the_default() {
        let zones = ["a".to_owned(), "b".to_owned()];
        assert_eq!(zone(&zones, None), Ok("a"));
        assert_eq!(zone(&zones, Some("b")), Ok("b"));
        assert_eq!(zone(&zones, Some("c")).unwrap_err().code, Code::OutOfRange);
    }
}
