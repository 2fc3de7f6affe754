//! How far bytes have come, for whoever shows it.

/// Bytes of one blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that were transferred.
    pub done: u64,
    /// Bytes there are.
    pub total: u64,
}

/// Is told of progress, often; it should return at once.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Tells nobody.
pub const SILENT: OnProgress<'static> = &|_| {};
