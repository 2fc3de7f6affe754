//! The provider drivers the operator starts with. How a driver runs is
//! up to `kompox-driver-runtime`; what it is called with, up to the controllers.

mod artifacts;
mod catalog;
pub mod follow;

pub use artifacts::{Artifacts, Error as ArtifactsError};
pub use catalog::{Catalog, Changes, Origin, Settings};

use crate::{args::Args, metrics::Metrics};
use ipnet::IpNet;
use kompox_driver_runtime::{
    ComponentCache, Directory, EgressGrant, IdentityError, LoadReport, Observer, PlainHttp, Registry,
    Runtime, RuntimeError, RuntimeOptions, WorkloadIdentity,
};
use std::{io, path::PathBuf, sync::Arc};

/// Why there are no drivers at all. A single refused driver is no error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory beside the program.
    #[error("failed to find the directory of this program; name the drivers with --drivers-dir: {source}")]
    Directory {
        /// What the system says.
        source: io::Error,
    },
    /// The operator's own identity at a cloud.
    #[error("failed to take the operator's own identity: {source}")]
    Identity {
        /// Which variable is wrong.
        source: IdentityError,
    },
    /// Registries and the store of components.
    #[error(transparent)]
    Artifacts(ArtifactsError),
    /// The WebAssembly runtime.
    #[error("failed to start the driver runtime: {source}")]
    Runtime {
        /// What the runtime says.
        source: RuntimeError,
    },
}

/// The built-in drivers, and what others need to join them.
pub struct Loaded {
    /// Compiles and runs components.
    pub runtime: Runtime,
    /// The built-in drivers.
    pub drivers: Arc<Registry>,
    /// Where they come from.
    pub directory: Directory,
    /// What every driver is granted.
    pub base: EgressGrant,
    /// Where drivers come from beside the cluster, and where they are kept.
    pub artifacts: Artifacts,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded").field("base", &self.base).finish_non_exhaustive()
    }
}

/// Loads every driver of the directory. A refused one is logged, its types are then unknown.
///
/// # Errors
/// When the runtime cannot be started, or no directory was given and the program's own is unknown.
pub async fn load(args: &Args, metrics: &Arc<Metrics>) -> Result<Loaded, Error> {
    let directory = match &args.drivers_dir {
        Some(directory) => directory.clone(),
        None => beside_program().map_err(|source| Error::Directory { source })?,
    };
    let base = base_grant(args);
    let mut directory = Directory::new(directory, Some(base.clone()));
    let runtime = Runtime::new(options(args, metrics)?).map_err(|source| Error::Runtime { source })?;
    let drivers = Registry::new();
    let report = directory.refresh(&drivers, &runtime).await;
    follow::tell(&directory, &report, metrics);
    warn_without_drivers(&directory, &report);
    let artifacts = Artifacts::open(args, runtime.limits().component_bytes).map_err(Error::Artifacts)?;
    Ok(Loaded { runtime, drivers: Arc::new(drivers), directory, base, artifacts })
}

/// What every driver is granted.
fn base_grant(args: &Args) -> EgressGrant {
    let networks = &args.allow_plain_http_cidr;
    if networks.is_empty() {
        return EgressGrant::default();
    }
    tracing::warn!(?networks, "drivers may use plain http in these networks: for development only");
    development_grant(networks)
}

fn development_grant(networks: &[IpNet]) -> EgressGrant {
    EgressGrant {
        plain_http: PlainHttp::InGrantedNetworks,
        networks: networks.to_vec(),
        ..EgressGrant::default()
    }
}

fn options(args: &Args, metrics: &Arc<Metrics>) -> Result<RuntimeOptions, Error> {
    let cache =
        args.component_cache_dir.clone().map_or(ComponentCache::UserDefault, ComponentCache::Directory);
    let observer = Arc::clone(metrics) as Arc<dyn Observer>;
    let workload_identity = WorkloadIdentity::from_environment(|name| std::env::var(name).ok())
        .map_err(|source| Error::Identity { source })?;
    Ok(RuntimeOptions { cache, observer, workload_identity, ..RuntimeOptions::default() })
}

fn beside_program() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let parent = program.parent().ok_or_else(|| io::Error::other("the program has no directory"))?;
    Ok(parent.join("drivers"))
}

fn warn_without_drivers(directory: &Directory, report: &LoadReport) {
    if report.loaded.is_empty() {
        tracing::warn!(
            directory = %directory.path().display(), found = report.directory_found,
            "no driver is loaded: cloud disks wait until there is one (--drivers-dir)"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;
    use kompox_core::driver::Drivers as _;
    use std::path::Path;

    fn args(directory: &Path, more: &[&str]) -> Args {
        let directory = directory.to_str().unwrap();
        let cache = format!("{directory}/cache");
        let fixed = ["kompox-operator", "--drivers-dir", directory, "--component-cache-dir", &cache];
        Args::parse_from([&fixed, more].concat())
    }

    #[tokio::test]
    async fn what_is_no_driver_is_refused_and_nothing_else_fails() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("broken.wasm"), b"not a component").unwrap();
        std::fs::write(directory.path().join("README.md"), b"").unwrap();
        let metrics = Arc::new(Metrics::default());
        for (more, networks) in [(&[][..], 0), (&["--allow-plain-http-cidr", "127.0.0.0/8"], 1)] {
            let loaded = load(&args(directory.path(), more), &metrics).await.unwrap();
            assert_eq!(loaded.drivers.types(), Vec::<String>::new());
            assert_eq!(loaded.directory.counts(), (0, 1));
            assert_eq!(loaded.base.networks.len(), networks);
        }
    }

    #[test]
    fn a_development_grant_opens_these_networks_and_no_others() {
        let grant = development_grant(&["127.0.0.0/8".parse().unwrap()]);
        assert_eq!(grant.plain_http, PlainHttp::InGrantedNetworks);
        assert_eq!(grant.networks, ["127.0.0.0/8".parse::<IpNet>().unwrap()]);
        assert!(grant.origins.is_empty());
    }
}
