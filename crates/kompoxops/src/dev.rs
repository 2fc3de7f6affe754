//! The development cluster behind `kompoxops dev`: a supervisor process owns the control plane, the nodes, the
//! disks, the ingress and the operator; the commands talk to it through a state file and signals.
//!
//! Everything lives below one folder, and is ended by process identity, never by name.

pub mod disks;
pub mod install;
pub mod layout;
pub mod operator;
pub mod state;
pub mod supervisor;

use std::error::Error;

use crate::failure::Failure;

/// A failure with its causes in one line.
pub(crate) fn failed(error: &dyn Error) -> Failure {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Some libraries repeat the cause in their own text.
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    Failure::Dev(text)
}
