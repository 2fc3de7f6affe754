//! What the operator checks before it takes a component, and what it relies on later: functions that may not use the
//! network do not try, and answer twice the same. Shared by `driver verify` and `driver push`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kompox_core::driver::{Call, ClusterIdentity, Credentials, DiskRequest, Driver as _, ErrorCode, Facts};
use kompox_driver_runtime::{LoadedDriver, Observer, RequestDenied, digest};

use crate::console::{Activity, note};
use crate::failure::Failure;

/// How long one call of a check may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A check and what came of it: what was found, or what is wrong.
pub(super) struct Check {
    /// What was looked at.
    pub(super) name: &'static str,
    /// What was found, or what is wrong.
    pub(super) outcome: Result<String, String>,
}

/// All checks of a component.
pub(super) struct Checked {
    /// Each with its outcome.
    pub(super) checks: Vec<Check>,
    driver: Option<Arc<LoadedDriver>>,
}

impl Check {
    /// A line for people.
    pub(super) fn line(&self) -> String {
        match &self.outcome {
            Ok(found) => format!("ok      {}: {found}", self.name),
            Err(wrong) => format!("FAILED  {}: {wrong}", self.name),
        }
    }
}

impl Checked {
    /// The driver, if every check passed; else those that failed are shown.
    ///
    /// # Errors
    /// When a check failed.
    pub(super) fn passed(self, origin: &str) -> Result<Arc<LoadedDriver>, Failure> {
        let failed: Vec<&Check> = self.checks.iter().filter(|check| check.outcome.is_err()).collect();
        failed.iter().for_each(|check| note(check.line()));
        let refused = || Failure::Driver { origin: origin.to_owned(), failed: failed.len() };
        if failed.is_empty() { self.driver.ok_or_else(refused) } else { Err(refused()) }
    }
}

/// Checks a component, whose digest must be `pin`.
///
/// # Errors
/// When the runtime does not start. What is wrong with the component is a check that failed.
pub(super) async fn of(bytes: Vec<u8>, pin: Option<&str>) -> Result<Checked, Failure> {
    let denied = Arc::new(Denied::default());
    let runtime = super::runtime(Arc::clone(&denied) as Arc<dyn Observer>)?;
    let _activity = Activity::start("checking the component");
    let mut checks = vec![pinned(&bytes, pin)];
    let driver = match runtime.load(bytes.clone()).await {
        Err(error) => {
            checks.push(Check { name: "component", outcome: Err(error.to_string()) });
            None
        }
        Ok(driver) => {
            checks.push(introduced(&driver));
            let again = runtime.load(bytes).await.map_err(|error| error.to_string());
            checks.push(described_twice(&driver, again));
            checks.push(pure(&driver).await);
            checks.push(silent(&denied));
            Some(driver)
        }
    };
    Ok(Checked { checks, driver })
}

fn pinned(bytes: &[u8], pin: Option<&str>) -> Check {
    let found = digest(bytes);
    let outcome = match pin {
        Some(pin) if pin != found => Err(format!("it is {found}, and shall be {pin}")),
        _ => Ok(found),
    };
    Check { name: "digest", outcome }
}

fn introduced(driver: &LoadedDriver) -> Check {
    let descriptor = driver.descriptor();
    let types: Vec<&str> = descriptor.providers.iter().map(|provider| provider.type_.as_str()).collect();
    let found = format!("{} {} serves {}", descriptor.name, descriptor.version, types.join(", "));
    Check { name: "component", outcome: Ok(found) }
}

fn described_twice(driver: &LoadedDriver, again: Result<Arc<LoadedDriver>, String>) -> Check {
    let outcome = again.and_then(|again| {
        let same = again.descriptor() == driver.descriptor();
        same.then(|| "the same twice".to_owned())
            .ok_or_else(|| "`describe` answers differently each time".to_owned())
    });
    Check { name: "descriptor", outcome }
}

/// Calls the functions that decide without a cloud, twice each.
async fn pure(driver: &LoadedDriver) -> Check {
    let outcome = match asked(driver).await {
        Ok(first) => match asked(driver).await {
            Ok(second) if second == first => Ok("`detect` and `plan` answer the same twice".to_owned()),
            Ok(_) => Err("`detect` or `plan` answers differently each time".to_owned()),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    Check { name: "pure functions", outcome }
}

/// What the pure functions say of an empty cluster and of a small disk. Refusing such a disk is an answer; a trap is
/// not.
async fn asked(driver: &LoadedDriver) -> Result<Vec<String>, String> {
    let mut answers = Vec::new();
    for provider in &driver.descriptor().providers {
        let call = call(&provider.type_);
        let detected =
            driver.detect(&call, &Facts::default()).await.map_err(|error| format!("`detect`: {error}"))?;
        answers.push(format!("{detected:?}"));
        let request = DiskRequest { size_bytes: 1 << 30, ..DiskRequest::default() };
        match driver.plan(&call, &request).await {
            Ok(plan) => answers.push(format!("{plan:?}")),
            Err(error) if matches!(error.code, ErrorCode::Internal | ErrorCode::DeadlineExceeded) => {
                return Err(format!("`plan`: {error}"));
            }
            Err(error) => answers.push(error.to_string()),
        }
    }
    Ok(answers)
}

fn call(provider_type: &str) -> Call {
    Call {
        provider_type: provider_type.to_owned(),
        config: [].into(),
        cluster: ClusterIdentity::default(),
        credentials: Credentials::default(),
        subject: "verify".to_owned(),
        timeout: TIMEOUT,
    }
}

/// Counts requests that were refused.
#[derive(Default)]
struct Denied(AtomicU32);

impl Observer for Denied {
    fn request_denied(&self, _event: &RequestDenied<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn silent(denied: &Denied) -> Check {
    let outcome = match denied.0.load(Ordering::Relaxed) {
        0 => Ok("no request was tried".to_owned()),
        count => Err(format!("`describe`, `detect` or `plan` tried {count} request(s)")),
    };
    Check { name: "network", outcome }
}
