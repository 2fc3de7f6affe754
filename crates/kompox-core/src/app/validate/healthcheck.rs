//! `healthcheck`: readiness, checked often until the first success; liveness only where asked for.

use super::subject::Subject;
use super::{Findings, seconds};
use crate::app::codes;
use crate::app::validated::Healthcheck;
use kompox_compose::model::{Healthcheck as Check, HealthcheckTest};

/// The health check of a service; absent where there is none or it is disabled.
pub(super) fn validate(subject: &Subject<'_>, findings: &mut Findings) -> Option<Healthcheck> {
    let given = subject.service.healthcheck.as_ref().map(|check| &check.value);
    let command = given.and_then(command);
    let restarts = restarts(subject, command.is_some(), findings);
    let (check, command) = (given?, command?);
    note_durations(subject, check, findings);
    Some(Healthcheck {
        command,
        interval_seconds: seconds::ceil(check.interval()),
        timeout_seconds: seconds::ceil(check.timeout()),
        retries: i32::try_from(check.retries()).unwrap_or(i32::MAX),
        start_interval_seconds: seconds::ceil(check.start_interval()),
        restarts,
    })
}

fn command(check: &Check) -> Option<Vec<String>> {
    match &check.test {
        HealthcheckTest::Disabled => None,
        HealthcheckTest::Exec(words) => Some(words.clone()),
        HealthcheckTest::Shell(text) => Some(vec!["/bin/sh".to_owned(), "-c".to_owned(), text.clone()]),
    }
}

fn note_durations(subject: &Subject<'_>, check: &Check, findings: &mut Findings) {
    for (key, given) in [
        ("healthcheck.interval", &check.interval),
        ("healthcheck.timeout", &check.timeout),
        ("healthcheck.start_interval", &check.start_interval),
    ] {
        if let Some(duration) = given {
            seconds::whole(subject, key, duration, findings);
        }
    }
    if let Some(period) = check.start_period.as_ref().filter(|period| !period.value.is_zero()) {
        let message = "the start period lasts until the first success, however long that takes";
        findings.diagnose(subject.at(
            &codes::START_PERIOD,
            "healthcheck.start_period",
            &period.span,
            message,
        ));
    }
}

/// `x-kompox.livenessProbe: fromHealthcheck`.
fn restarts(subject: &Subject<'_>, has_check: bool, findings: &mut Findings) -> bool {
    let asked = subject.service.extension.liveness_from_healthcheck.as_ref().filter(|asked| asked.value);
    if let Some(asked) = asked.filter(|_| !has_check) {
        let message = "there is no health check to make a liveness probe of";
        findings.diagnose(
            subject
                .at(&codes::LIVENESS, "x-kompox.livenessProbe", &asked.span, message)
                .help("give the service a `healthcheck`, or remove `livenessProbe`"),
        );
    }
    asked.is_some() && has_check
}
