//! The loaded drivers by provider type, and the directories they come from.

use crate::{component::LoadedDriver, error::LoadError, runtime::Runtime};
use kompox_core::driver::{Driver, Drivers};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

/// The drivers an operator has. A call that runs keeps its driver alive.
#[derive(Default)]
pub struct Registry {
    /// Ordered by name.
    drivers: RwLock<Vec<Arc<LoadedDriver>>>,
}

/// What became of the files of a directory.
#[derive(Debug, Default)]
pub struct LoadReport {
    /// Whether the directory exists. A missing one has no drivers and is not an error.
    pub directory_found: bool,
    /// Drivers that can be called now, in the order of their files.
    pub loaded: Vec<LoadedFile>,
    /// Files that were refused, and why.
    pub refused: Vec<(PathBuf, LoadError)>,
}

/// A file that became a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedFile {
    /// The component.
    pub path: PathBuf,
    /// Name of the driver.
    pub driver: String,
    /// Version of the driver.
    pub version: String,
    /// `sha256:` and the hex digest of the file.
    pub digest: String,
    /// Its provider types.
    pub types: Vec<String>,
}

impl Registry {
    /// A registry without drivers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads every `*.wasm` file of `directory`, in the order of their names. A refused file does not
    /// keep the others from being loaded.
    pub async fn load_directory(&self, runtime: &Runtime, directory: &Path) -> LoadReport {
        let mut report = LoadReport { directory_found: true, ..LoadReport::default() };
        let paths = match components(directory) {
            Ok(paths) => paths,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return LoadReport::default(),
            Err(error) => {
                report.refused.push((directory.to_owned(), LoadError::Read(error)));
                return report;
            }
        };
        for path in paths {
            match self.load_file(runtime, &path).await {
                Ok(loaded) => report.loaded.push(loaded),
                Err(error) => report.refused.push((path, error)),
            }
        }
        report
    }

    /// Loads one file.
    ///
    /// # Errors
    /// Why it is refused.
    pub async fn load_file(&self, runtime: &Runtime, path: &Path) -> Result<LoadedFile, LoadError> {
        let limit = runtime.shared.options.limits.component_bytes;
        let file = path.to_owned();
        let bytes = tokio::task::spawn_blocking(move || read(&file, limit))
            .await
            .map_err(|error| LoadError::Read(io::Error::other(error)))?
            .map_err(LoadError::Read)?;
        let driver = runtime.load(bytes).await?;
        self.insert(Arc::clone(&driver))?;
        let descriptor = driver.descriptor();
        Ok(LoadedFile {
            path: path.to_owned(),
            driver: descriptor.name.clone(),
            version: descriptor.version.clone(),
            digest: driver.digest().to_owned(),
            types: descriptor.providers.iter().map(|provider| provider.type_.clone()).collect(),
        })
    }

    /// Adds a driver.
    ///
    /// # Errors
    /// Its name or one of its provider types is taken: who serves a type receives its credentials, so
    /// the first one keeps it.
    pub fn insert(&self, driver: Arc<LoadedDriver>) -> Result<(), LoadError> {
        let mut drivers = self.drivers.write().unwrap_or_else(PoisonError::into_inner);
        let name = &driver.descriptor().name;
        if drivers.iter().any(|other| other.descriptor().name == *name) {
            return Err(LoadError::NameTaken { driver: name.clone() });
        }
        for provider in &driver.descriptor().providers {
            if let Some(holder) =
                drivers.iter().find(|other| other.descriptor().provider(&provider.type_).is_some())
            {
                return Err(LoadError::TypeTaken {
                    driver: name.clone(),
                    provider_type: provider.type_.clone(),
                    holder: holder.descriptor().name.clone(),
                });
            }
        }
        let at = drivers.partition_point(|other| other.descriptor().name < *name);
        drivers.insert(at, driver);
        Ok(())
    }

    fn snapshot(&self) -> Vec<Arc<LoadedDriver>> {
        self.drivers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drivers for Registry {
    fn for_type(&self, provider_type: &str) -> Option<Arc<dyn Driver>> {
        self.snapshot()
            .into_iter()
            .find(|driver| driver.descriptor().provider(provider_type).is_some())
            .map(|driver| driver as Arc<dyn Driver>)
    }

    fn all(&self) -> Vec<Arc<dyn Driver>> {
        self.snapshot().into_iter().map(|driver| driver as Arc<dyn Driver>).collect()
    }
}

fn components(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads one byte more than allowed at most: the loader refuses by length.
fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut bytes = Vec::new();
    fs::File::open(path)?.take((limit as u64).saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
