//! Integration tests of the pure core, in one binary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "helpers of tests may panic, and read the cases from files"
)]

mod app;
