//! Follows the directory of the built-in drivers while the operator runs: a file that is put there, replaced or taken
//! away counts without a restart. What became of it is in the log, in the metrics, and in the status of its
//! KompoxDriver, if it has one.

use super::Catalog;
use crate::{metrics::Metrics, shutdown::Shutdown};
use kompox_driver_runtime::{Directory, LoadReport, Runtime};
use std::{sync::Arc, time::Duration};

/// Its name in logs.
pub const NAME: &str = "driver-directory";

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(5);

/// Looks until `shutdown`.
pub async fn run(
    mut directory: Directory,
    catalog: Arc<Catalog>,
    runtime: Runtime,
    metrics: Arc<Metrics>,
    shutdown: Shutdown,
) {
    let looking = async {
        loop {
            tokio::time::sleep(EVERY).await;
            look(&mut directory, &catalog, &runtime, &metrics).await;
        }
    };
    tokio::select! {
        () = looking => {}
        () = shutdown.requested() => {}
    }
}

async fn look(directory: &mut Directory, catalog: &Catalog, runtime: &Runtime, metrics: &Metrics) {
    let report = catalog.refresh(directory, runtime).await;
    tell(directory, &report, metrics);
}

/// Logs and counts what became of the files.
pub(super) fn tell(directory: &Directory, report: &LoadReport, metrics: &Metrics) {
    for file in &report.loaded {
        tracing::info!(
            driver = file.driver, version = file.version, digest = file.digest, types = ?file.types,
            "driver loaded"
        );
    }
    for (path, error) in &report.refused {
        tracing::error!(
            path = %path.display(), %error,
            "driver refused; what came from this file before serves on, and the others are not affected"
        );
    }
    for path in &report.removed {
        tracing::warn!(path = %path.display(), "driver gone with its file; its disks wait until it is back");
    }
    let (serving, refused) = directory.counts();
    metrics.driver_files(serving, refused);
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt as _;
    use kompox_driver_runtime::{ComponentCache, EgressGrant, RuntimeOptions};

    const COMPONENT: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/kompox-driver-runtime/tests/generations/0.1/smallest.wasm"
    );

    #[tokio::test]
    async fn whoever_waits_for_a_type_is_told_when_its_file_comes_and_goes() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("minimal.wasm");
        let catalog = Catalog::new(Arc::default());
        let mut changes = Box::pin(catalog.changes().types());
        let options = RuntimeOptions { cache: ComponentCache::Disabled, ..RuntimeOptions::default() };
        let (runtime, metrics) = (Runtime::new(options).unwrap(), Metrics::default());
        let mut directory = Directory::new(place.path(), Some(EgressGrant::default()));
        let files = |state: &str| format!("kompox_driver_files{{state=\"{state}\"}} ");
        let minimal = || ["minimal".to_owned()].into();

        std::fs::copy(COMPONENT, &file).unwrap();
        look(&mut directory, &catalog, &runtime, &metrics).await;
        assert_eq!(changes.next().await.unwrap(), minimal());
        assert!(catalog.drivers().for_type("minimal").is_some());

        std::fs::write(&file, b"broken").unwrap();
        look(&mut directory, &catalog, &runtime, &metrics).await;
        assert_eq!(changes.next().await.unwrap(), minimal());
        let page = metrics.page().unwrap();
        assert!(page.contains(&format!("{}1", files("refused"))), "{page}");
        assert!(page.contains(&format!("{}0", files("serving"))), "{page}");
        assert!(catalog.drivers().for_type("minimal").is_some(), "the last good one serves on");

        std::fs::remove_file(&file).unwrap();
        for _ in 0..2 {
            look(&mut directory, &catalog, &runtime, &metrics).await;
        }
        assert_eq!(changes.next().await.unwrap(), minimal());
        assert!(catalog.drivers().for_type("minimal").is_none());
    }
}
