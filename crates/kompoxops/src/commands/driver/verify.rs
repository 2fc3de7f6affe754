//! `kompoxops driver verify`: what the operator checks before it takes a driver, and what it relies on later:
//! functions that may not use the network do not try, and answer twice the same.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use clap::{Args, ValueEnum};
use kompox_core::driver::{Call, ClusterIdentity, Credentials, DiskRequest, Driver as _, ErrorCode, Facts};
use kompox_driver_runtime::{LoadedDriver, Observer, RequestDenied, digest};
use serde_json::json;

use crate::failure::Failure;
use crate::output;

/// Checks a component as the operator does before it takes it, and that its pure functions are pure. Needs no cluster;
/// nothing of the driver reaches any network.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Component: a file that ends in .wasm, .wasm.gz or .wasm.zst
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Digest that the component must have, as in `spec.source.digest` of a KompoxDriver
    #[arg(long, value_name = "sha256:HEX")]
    digest: Option<String>,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops driver verify my-cloud.wasm
  kompoxops driver verify my-cloud.wasm.zst --digest sha256:3b0c…

Exit codes: 0 every check passed; 3 one failed.";

/// How checks are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each check
    #[default]
    Text,
    /// One JSON object
    Json,
}

/// How long one call of a check may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A check and what came of it: what was found, or what is wrong.
struct Check {
    name: &'static str,
    outcome: Result<String, String>,
}

/// Runs the command.
///
/// # Errors
/// When the file cannot be read, a check fails, or standard output cannot be written.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let denied = Arc::new(Denied::default());
    let runtime = super::runtime(Arc::clone(&denied) as Arc<dyn Observer>)?;
    let bytes = super::component(&arguments.file, runtime.limits().component_bytes)?;
    let mut checks = vec![pinned(&bytes, arguments.digest.as_deref())];
    match runtime.load(bytes.clone()).await {
        Err(error) => checks.push(Check { name: "component", outcome: Err(error.to_string()) }),
        Ok(driver) => {
            checks.push(introduced(&driver));
            let again = runtime.load(bytes).await.map_err(|error| error.to_string());
            checks.push(described_twice(&driver, again));
            checks.push(pure(&driver).await);
            checks.push(silent(&denied));
        }
    }
    print(arguments, &checks)?;
    match checks.iter().filter(|check| check.outcome.is_err()).count() {
        0 => Ok(()),
        failed => Err(Failure::Driver { path: arguments.file.clone(), failed }),
    }
}

fn print(arguments: &Arguments, checks: &[Check]) -> Result<(), Failure> {
    let text = |check: &Check| match &check.outcome {
        Ok(found) => format!("ok      {}: {found}\n", check.name),
        Err(wrong) => format!("FAILED  {}: {wrong}\n", check.name),
    };
    let object = |check: &Check| {
        let (Ok(message) | Err(message)) = &check.outcome;
        json!({"check": check.name, "passed": check.outcome.is_ok(), "message": message})
    };
    output::print(&match arguments.output {
        Format::Text => checks.iter().map(text).collect::<String>(),
        Format::Json => output::to_json(&json!({
            "apiVersion": output::API_VERSION,
            "kind": "DriverVerification",
            "accepted": checks.iter().all(|check| check.outcome.is_ok()),
            "checks": checks.iter().map(object).collect::<Vec<_>>(),
        }))?,
    })
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
