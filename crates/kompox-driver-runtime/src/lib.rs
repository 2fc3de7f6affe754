//! Hosts provider drivers: WebAssembly components in wasmtime.
//!
//! A driver is untrusted. It gets a fresh instance for every call, a bounded amount of memory and
//! time, no files, no sockets, no environment, and no credential: its requests leave through the
//! host, which checks them against what the driver declares and the administrator granted, signs
//! them, and removes secrets from everything the driver says.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use kompox_driver_runtime::{Registry, Runtime, RuntimeOptions};
//! let runtime = Runtime::new(RuntimeOptions::default())?;
//! let drivers = Registry::new();
//! let report = drivers.load_directory(&runtime, "drivers".as_ref()).await;
//! for (path, error) in &report.refused {
//!     eprintln!("{}: {error}", path.display());
//! }
//! # Ok(()) }
//! ```
//!
//! The port it implements is [`kompox_core::driver`]; nothing of wasmtime is visible outside.

mod auth;
mod bindings;
mod bounds;
mod component;
mod convert;
mod egress;
mod engine;
mod error;
mod http;
mod limiter;
mod load;
mod observer;
mod operation;
mod options;
mod package;
mod redact;
mod registry;
mod runtime;
mod session;
mod state;
mod stdio;
mod trust;

pub use auth::{
    AwsIdentity, AzureIdentity, GoogleIdentity, IdentityError, WorkloadIdentity, WorkloadIdentityGrant,
};
pub use component::LoadedDriver;
pub use error::{LoadError, RuntimeError};
pub use observer::{
    CallFinished, ComponentCompiled, NoObserver, Observer, RequestDenied, RequestFinished, ResponseRead,
    Stopped,
};
pub use options::{
    CallBounds, Clock, ComponentCache, EgressGrant, EgressScope, Limits, PlainHttp, RuntimeOptions,
};
pub use package::{UnpackError, digest, pack, unpack};
pub use registry::{Directory, LoadReport, LoadedFile, Registry};
pub use runtime::Runtime;
pub use trust::{TrustBundle, TrustBundleError};
