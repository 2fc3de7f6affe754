//! What the host may count: a trait it implements to feed its metrics.
//!
//! Every label has few values: names from descriptors, and words from fixed lists. No URL, no
//! handle and no text of a guest is ever a label.

use std::time::Duration;

/// A call of a driver has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFinished<'a> {
    /// Name of the driver.
    pub driver: &'a str,
    /// The called function, such as `disk.create`.
    pub operation: &'static str,
    /// `ok`, or the error code in the words of the WIT.
    pub code: &'static str,
    /// From the caller's request to its answer.
    pub duration: Duration,
}

/// A request of a driver has been answered, or has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestFinished<'a> {
    /// Name of the driver.
    pub driver: &'a str,
    /// The endpoint as the driver declares it, placeholders and all.
    pub endpoint: &'a str,
    /// `1xx` to `5xx`, or `error` if no response came.
    pub status: &'static str,
    /// Until the response's head.
    pub duration: Duration,
}

/// A request of a driver was refused before anything was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestDenied<'a> {
    /// Name of the driver.
    pub driver: &'a str,
    /// Why, as one word of a fixed list.
    pub reason: &'static str,
}

/// Told of what drivers do. Called on the runtime's threads: must not block.
pub trait Observer: Send + Sync {
    /// A call has ended.
    fn call_finished(&self, _event: &CallFinished<'_>) {}
    /// A request has been answered, or has failed.
    fn request_finished(&self, _event: &RequestFinished<'_>) {}
    /// A request was refused.
    fn request_denied(&self, _event: &RequestDenied<'_>) {}
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
