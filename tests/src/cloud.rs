//! The AWS double of the tests: moto, written by others, and in front of it a proxy of ours.
//!
//! What moto 5.2.5 lacks (measured): idempotency by `ClientToken`, paging, states that take time,
//! throttling, limits (it accepts a shrink, a bad zone, absurd IOPS), `CopyVolumes`, `DryRun` of the
//! describe actions. The proxy adds the first four and faults on the wire; the rest is missing, and no
//! test may pretend otherwise. moto checks signatures and policies itself; the proxy checks nothing.

mod boto;
mod instant;
mod moto;
mod proxy;
mod tls;
mod wire;

pub use boto::Boto;
pub use instant::Instant;
pub use moto::{AccessKey, Moto, venv};
pub(crate) use proxy::form;
pub use proxy::{Fault, Proxy, Recorded};
pub use tls::TlsFront;
pub use wire::{get as http_get, send as http_send};
