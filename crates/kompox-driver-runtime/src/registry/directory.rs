//! The drivers of a directory, as its files come, change and go.
//!
//! Whoever follows a directory asks again and again, and files are compared by length, time and inode. The kernel's
//! notices are not used: they miss changes on network file systems and in lower layers, and a mounted ConfigMap is
//! swapped by a link above the files. A look at some files costs nothing.

use super::Registry;
use crate::{component::LoadedDriver, error::LoadError, options::EgressGrant, runtime::Runtime};
use kompox_core::driver::Driver as _;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

/// What became of the files of a directory since the last look.
#[derive(Debug, Default)]
pub struct LoadReport {
    /// Whether the directory exists. A missing one has no drivers and is not an error.
    pub directory_found: bool,
    /// Drivers that can be called from now on, in the order of their files.
    pub loaded: Vec<LoadedFile>,
    /// Files that were refused, and why. What came from such a file before serves on.
    pub refused: Vec<(PathBuf, LoadError)>,
    /// Files that are gone, and their drivers with them.
    pub removed: Vec<PathBuf>,
    /// Provider types that these changes touch.
    pub types: BTreeSet<String>,
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

impl LoadReport {
    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.loaded.is_empty() && self.refused.is_empty() && self.removed.is_empty()
    }
}

/// A directory of drivers, one WebAssembly component (`*.wasm`) each.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    grant: Option<EgressGrant>,
    files: BTreeMap<PathBuf, File>,
    /// Why the directory could not be read at the last look.
    unreadable: Option<String>,
}

/// A file as it was seen.
#[derive(Debug, Default)]
struct File {
    stamp: Option<Stamp>,
    refusal: Option<String>,
    /// It was not there at the last look. It may be about to be written again.
    absent: bool,
}

/// What changes when a file is written or put in place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl Directory {
    /// The directory at `path`, of which nothing is known yet. `grant` is for each of its drivers, in place of what
    /// the runtime's options have for its name.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, grant: Option<EgressGrant>) -> Self {
        Self { path: path.into(), grant, files: BTreeMap::new(), unreadable: None }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many of its files serve as they are, and how many are refused.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let refused = self.files.values().filter(|file| file.refusal.is_some()).count();
        (self.files.len().saturating_sub(refused), refused)
    }

    /// Brings `registry` to what the files are now, in the order of their names. What cannot be used leaves what
    /// came from that file before where it is; a file that is gone at two looks in a row takes its driver along.
    pub async fn refresh(&mut self, registry: &Registry, runtime: &Runtime) -> LoadReport {
        let mut report = LoadReport { directory_found: true, ..LoadReport::default() };
        let Some(seen) = self.look(&mut report).await else { return report };
        self.remove(&seen, registry, &mut report);
        let is_new =
            |path: &PathBuf, stamp: &Stamp| self.files.get(path).and_then(|file| file.stamp) != Some(*stamp);
        let new: Vec<PathBuf> =
            seen.iter().filter(|(path, stamp)| is_new(path, stamp)).map(|(path, _)| path.clone()).collect();
        for path in &new {
            self.load(path, registry, runtime, &mut report).await;
        }
        // What another file was in the way of may be free now.
        if !report.loaded.is_empty() || !report.removed.is_empty() {
            let refused = |file: &File| file.refusal.is_some() && !file.absent;
            let again: Vec<PathBuf> = self
                .files
                .iter()
                .filter(|(path, file)| refused(file) && !new.contains(path))
                .map(|(path, _)| path.clone())
                .collect();
            for path in &again {
                self.load(path, registry, runtime, &mut report).await;
            }
        }
        for (path, stamp) in seen {
            self.files.entry(path).or_default().stamp = Some(stamp);
        }
        report
    }

    /// The files that are there now; `None` if nobody knows.
    async fn look(&mut self, report: &mut LoadReport) -> Option<BTreeMap<PathBuf, Stamp>> {
        let directory = self.path.clone();
        let seen = tokio::task::spawn_blocking(move || components(&directory)).await;
        let error = match seen.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(seen) => {
                self.unreadable = None;
                return Some(seen);
            }
            Err(error) => error,
        };
        if error.kind() == io::ErrorKind::NotFound {
            report.directory_found = false;
            if self.files.is_empty() {
                return None;
            }
        }
        let text = error.to_string();
        if self.unreadable.as_ref() != Some(&text) {
            report.refused.push((self.path.clone(), LoadError::Read(error)));
            self.unreadable = Some(text);
        }
        None
    }

    fn remove(&mut self, seen: &BTreeMap<PathBuf, Stamp>, registry: &Registry, report: &mut LoadReport) {
        self.files.retain(|path, file| {
            let gone = !seen.contains_key(path);
            if gone && file.absent {
                report.types.extend(registry.remove_file(path));
                report.removed.push(path.clone());
                return false;
            }
            file.absent = gone;
            true
        });
    }

    async fn load(&mut self, path: &Path, registry: &Registry, runtime: &Runtime, report: &mut LoadReport) {
        let outcome = match read(path, runtime).await {
            Ok(bytes) => self.driver(bytes, runtime).await,
            Err(error) => Err(LoadError::Read(error)),
        };
        let before = registry.digest_of(path);
        let outcome = outcome.and_then(|driver| Ok((registry.put_file(path, Arc::clone(&driver))?, driver)));
        let file = self.files.entry(path.to_owned()).or_default();
        match outcome {
            Ok((types, driver)) => {
                let was_refused = file.refusal.take().is_some();
                if was_refused || before.as_deref() != Some(driver.digest()) {
                    report.types.extend(types);
                    report.loaded.push(loaded(path, &driver));
                }
            }
            Err(error) => {
                let text = error.to_string();
                if file.refusal.as_ref() != Some(&text) {
                    report.types.extend(registry.refuse_file(path, &text));
                    report.refused.push((path.to_owned(), error));
                    file.refusal = Some(text);
                }
            }
        }
    }

    async fn driver(&self, bytes: Vec<u8>, runtime: &Runtime) -> Result<Arc<LoadedDriver>, LoadError> {
        let driver = runtime.load(bytes).await?;
        Ok(match &self.grant {
            Some(grant) if grant != driver.grant() => driver.granted(grant.clone()),
            _ => driver,
        })
    }
}

fn loaded(path: &Path, driver: &LoadedDriver) -> LoadedFile {
    let descriptor = driver.descriptor();
    LoadedFile {
        path: path.to_owned(),
        driver: descriptor.name.clone(),
        version: descriptor.version.clone(),
        digest: driver.digest().to_owned(),
        types: descriptor.providers.iter().map(|provider| provider.type_.clone()).collect(),
    }
}

fn components(directory: &Path) -> io::Result<BTreeMap<PathBuf, Stamp>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        // Through links: those of a mounted ConfigMap are swapped, the files behind them are others then.
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => {
                files.insert(path, stamp(&metadata));
            }
            // It went, or its link leads nowhere, while we looked.
            Ok(_) | Err(_) => {}
        }
    }
    Ok(files)
}

fn stamp(metadata: &fs::Metadata) -> Stamp {
    Stamp { bytes: metadata.len(), modified: metadata.modified().ok(), inode: inode(metadata) }
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    metadata.ino()
}

#[cfg(not(unix))]
fn inode(_metadata: &fs::Metadata) -> u64 {
    0
}

async fn read(path: &Path, runtime: &Runtime) -> io::Result<Vec<u8>> {
    let (path, limit) = (path.to_owned(), runtime.limits().component_bytes);
    tokio::task::spawn_blocking(move || read_bounded(&path, limit)).await.map_err(io::Error::other)?
}

/// Reads one byte more than allowed at most: the loader refuses by length.
fn read_bounded(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut bytes = Vec::new();
    fs::File::open(path)?.take((limit as u64).saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
