//! What genuine cosign made is accepted, and nothing that differs from it in what was signed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "helpers of tests are tests"
)]

mod accepted;
mod fixtures;
#[cfg(feature = "keyless")]
mod keyless;
#[cfg(not(feature = "keyless"))]
mod keyless_absent;
mod keys;
mod refused;
mod signing;
