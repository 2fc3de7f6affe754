//! What an answer says about when to come again. `Retry-After` (RFC 9110, 10.2.3) in both its forms.

use http::{HeaderMap, Response, StatusCode, header};
use std::time::{Duration, SystemTime};

/// Longest wish that is followed.
const LONGEST: Duration = Duration::from_secs(3600);
/// For a server that wants fewer requests and does not say when.
const UNSAID: Duration = Duration::from_secs(1);

/// For how long the account shall not ask again: the answer 429, and 503 where it names a time. Others
/// use the header too, for operations that go on.
pub(crate) fn asked_for<B>(response: &Response<B>, now: SystemTime) -> Option<Duration> {
    let wish = retry_after(response.headers(), now);
    match response.status() {
        StatusCode::TOO_MANY_REQUESTS => Some(wish.unwrap_or(UNSAID)),
        StatusCode::SERVICE_UNAVAILABLE => wish,
        _ => None,
    }
}

/// When the server wants to be asked again; a wish of more than an hour is cut to an hour.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wish = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => until(text, now)?,
    };
    Some(wish.min(LONGEST))
}

/// A date in the past is now.
fn until(date: &str, now: SystemTime) -> Option<Duration> {
    let then = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    Some(SystemTime::from(then).duration_since(now).unwrap_or_default())
}
