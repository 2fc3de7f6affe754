//! What can go wrong with a registry: the step, the artifact, and a fault that the caller can tell from others.

use crate::{artifact::ArtifactError, digest::Digest, reference::ReferenceError, store::StoreError};
use std::{fmt, time::Duration};

/// The step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Preparing the connection.
    Connect,
    /// Asking which manifest a tag names.
    Resolve,
    /// Reading a manifest.
    Manifest,
    /// Reading the config or the layer.
    Blob,
    /// Looking for signatures.
    Signatures,
    /// Writing to the registry.
    Push,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "prepare the connection for",
            Self::Resolve => "resolve",
            Self::Manifest => "read the manifest of",
            Self::Blob => "pull",
            Self::Signatures => "look for signatures of",
            Self::Push => "push",
        })
    }
}

/// What a registry answered, or why it did not.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It asks for credentials, and there are none for it.
    #[error("the registry asks for credentials and there are none for it (401)")]
    Unauthenticated,
    /// It does not take the credentials.
    #[error("the registry does not accept the credentials (401)")]
    BadCredentials,
    /// The credentials do not reach this far.
    #[error("the registry denies access to the repository")]
    Forbidden,
    /// There is no such repository, tag or digest.
    #[error("the registry does not have it (404)")]
    NotFound,
    /// Too many requests.
    #[error("the registry asks to wait: too many requests (429)")]
    Throttled {
        /// How long, if it says.
        after: Option<Duration>,
    },
    /// Its certificate is signed by nobody that is trusted.
    #[error("the certificate of the registry is signed by an authority that is not trusted")]
    UnknownAuthority,
    /// Its certificate is not good for another reason.
    #[error("the certificate of the registry is not accepted: {0}")]
    Certificate(String),
    /// It does not speak TLS.
    #[error("the registry does not answer with TLS: it may speak plain HTTP")]
    NotTls,
    /// Nobody listens.
    #[error("nothing listens at the address of the registry (connection refused)")]
    Refused,
    /// It did not answer in time.
    #[error("the registry did not answer in time")]
    Timeout,
    /// It cannot be reached.
    #[error("the registry cannot be reached: {0}")]
    Unreachable(String),
    /// The proxy does not lead there.
    #[error("the proxy does not let requests to the registry through: {0}")]
    Proxy(String),
    /// Another answer.
    #[error("the registry answered {status}: {message}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// The beginning of what it said.
        message: String,
    },
    /// An answer that no registry should give.
    #[error("the answer is not one of an OCI registry: {0}")]
    Protocol(String),
    /// There are more bytes than are taken.
    #[error("{what} has {size} bytes, {limit} are taken")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its bytes, or `more`.
        size: Size,
        /// Most bytes.
        limit: u64,
    },
    /// The bytes are not those that were asked for.
    #[error("the registry gave other bytes: {found} instead of {expected}")]
    Digest {
        /// What was asked for.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// The configuration of the connection.
    #[error("{0}")]
    Configuration(String),
}

/// How large something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// As it says itself, before any of its bytes was read.
    Said(u64),
    /// Reading stopped at the bound.
    More,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(bytes) => bytes.fmt(f),
            Self::More => f.write_str("more"),
        }
    }
}

impl Fault {
    /// Whether waiting may help where nobody changes anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Throttled { .. }
            | Self::Refused
            | Self::Timeout
            | Self::Unreachable(_)
            | Self::Proxy(_) => true,
            Self::Status { status, .. } => *status >= 500,
            _ => false,
        }
    }
}

/// Why an artifact did not come or go.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry.
    #[error("failed to {step} {reference}: {fault}")]
    Registry {
        /// What was done.
        step: Step,
        /// With what; at a mirror, its place there.
        reference: String,
        /// What went wrong.
        fault: Fault,
    },
    /// What the registry has is no driver.
    #[error("failed to use {reference}: {source}")]
    Artifact {
        /// What was read.
        reference: String,
        /// What is wrong with it.
        source: ArtifactError,
    },
    /// A mirror's prefix makes no reference.
    #[error("failed to find a mirror: {source}")]
    Mirror {
        /// What is wrong.
        source: ReferenceError,
    },
    /// The local store.
    #[error("failed to keep {reference}: {source}")]
    Store {
        /// What was read.
        reference: String,
        /// What went wrong.
        source: StoreError,
    },
}

impl Error {
    /// What the registry did, if it was the registry.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Registry { fault, .. } => Some(fault),
            _ => None,
        }
    }
}
