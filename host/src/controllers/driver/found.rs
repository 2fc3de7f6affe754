//! What a source gives: a component, or why there is none. Values only.

use super::report::{Refusal, Stage};
use kompox_crds::Reason;
use kompox_driver_runtime::{LoadError, LoadedDriver};
use std::{sync::Arc, time::Duration};

/// A component, or why there is none.
pub(super) type Component = Result<Arc<LoadedDriver>, Refusal>;

/// What a source gave.
pub(super) struct Found {
    pub(super) component: Component,
    /// Whose signature it has, if one was asked for.
    pub(super) verified_by: Option<String>,
    /// What is worth knowing though the component is there.
    pub(super) note: Option<String>,
    /// When to look again though nothing changes here.
    pub(super) again: Option<Duration>,
}

impl Found {
    pub(super) fn refused(refusal: Refusal) -> Self {
        Self::from(Err(refusal))
    }
}

impl From<Component> for Found {
    fn from(component: Component) -> Self {
        Self { component, verified_by: None, note: None, again: None }
    }
}

/// What a component depends on: as long as it is the same, nothing is read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Version {
    ConfigMap {
        /// The ConfigMap's uid and resourceVersion.
        stored: (Option<String>, Option<String>),
        key: String,
        pin: Option<String>,
    },
    Artifact {
        /// The digest of its manifest.
        manifest: String,
        pin: Option<String>,
        verified_by: Option<String>,
    },
}

/// A component that is no driver.
pub(super) fn refused(error: &LoadError) -> Refusal {
    let reason = match error {
        LoadError::Describe(_) => Reason::DriverFailed,
        _ => Reason::DriverIncompatible,
    };
    Refusal::new(Stage::Compiled, reason, error.to_string())
}
