//! devcloud: a small block-storage service **for development**. Volumes and snapshots are files below one
//! directory, served over HTTP with bearer tokens, zones, tags, states and faults on request. The interface is
//! described in `docs/devcloud.md`.
//!
//! It mounts nothing and makes no file system: that is the work of whoever uses a volume. Its one act outside
//! its directory is to freeze a mounted volume for the moment of a snapshot. It stands in for no particular
//! cloud and knows nothing of Kubernetes. Linux only.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use kompox_devcloud::{Devcloud, Options, Tokens, client::Client};
//!
//! let token = "a-token-for-my-tests".to_owned();
//! let service = Devcloud::start(Options::new("/tmp/devcloud", Tokens::single("me", token.clone())?)).await?;
//! let client = Client::new(&service.url(), token.into())?;
//! println!("{}: {:?}", kompox_devcloud::BANNER, client.account().await?);
//! service.stop().await;
//! # Ok(())
//! # }
//! ```

pub mod api;
pub mod args;
mod check;
pub mod client;
mod cloud;
mod data;
mod faults;
mod http;
mod id;
mod options;
mod refusal;
mod server;
mod shared;
mod table;
mod tokens;

pub use options::{Options, StartError};
pub use server::Devcloud;
pub use tokens::Tokens;

/// To be shown wherever the service is shown: nothing here is kept safe.
pub const BANNER: &str = "devcloud: block storage for DEVELOPMENT only, one copy on this machine, plain HTTP";
