//! Why a write failed: the operation, the object and the server's refusal. What follows from it is
//! decided by the caller.

use super::Kind;
use crate::{backoff::REFUSED, refusal::Refusal, requests::explain};
use kompox_core::cloud::Retry;
use kube::{Resource, ResourceExt as _};
use std::{borrow::Cow, fmt};

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Server-side apply.
    Apply,
    /// Creation of an object that may not exist yet.
    Create,
    /// Reading the object that had the name already.
    Verify,
    /// Replacing an object.
    Replace,
    /// Replacing the status of an object.
    ReplaceStatus,
    /// Adding our finalizer.
    AddFinalizer,
    /// Removing our finalizer.
    RemoveFinalizer,
    /// Setting annotations.
    Annotate,
    /// Deletion.
    Delete,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Apply => "apply",
            Self::Create => "create",
            Self::Verify => "read the existing",
            Self::Replace => "replace",
            Self::ReplaceStatus => "write the status of",
            Self::AddFinalizer => "add the finalizer to",
            Self::RemoveFinalizer => "remove the finalizer from",
            Self::Annotate => "annotate",
            Self::Delete => "delete",
        })
    }
}

/// An object as people name it: `KompoxDisk shop/data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectName {
    kind: Cow<'static, str>,
    namespace: Option<String>,
    name: String,
}

impl ObjectName {
    /// The name of this object.
    pub fn of<K: Kind>(object: &K) -> Self {
        Self::new::<K>(object.namespace(), object.name_any())
    }

    /// The name of an object of kind `K`; `namespace` is absent for cluster-scoped kinds.
    pub fn new<K: Resource<DynamicType = ()>>(namespace: Option<String>, name: String) -> Self {
        Self { kind: K::kind(&()), namespace, name }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// Why a write failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused it or did not answer.
    #[error("failed to {operation} {object}: {}", explain(source))]
    Request {
        /// What was being done.
        operation: Operation,
        /// To which object.
        object: ObjectName,
        /// Why it failed, to branch on.
        refusal: Box<Refusal>,
        /// What the client says.
        source: Box<kube::Error>,
    },
    /// An object has the name and is not ours; it is left alone.
    #[error("failed to create {object}: an object of that name exists and does not belong to the operator")]
    NotOurs {
        /// The object.
        object: ObjectName,
    },
    /// The object was not read from the API server before it was to be changed.
    #[error("failed to change {object}: it carries no uid or no resourceVersion")]
    NotRead {
        /// The object.
        object: ObjectName,
    },
}

impl Error {
    pub(super) fn request(operation: Operation, object: ObjectName, source: kube::Error) -> Self {
        let refusal = Box::new(Refusal::of(&source));
        Self::Request { operation, object, refusal, source: Box::new(source) }
    }

    /// The server's refusal, where there was a request.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Request { refusal, .. } => Some(refusal),
            Self::NotOurs { .. } | Self::NotRead { .. } => None,
        }
    }

    /// When the write is worth repeating.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.refusal().map_or(REFUSED, Refusal::retry)
    }
}
