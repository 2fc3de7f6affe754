//! Health checks (<https://github.com/compose-spec/compose-spec/blob/main/05-services.md#healthcheck>).

use std::time::Duration;

use crate::span::Spanned;

/// Health check. The accessors give Docker's defaults for what the file leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healthcheck {
    /// The test.
    pub test: HealthcheckTest,
    /// Time between two tests.
    pub interval: Option<Spanned<Duration>>,
    /// Time after which a test has failed.
    pub timeout: Option<Spanned<Duration>>,
    /// Failures in a row that make the container unhealthy; at least 1.
    pub retries: Option<Spanned<u32>>,
    /// Time after the start in which failures do not count.
    pub start_period: Option<Spanned<Duration>>,
    /// Time between two tests during the start period.
    pub start_interval: Option<Spanned<Duration>>,
}

/// What a health check runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthcheckTest {
    /// `disable: true` or `["NONE"]`: no check, not even the image's.
    Disabled,
    /// `["CMD", …]`: a program and its arguments; never empty.
    Exec(Vec<String>),
    /// `["CMD-SHELL", text]` or a string: text for the container's `/bin/sh -c`; never empty.
    Shell(String),
}

impl Healthcheck {
    /// Time between two tests: 30 s unless the file says otherwise.
    #[must_use]
    pub fn interval(&self) -> Duration {
        value_or(self.interval.as_ref(), Duration::from_secs(30))
    }

    /// Time after which a test has failed: 30 s unless the file says otherwise.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        value_or(self.timeout.as_ref(), Duration::from_secs(30))
    }

    /// Failures in a row that make the container unhealthy: 3 unless the file says otherwise.
    #[must_use]
    pub fn retries(&self) -> u32 {
        self.retries.as_ref().map_or(3, |retries| retries.value)
    }

    /// Time after the start in which failures do not count: none unless the file says otherwise.
    #[must_use]
    pub fn start_period(&self) -> Duration {
        value_or(self.start_period.as_ref(), Duration::ZERO)
    }

    /// Time between two tests during the start period: 5 s unless the file says otherwise.
    #[must_use]
    pub fn start_interval(&self) -> Duration {
        value_or(self.start_interval.as_ref(), Duration::from_secs(5))
    }
}

/// Docker takes zero for "not set" in health checks.
fn value_or(value: Option<&Spanned<Duration>>, default: Duration) -> Duration {
    value.map(|value| value.value).filter(|value| !value.is_zero()).unwrap_or(default)
}
