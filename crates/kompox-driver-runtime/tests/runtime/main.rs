//! Tests with real components: the guests of `tests/guests`, built on first use.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "a test binary: its helpers may fail by panic as its tests do"
)]

mod adversaries;
mod auth;
mod calls;
mod containment;
mod egress;
mod generations;
mod hostile;
mod limits;
mod loading;
mod reload;
mod support;
mod tls;
