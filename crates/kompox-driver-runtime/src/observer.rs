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
    /// Why the host ended it before the driver answered.
    pub stopped: Option<Stopped>,
    /// Most linear memory that the call had, in bytes.
    pub memory_peak_bytes: usize,
}

/// Why the host ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It ran past its deadline.
    Deadline,
    /// It trapped: a panic, a bound of memory, a forbidden access.
    Trap,
    /// No instance became free in time.
    Busy,
}

impl Stopped {
    /// The word in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Trap => "trap",
            Self::Busy => "busy",
        }
    }
}

/// A component was compiled, or found compiled in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComponentCompiled {
    /// `hit`, `miss`, or `off` without a cache.
    pub cache: &'static str,
    /// How long it took.
    pub duration: Duration,
}

/// A request of a driver has been answered, or has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestFinished<'a> {
    /// Name of the driver.
    pub driver: &'a str,
    /// The function that was called, such as `disk.create`.
    pub operation: &'static str,
    /// The endpoint as the driver declares it, placeholders and all.
    pub endpoint: &'a str,
    /// The method in capitals, or `other`.
    pub method: &'static str,
    /// `1xx` to `5xx`, or `error` if no response came.
    pub status: &'static str,
    /// Bytes of the request's body.
    pub sent_bytes: usize,
    /// Until the response's head.
    pub duration: Duration,
}

/// A driver has read a response, or as much of it as it wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseRead<'a> {
    /// Name of the driver.
    pub driver: &'a str,
    /// Bytes of the body that arrived.
    pub bytes: usize,
}

/// A request of a driver was refused before anything was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestDenied<'a> {
    /// Name of the driver.
    pub driver: &'a str,
    /// The function that was called, such as `disk.create`.
    pub operation: &'static str,
    /// Why, as one word of a fixed list.
    pub reason: &'static str,
}

/// Told of what drivers do. Called on the runtime's threads: must not block.
pub trait Observer: Send + Sync {
    /// A call has ended.
    fn call_finished(&self, _event: &CallFinished<'_>) {}
    /// A request has been answered, or has failed.
    fn request_finished(&self, _event: &RequestFinished<'_>) {}
    /// A response was read.
    fn response_read(&self, _event: &ResponseRead<'_>) {}
    /// A component was compiled.
    fn component_compiled(&self, _event: &ComponentCompiled) {}
    /// A request was refused.
    fn request_denied(&self, _event: &RequestDenied<'_>) {}
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}
