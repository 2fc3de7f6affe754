//! Durations and sizes in the notations of the Compose Specification.
//!
//! <https://github.com/compose-spec/compose-spec/blob/main/11-extension.md#specifying-durations> and
//! `#specifying-byte-values` there.

use std::time::Duration;

/// A duration such as `1m30s`, `1.5h`, `2d` or `1w`: Go's notation with days and weeks. No sign.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(number_end)?;
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit_end)?;
        total = total.checked_add(scaled(number, nanoseconds(unit)?)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

fn nanoseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60 * 1_000_000_000,
        "h" => 3_600 * 1_000_000_000,
        "d" => 86_400 * 1_000_000_000,
        "w" => 604_800 * 1_000_000_000,
        _ => return None,
    })
}

/// A decimal number times a unit, exact to the nanosecond. Like Go's durations at most 2^63 - 1 ns.
fn scaled(number: &str, unit: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut nanoseconds = whole.checked_mul(unit)?;
    let mut scale = unit;
    for digit in fraction.bytes() {
        scale /= 10;
        nanoseconds = nanoseconds.checked_add(u64::from(digit - b'0') * scale)?;
    }
    (nanoseconds <= i64::MAX.unsigned_abs()).then(|| Duration::from_nanos(nanoseconds))
}

/// A size in bytes such as `64m`, `1gb`, `512`: powers of 1024, any letter case.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let lower = text.trim().to_ascii_lowercase();
    let digits_end = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
    let (digits, unit) = lower.split_at_checked(digits_end)?;
    let number: u64 = digits.parse().ok()?;
    let factor: u64 = match unit.trim_start() {
        "" | "b" => 1,
        "k" | "kb" | "ki" | "kib" => 1 << 10,
        "m" | "mb" | "mi" | "mib" => 1 << 20,
        "g" | "gb" | "gi" | "gib" => 1 << 30,
        "t" | "tb" | "ti" | "tib" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let good = [
            ("30s", 30_000),
            ("1m30s", 90_000),
            ("1.5h", 5_400_000),
            ("10ms", 10),
            ("2d", 172_800_000),
            ("1w", 604_800_000),
            ("0", 0),
            ("0s", 0),
            (".5s", 500),
        ];
        for (text, milliseconds) in good {
            assert_eq!(duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(duration("1us5ns"), Some(Duration::from_nanos(1005)));
        for text in ["", "30", "s", "1x", "-1s", "1..5s", ".s", "1s2", "999999999999w", "1 s", "+1s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes() {
        let good =
            [("512", 512), ("1b", 1), ("64m", 64 << 20), ("1GB", 1 << 30), ("2kb", 2048), ("1 g", 1 << 30)];
        for (text, expected) in good {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
        for text in ["", "m", "-1", "1.5m", "1x", "99999999999999t"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
