//! Durations in whole seconds, as Kubernetes counts.

use super::Findings;
use super::subject::Subject;
use crate::app::codes;
use kompox_compose::Spanned;
use std::time::Duration;

/// Rounded up, at least 1.
pub(super) fn ceil(duration: Duration) -> i32 {
    let seconds = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    i32::try_from(seconds.max(1)).unwrap_or(i32::MAX)
}

/// Rounded up, with a finding when that changes it.
pub(super) fn whole(
    subject: &Subject<'_>,
    key: &str,
    duration: &Spanned<Duration>,
    findings: &mut Findings,
) -> i32 {
    let seconds = ceil(duration.value);
    if duration.value.subsec_nanos() > 0 {
        let message = format!("{:?} is rounded up to {seconds} s", duration.value);
        findings.diagnose(subject.at(&codes::ROUNDED_DURATION, key, &duration.span, message));
    }
    seconds
}
