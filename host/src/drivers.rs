//! The provider drivers the operator starts with, and what they tell the metrics. How a driver runs is
//! up to `kompox-driver-runtime`; what it is called with, up to the controllers.

mod artifacts;
mod catalog;

pub use artifacts::{Artifacts, Error as ArtifactsError};
pub use catalog::{Catalog, Changes, Origin, Settings};

use crate::{args::Args, metrics::Metrics};
use ipnet::IpNet;
use kompox_driver_runtime::{
    CallFinished, ComponentCache, EgressGrant, IdentityError, LoadReport, Observer, PlainHttp, Registry,
    RequestDenied, RequestFinished, Runtime, RuntimeError, RuntimeOptions, WorkloadIdentity,
};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

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
    let grants = development_grants(args, metrics, &directory).await?;
    let (runtime, drivers, report) = load_from(&directory, options(args, metrics, grants)?).await?;
    announce(&directory, &report);
    let artifacts = Artifacts::open(args, runtime.limits().component_bytes).map_err(Error::Artifacts)?;
    Ok(Loaded { runtime, drivers: Arc::new(drivers), base: base_grant(args), artifacts })
}

/// What every driver is granted.
fn base_grant(args: &Args) -> EgressGrant {
    if args.allow_plain_http_cidr.is_empty() {
        return EgressGrant::default();
    }
    development_grant(&args.allow_plain_http_cidr)
}

async fn load_from(
    directory: &Path,
    options: RuntimeOptions,
) -> Result<(Runtime, Registry, LoadReport), Error> {
    let runtime = Runtime::new(options).map_err(|source| Error::Runtime { source })?;
    let drivers = Registry::new();
    let report = drivers.load_directory(&runtime, directory).await;
    Ok((runtime, drivers, report))
}

/// Grants are given by a driver's name, which only the driver knows: it is asked first.
async fn development_grants(
    args: &Args,
    metrics: &Arc<Metrics>,
    directory: &Path,
) -> Result<BTreeMap<String, EgressGrant>, Error> {
    if args.allow_plain_http_cidr.is_empty() {
        return Ok(BTreeMap::new());
    }
    tracing::warn!(
        networks = ?args.allow_plain_http_cidr,
        "drivers may use plain http in these networks: for development only"
    );
    let (_, _, report) = load_from(directory, options(args, metrics, BTreeMap::new())?).await?;
    let names = report.loaded.into_iter().map(|file| file.driver);
    Ok(names.map(|name| (name, development_grant(&args.allow_plain_http_cidr))).collect())
}

fn development_grant(networks: &[IpNet]) -> EgressGrant {
    EgressGrant {
        plain_http: PlainHttp::InGrantedNetworks,
        networks: networks.to_vec(),
        ..EgressGrant::default()
    }
}

fn options(
    args: &Args,
    metrics: &Arc<Metrics>,
    grants: BTreeMap<String, EgressGrant>,
) -> Result<RuntimeOptions, Error> {
    let cache =
        args.component_cache_dir.clone().map_or(ComponentCache::UserDefault, ComponentCache::Directory);
    let observer = Arc::new(Counter(Arc::clone(metrics)));
    let workload_identity = WorkloadIdentity::from_environment(|name| std::env::var(name).ok())
        .map_err(|source| Error::Identity { source })?;
    Ok(RuntimeOptions { cache, grants, observer, workload_identity, ..RuntimeOptions::default() })
}

fn beside_program() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let parent = program.parent().ok_or_else(|| io::Error::other("the program has no directory"))?;
    Ok(parent.join("drivers"))
}

fn announce(directory: &Path, report: &LoadReport) {
    for file in &report.loaded {
        tracing::info!(
            driver = file.driver, version = file.version, digest = file.digest, types = ?file.types,
            "driver loaded"
        );
    }
    for (path, error) in &report.refused {
        tracing::error!(path = %path.display(), %error, "driver refused; the others are not affected");
    }
    if report.loaded.is_empty() {
        tracing::warn!(
            directory = %directory.display(), found = report.directory_found,
            "no driver is loaded: cloud disks wait until there is one (--drivers-dir)"
        );
    }
}

/// Feeds the metrics.
struct Counter(Arc<Metrics>);

impl Observer for Counter {
    fn call_finished(&self, event: &CallFinished<'_>) {
        self.0.driver_call(event.driver, event.operation, event.code, event.duration);
    }

    fn request_finished(&self, event: &RequestFinished<'_>) {
        self.0.cloud_request(event.driver, event.status);
    }

    fn request_denied(&self, event: &RequestDenied<'_>) {
        self.0.cloud_request(event.driver, event.reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;
    use kompox_core::driver::Drivers as _;

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
        for more in [&[][..], &["--allow-plain-http-cidr", "127.0.0.0/8"]] {
            let args = args(directory.path(), more);
            assert_eq!(load(&args, &metrics).await.unwrap().drivers.types(), Vec::<String>::new());
            let (_, _, report) =
                load_from(directory.path(), options(&args, &metrics, BTreeMap::new()).unwrap())
                    .await
                    .unwrap();
            assert_eq!(report.refused.len(), 1);
        }
    }

    #[test]
    fn a_development_grant_opens_these_networks_and_no_others() {
        let grant = development_grant(&["127.0.0.0/8".parse().unwrap()]);
        assert_eq!(grant.plain_http, PlainHttp::InGrantedNetworks);
        assert_eq!(grant.networks, ["127.0.0.0/8".parse::<IpNet>().unwrap()]);
        assert!(grant.origins.is_empty());
    }

    #[test]
    fn drivers_feed_the_metrics() {
        let metrics = Arc::new(Metrics::default());
        let observer = Counter(Arc::clone(&metrics));
        observer.call_finished(&CallFinished {
            driver: "eks",
            operation: "disk.create",
            code: "ok",
            duration: std::time::Duration::from_millis(3),
        });
        observer.request_denied(&RequestDenied { driver: "eks", reason: "undeclared" });
        let page = metrics.page().unwrap();
        assert!(
            page.contains(
                "kompox_driver_calls_total{driver=\"eks\",operation=\"disk.create\",code=\"ok\"} 1"
            )
        );
        assert!(page.contains("kompox_cloud_requests_total{driver=\"eks\",result=\"undeclared\"} 1"));
    }
}
