//! `Retry-After` (RFC 9110, 10.2.3), in both its forms.
//!
//! A date is compared with the response's own `Date`, not with a clock: the answer stays the same
//! for the same response, and the two machines' clocks need not agree.

use super::Response;

/// A wish longer than a day is cut to a day.
const MAX_MS: u64 = 24 * 60 * 60 * 1000;

/// When the server wants to be asked again, in milliseconds, at most a day.
#[must_use]
pub fn retry_after_ms(response: &Response) -> Option<u32> {
    let value = response.header("retry-after")?.trim();
    let milliseconds = match value.parse::<u64>() {
        Ok(seconds) => seconds.saturating_mul(1000),
        Err(_) => {
            let then = unix_seconds(value)?;
            let now = unix_seconds(response.header("date")?.trim())?;
            then.saturating_sub(now).saturating_mul(1000)
        }
    };
    u32::try_from(milliseconds.min(MAX_MS)).ok()
}

/// Seconds since 1970 of an IMF-fixdate (`Sun, 06 Nov 1994 08:49:37 GMT`), the one form that servers
/// may send.
fn unix_seconds(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let day: u64 = words.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
    let month_name = words.next()?;
    let month = u64::try_from(MONTHS.iter().position(|name| *name == month_name)?).ok()? + 1;
    let year: u64 = words.next()?.parse().ok().filter(|year| (1970..=9999).contains(year))?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if words.next() != Some("GMT") || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(days(year, month, day)? * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Days from 1970-01-01 in the Gregorian calendar, counted in years that begin in March.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let leaps = year / 4 - year / 100 + year / 400;
    (365 * year + leaps + (153 * month + 2) / 5 + day - 1).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::{retry_after_ms, unix_seconds};
    use crate::http::Response;

    fn response(headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Response { status: 503, headers, body: vec![] }
    }

    #[test]
    fn both_forms_are_read() {
        let date = ("Date", "Thu, 31 Dec 2026 23:59:30 GMT");
        for (headers, expected) in [
            (vec![], None),
            (vec![("Retry-After", "15")], Some(15_000)),
            (vec![("retry-after", " 0 ")], Some(0)),
            (vec![("Retry-After", "99999999999999")], Some(86_400_000)),
            (vec![date, ("Retry-After", "Fri, 01 Jan 2027 00:00:00 GMT")], Some(30_000)),
            (vec![date, ("Retry-After", "Thu, 31 Dec 2026 00:00:00 GMT")], Some(0)),
            (vec![("Retry-After", "Fri, 01 Jan 2027 00:00:00 GMT")], None),
            (vec![date, ("Retry-After", "soon")], None),
            (vec![date, ("Retry-After", "-1")], None),
        ] {
            assert_eq!(retry_after_ms(&response(&headers)), expected, "{headers:?}");
        }
    }

    #[test]
    fn dates_match_the_calendar() {
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Thu, 29 Feb 2024 12:00:00 GMT", Some(1_709_208_000)),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 06 Foo 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:49:37 GMT", None),
            ("", None),
        ] {
            assert_eq!(unix_seconds(text), expected, "{text}");
        }
    }
}
