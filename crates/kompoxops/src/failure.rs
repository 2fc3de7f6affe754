//! Why a command failed, in words for the person at the keyboard, and its exit code. No printing here.

use std::path::PathBuf;
use std::time::Duration;

/// Everything worked.
pub const OK: u8 = 0;
/// The command failed.
pub const FAILED: u8 = 1;
/// The command line is wrong; clap uses the same number.
pub const USAGE: u8 = 2;
/// A Compose file, an env file or an option's value is wrong.
pub const INVALID_INPUT: u8 = 3;
/// It did not become ready in time.
pub const NOT_READY: u8 = 4;
/// Refused because data could be lost, or objects would stop working.
pub const REFUSED: u8 = 5;
/// Ended by Ctrl-C: 128 + SIGINT, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// A failure names the object and, where there is one, the remedy. Its [`exit_code`](Self::exit_code) is API.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file given by the user cannot be read.
    #[error("failed to read {}: {source}", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("failed to write {}: {source}", path.display())]
    WriteFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file given by the user is unusable; the message says why and what to do.
    #[error("{}: {message}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong and the remedy.
        message: String,
    },
    /// The Compose project has errors, which were printed with file and line.
    #[error("the Compose file has {errors} error(s); nothing was changed")]
    Compose {
        /// How many.
        errors: usize,
    },
    /// A driver does not pass the checks, which were printed.
    #[error("{origin} would be refused: {failed} check(s) failed")]
    Driver {
        /// The file or reference.
        origin: String,
        /// How many.
        failed: usize,
    },
    /// A registry does not do what was asked, or holds something else.
    #[error("{source}{}", Self::remedy(remedy))]
    Registry {
        /// What failed, with what, and why.
        source: Box<kompox_oci::Error>,
        /// What to do; may be empty.
        remedy: String,
    },
    /// The user's credentials for a registry cannot be read.
    #[error("{}", Self::causes(.0.as_ref()))]
    Credentials(#[source] Box<kompox_oci::UserConfigError>),
    /// Artifacts in files cannot be read or written.
    #[error("{}", Self::causes(.0.as_ref()))]
    Layout(#[source] Box<kompox_oci::LayoutError>),
    /// An artifact is not signed as it must be.
    #[error("{0}")]
    Unverified(#[source] Box<kompox_signature::Refusal>),
    /// What stands on the command line, or was typed, does not fit.
    #[error("{argument}: {message}")]
    Argument {
        /// The argument.
        argument: String,
        /// What is wrong and the remedy.
        message: String,
    },
    /// There is no such code.
    #[error("there is no code or reason '{code}'; near are {near}; `kompoxops explain` lists all")]
    UnknownCode {
        /// What was asked for.
        code: String,
        /// The nearest ones.
        near: String,
    },
    /// An option's value does not fit.
    #[error("--{option}: {message}")]
    Option {
        /// Long name of the option.
        option: &'static str,
        /// What is wrong and the remedy.
        message: String,
    },
    /// There is no usable kubeconfig, context or cluster.
    #[error(
        "failed to load the Kubernetes configuration: {0}\n  remedy: choose a cluster with KUBECONFIG, --kubeconfig or --context, or start a local one with `kompoxops dev up`"
    )]
    Kubeconfig(#[source] Box<kube::config::KubeconfigError>),
    /// The client cannot be made from the configuration.
    #[error("failed to set up the Kubernetes client: {0}")]
    Client(#[source] Box<kube::Error>),
    /// A request about one object or kind failed.
    #[error("failed to {action} {object}: {}", Self::explain(source))]
    Request {
        /// The verb: `apply`, `list`, `watch` …
        action: &'static str,
        /// Kind and name, with the namespace where it has one.
        object: String,
        /// What the API server said.
        source: Box<kube::Error>,
    },
    /// An object that must be there is not.
    #[error("{object} does not exist\n  remedy: {remedy}")]
    Missing {
        /// Kind and name.
        object: String,
        /// What to do.
        remedy: String,
    },
    /// The operator says that the object cannot become ready without a change.
    #[error("{object} cannot become ready: {reason}: {message}")]
    Stalled {
        /// Kind and name.
        object: String,
        /// Reason of its `Stalled` condition.
        reason: String,
        /// Message of its `Stalled` condition.
        message: String,
    },
    /// It would harm what others rely on.
    #[error("{object} is left as it is: {message}")]
    Refused {
        /// Kind and name.
        object: String,
        /// Why, and how to go on.
        message: String,
    },
    /// The time given was not enough.
    #[error("{what} is not ready after {} s: {state}", after.as_secs())]
    Timeout {
        /// Kind and name.
        what: String,
        /// How long was waited.
        after: Duration,
        /// Its last known state.
        state: String,
    },
    /// Output cannot be made or written.
    #[error("failed to write the output: {0}")]
    Output(String),
    /// The development cluster's own files or processes are not as they should be.
    #[error("development cluster: {0}")]
    Dev(String),
    /// The development cluster is not there, or not yet ready.
    #[error("the development cluster {state}")]
    NotRunning {
        /// What it is instead, and the remedy.
        state: String,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// A failed request about `object`.
    pub fn request(action: &'static str, object: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let object = object.into();
        move |source| Self::Request { action, object, source: Box::new(source) }
    }

    fn remedy(remedy: &str) -> String {
        if remedy.is_empty() { String::new() } else { format!("\n  remedy: {remedy}") }
    }

    /// An error whose own text leaves out what caused it.
    fn causes(error: &dyn std::error::Error) -> String {
        let causes = std::iter::successors(Some(error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    /// The process's exit code for this failure.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::ReadFile { .. }
            | Self::BadFile { .. }
            | Self::Compose { .. }
            | Self::Driver { .. }
            | Self::Credentials(_)
            | Self::Layout(_)
            | Self::Unverified(_)
            | Self::UnknownCode { .. }
            | Self::Argument { .. }
            | Self::Option { .. } => INVALID_INPUT,
            Self::Registry { source, .. } if matches!(**source, kompox_oci::Error::Artifact { .. }) => {
                INVALID_INPUT
            }
            Self::Timeout { .. } | Self::NotRunning { .. } => NOT_READY,
            Self::Refused { .. } => REFUSED,
            Self::Interrupted => INTERRUPTED,
            Self::Kubeconfig(_)
            | Self::Client(_)
            | Self::Request { .. }
            | Self::Missing { .. }
            | Self::Stalled { .. }
            | Self::Registry { .. }
            | Self::WriteFile { .. }
            | Self::Output(_)
            | Self::Dev(_) => FAILED,
        }
    }

    /// The server's refusal with a remedy for the usual ones. Branches on codes, never on text.
    fn explain(error: &kube::Error) -> String {
        let kube::Error::Api(status) = error else {
            return format!("{error}\n  remedy: check that the cluster of this context is reachable");
        };
        let message = &status.message;
        match status.code {
            401 => {
                format!("{message}\n  remedy: the credentials of this context are not accepted; renew them")
            }
            403 => {
                format!("{message}\n  remedy: ask an administrator of the cluster for the missing permission")
            }
            404 => format!(
                "{message}\n  remedy: the Kompox CRDs or the namespace may be missing; install them first"
            ),
            409 => format!(
                "{message}\n  remedy: another field manager owns these fields; change the object there, or repeat with --force-conflicts"
            ),
            _ => message.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: u16) -> Failure {
        let status = kube::core::Status::failure("said the server", "Reason").with_code(code);
        Failure::request("apply", "KompoxDisk/default")(kube::Error::Api(status.boxed()))
    }

    #[test]
    fn a_refusal_names_object_cause_and_remedy() {
        let text = refusal(403).to_string();
        assert!(
            text.starts_with("failed to apply KompoxDisk/default: said the server\n  remedy: ask"),
            "{text}"
        );
        assert_eq!(refusal(422).to_string(), "failed to apply KompoxDisk/default: said the server");
    }

    #[test]
    fn exit_codes_are_those_of_the_reference() {
        let bad = Failure::Option { option: "config", message: "must be KEY=VALUE".into() };
        assert_eq!(bad.exit_code(), 3);
        let late = Failure::Timeout { what: "app".into(), after: Duration::from_secs(1), state: "x".into() };
        assert_eq!(late.exit_code(), 4);
        assert_eq!(Failure::Interrupted.exit_code(), 130);
        assert_eq!(refusal(500).exit_code(), 1);
    }
}
