//! The operator as a child of the supervisor: where it is, how it is started.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use kompox_crds::names::OPERATOR_NAMESPACE;
use kompox_devcluster::process::ProcessId;
use tokio::process::{Child, Command};

use super::layout::Layout;
use super::state::OperatorState;
use crate::failure::Failure;

/// Name of the executable.
const NAME: &str = "kompox-operator";

/// An operator that was started.
#[derive(Debug)]
pub struct Operator {
    /// What other processes may know of it.
    pub state: OperatorState,
    /// Killed when this is dropped.
    pub child: Child,
}

/// Looks beside this program, where builds and packages put both.
///
/// # Errors
/// Why there is none, in words for the user.
pub fn find() -> Result<PathBuf, String> {
    let beside =
        std::env::current_exe().map_err(|error| format!("this program cannot find itself: {error}"))?;
    let path = beside.with_file_name(NAME);
    if path.is_file() {
        return Ok(path);
    }
    Err(format!(
        "{} does not exist; build it with `cargo build -p kompox-operator`, then `kompoxops dev down` and `up`",
        path.display()
    ))
}

/// Starts the operator against the development cluster. In `network` its drivers may use plain HTTP.
///
/// # Errors
/// When it cannot be started.
pub fn start(
    program: &Path,
    kubeconfig: &Path,
    network: Option<&str>,
    layout: &Layout,
) -> Result<Operator, Failure> {
    let log = layout.operator_log();
    let broken =
        |error: std::io::Error| Failure::Dev(format!("failed to start {}: {error}", program.display()));
    let output = File::create(&log).map_err(broken)?;
    let child = Command::new(program)
        .args(arguments(program))
        .args(network.map(|network| format!("--allow-plain-http-cidr={network}")))
        .env("KUBECONFIG", kubeconfig)
        .stdin(Stdio::null())
        .stdout(output.try_clone().map_err(broken)?)
        .stderr(output)
        .kill_on_drop(true)
        .spawn()
        .map_err(broken)?;
    let pid = child.id().ok_or_else(|| broken(std::io::Error::other("it ended at once")))?;
    let process = ProcessId::of(pid).map_err(broken)?;
    Ok(Operator { state: OperatorState { process, log }, child })
}

/// The operator's flags: the built-in drivers lie beside it; any free port, since several may run on a machine.
/// What is not set here can be set by its `KOMPOX_*` variables, which it inherits from `dev up`.
fn arguments(program: &Path) -> Vec<std::ffi::OsString> {
    let drivers = program.with_file_name("drivers");
    vec![
        "--drivers-dir".into(),
        drivers.into(),
        "--namespace".into(),
        OPERATOR_NAMESPACE.into(),
        "--listen=127.0.0.1:0".into(),
        "--log-format=text".into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drivers_are_those_beside_the_operator() {
        let arguments = arguments(Path::new("/opt/kompox/kompox-operator"));
        let expected = ["--drivers-dir", "/opt/kompox/drivers", "--namespace", "k4x-system"];
        assert_eq!(arguments[..4], expected.map(std::ffi::OsString::from));
        assert!(arguments.contains(&"--listen=127.0.0.1:0".into()));
    }

    #[test]
    fn a_missing_operator_is_named_with_the_remedy() {
        let text = find().unwrap_err();
        assert!(text.contains("kompox-operator does not exist") && text.contains("cargo build"), "{text}");
    }
}
