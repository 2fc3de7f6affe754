//! Drivers in OCI registries: where they are, how they are pulled, checked, kept, pushed and carried.
//!
//! A reference is resolved to the digest of a manifest, the manifest names config and layer by theirs, and no byte
//! is used that does not have the digest it was asked by. Everything is bounded before it is read. What a component
//! does is not known here, nor is Kubernetes.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use kompox_oci::{Client, Credentials, Proxies, Puller, Registries, SILENT};
//! let client = Client::new(Registries::default(), Proxies::from_variables(|name| std::env::var(name).ok()));
//! let puller = Puller::new(client, None, 32 << 20);
//! let reference = "ghcr.io/acme/driver:1.2.0".parse()?;
//! let resolved = puller.resolve(&reference, &Credentials::none()).await?;
//! let component = puller.component(&resolved, &Credentials::none(), SILENT).await?;
//! println!("{} has {} bytes", resolved.digest(), component.len());
//! # Ok(()) }
//! ```

mod artifact;
mod client;
mod credentials;
mod digest;
mod error;
mod image;
mod layout;
mod progress;
mod proxies;
mod pull;
mod push;
mod reference;
mod registries;
mod signatures;
mod store;

pub use artifact::{ArtifactError, WASM_CONFIG, WASM_LAYER};
pub use client::Client;
pub use credentials::{Credential, Credentials, CredentialsError, UserConfig, UserConfigError};
pub use digest::{Digest, NoDigest};
pub use error::{Error, Fault, Size, Step};
pub use image::{Description, Image};
pub use layout::{Entry, LayoutError};
pub use progress::{OnProgress, Progress, SILENT};
pub use proxies::Proxies;
pub use pull::{Puller, Resolved};
pub use reference::{Reference, ReferenceError};
pub use registries::{Registries, RegistriesError, Registry};
pub use store::{Resolution, Store, StoreError};
