//! Durations and sizes in the notations of the Compose Specification.
//!
//! <https://github.com/compose-spec/compose-spec/blob/main/11-extension.md#specifying-durations> and
//! `#specifying-byte-values` there.

use std::time::Duration;

/// A duration such as `1m30s`, `1.5h`, `2d` or `1w`: Go's notation with days and weeks. No sign.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
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

/// The notation of Go's `time.Duration`: `1m30s`, `1.5s`, `250ms`, `0s`.
pub(crate) fn go_duration(duration: Duration) -> String {
    let nanos = duration.subsec_nanos();
    let seconds = duration.as_secs();
    let decimal = |whole: u64, part: u32, width: usize| {
        let digits = format!("{part:0width$}");
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() { whole.to_string() } else { format!("{whole}.{digits}") }
    };
    if seconds == 0 {
        return match nanos {
            0 => "0s".to_owned(),
            1..1_000 => format!("{nanos}ns"),
            1_000..1_000_000 => format!("{}µs", decimal(u64::from(nanos / 1_000), nanos % 1_000, 3)),
            _ => format!("{}ms", decimal(u64::from(nanos / 1_000_000), nanos % 1_000_000, 6)),
        };
    }
    let rest = format!("{}s", decimal(seconds % 60, nanos, 9));
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => rest,
        (0, minutes) => format!("{minutes}m{rest}"),
        (hours, minutes) => format!("{hours}h{minutes}m{rest}"),
    }
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

/// A size in bytes such as `64m`, `1gb`, `1.5g`, `512`: powers of 1024, any letter case.
#[must_use]
pub fn bytes(text: &str) -> Option<u64> {
    let lower = text.trim().to_ascii_lowercase();
    let digits_end = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (digits, unit) = lower.split_at_checked(digits_end)?;
    let factor: u64 = match unit.strip_prefix(' ').unwrap_or(unit) {
        "" | "b" => 1,
        "k" | "kb" | "ki" | "kib" => 1 << 10,
        "m" | "mb" | "mi" | "mib" => 1 << 20,
        "g" | "gb" | "gi" | "gib" => 1 << 30,
        "t" | "tb" | "ti" | "tib" => 1 << 40,
        "p" | "pb" | "pi" | "pib" => 1 << 50,
        _ => return None,
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: u64 = whole.parse().ok()?;
    let part: u128 = match fraction {
        "" => 0,
        digits if digits.len() > 18 => return None,
        digits => u128::from(digits.parse::<u64>().ok()?),
    };
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let total = u128::from(whole) * u128::from(factor) + part * u128::from(factor) / scale;
    u64::try_from(total).ok().filter(|total| *total <= i64::MAX.unsigned_abs())
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
    fn durations_print_as_in_go() {
        let cases = [
            ("0", "0s"),
            ("90s", "1m30s"),
            ("1.5s", "1.5s"),
            ("250ms", "250ms"),
            ("1h", "1h0m0s"),
            ("2d", "48h0m0s"),
            ("1us5ns", "1.005µs"),
            ("3ns", "3ns"),
        ];
        for (text, expected) in cases {
            assert_eq!(duration(text).map(go_duration).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn sizes() {
        let good = [
            ("512", 512),
            ("1b", 1),
            ("64m", 64 << 20),
            ("1GB", 1 << 30),
            ("2kb", 2048),
            ("1 g", 1 << 30),
            ("1.5k", 1536),
        ];
        for (text, expected) in good {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
        for text in ["", "m", "-1", "1.5.5m", "1x", "99999999999999t"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
