//! The loaded drivers by provider type, and the directories they come from.

mod precedence;

use crate::{component::LoadedDriver, error::LoadError, runtime::Runtime};
use kompox_core::driver::{Driver, Drivers};
use precedence::Claim;
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

/// The drivers an operator has. A call that runs keeps its driver alive, whatever happens here.
#[derive(Default)]
pub struct Registry {
    slots: RwLock<Vec<Slot>>,
}

/// A driver and why it is here.
#[derive(Clone)]
struct Slot {
    driver: Arc<LoadedDriver>,
    origin: Origin,
}

/// Where a driver comes from. A later one comes before an earlier one for a type that both serve.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    /// Shipped with the operator.
    BuiltIn,
    /// Shipped with the operator; this owner set what it may do.
    Configured(String),
    /// Brought by this owner.
    Installed(String),
}

impl Origin {
    fn owner(&self) -> Option<&str> {
        match self {
            Self::BuiltIn => None,
            Self::Configured(owner) | Self::Installed(owner) => Some(owner),
        }
    }
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

    /// Adds a built-in driver.
    ///
    /// # Errors
    /// Its name or one of its provider types is taken: who serves a type receives its credentials, so
    /// the first one keeps it.
    pub fn insert(&self, driver: Arc<LoadedDriver>) -> Result<(), LoadError> {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<_> = slots.iter().map(|slot| claim(slot, slot.origin.clone())).collect();
        let wanted = Claim::of(driver.descriptor(), Origin::BuiltIn);
        precedence::admit(&wanted, &known, &BTreeSet::new())?;
        slots.push(Slot { driver, origin: Origin::BuiltIn });
        Ok(())
    }

    /// Puts the driver of `owner` in place of the one it had, in one step: a call gets the one or the
    /// other. `replaces` are the types of built-in drivers that it may take over.
    ///
    /// # Errors
    /// As [`Registry::insert`]; what `owner` had stays then.
    pub fn install(
        &self,
        owner: &str,
        driver: Arc<LoadedDriver>,
        replaces: &BTreeSet<String>,
    ) -> Result<(), LoadError> {
        let origin = Origin::Installed(owner.to_owned());
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let others = slots.iter().filter(|slot| slot.origin.owner() != Some(owner));
        let known: Vec<_> = others.map(|slot| claim(slot, slot.origin.clone())).collect();
        precedence::admit(&Claim::of(driver.descriptor(), origin.clone()), &known, replaces)?;
        put(&mut slots, owner, Slot { driver, origin });
        Ok(())
    }

    /// Lets the built-in driver be called in the form that `owner` gave it.
    pub fn configure(&self, owner: &str, driver: Arc<LoadedDriver>) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        put(&mut slots, owner, Slot { driver, origin: Origin::Configured(owner.to_owned()) });
    }

    /// Takes away what `owner` installed or configured. Built-in drivers come back as they were.
    pub fn remove(&self, owner: &str) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|slot| slot.origin.owner() != Some(owner));
    }

    /// The built-in driver of this name, as it was shipped.
    #[must_use]
    pub fn built_in(&self, name: &str) -> Option<Arc<LoadedDriver>> {
        let found = |slot: &Slot| slot.origin == Origin::BuiltIn && slot.driver.descriptor().name == name;
        self.snapshot().into_iter().find(found).map(|slot| slot.driver)
    }

    /// The names of the built-in drivers, sorted.
    #[must_use]
    pub fn built_in_names(&self) -> BTreeSet<String> {
        let built_in = self.snapshot().into_iter().filter(|slot| slot.origin == Origin::BuiltIn);
        built_in.map(|slot| slot.driver.descriptor().name.clone()).collect()
    }

    /// The driver that `owner` installed or configured.
    #[must_use]
    pub fn of_owner(&self, owner: &str) -> Option<Arc<LoadedDriver>> {
        self.snapshot().into_iter().find(|slot| slot.origin.owner() == Some(owner)).map(|slot| slot.driver)
    }

    fn snapshot(&self) -> Vec<Slot> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drivers for Registry {
    fn for_type(&self, provider_type: &str) -> Option<Arc<dyn Driver>> {
        serving(&self.snapshot(), provider_type).map(|slot| Arc::clone(&slot.driver) as Arc<dyn Driver>)
    }

    fn all(&self) -> Vec<Arc<dyn Driver>> {
        let slots = self.snapshot();
        let serves = |slot: &Slot| {
            let types = &slot.driver.descriptor().providers;
            types.iter().any(|type_| {
                serving(&slots, &type_.type_).is_some_and(|first| {
                    first.origin == slot.origin
                        && first.driver.descriptor().name == slot.driver.descriptor().name
                })
            })
        };
        let mut serving: Vec<Arc<LoadedDriver>> =
            slots.iter().filter(|slot| serves(slot)).map(|slot| Arc::clone(&slot.driver)).collect();
        serving.sort_by(|a, b| a.descriptor().name.cmp(&b.descriptor().name));
        serving.into_iter().map(|driver| driver as Arc<dyn Driver>).collect()
    }
}

/// The slot that serves a type: what was installed, else what was shipped.
fn serving<'a>(slots: &'a [Slot], provider_type: &str) -> Option<&'a Slot> {
    let serves = |slot: &&Slot| slot.driver.descriptor().provider(provider_type).is_some();
    slots.iter().filter(serves).max_by(|a, b| a.origin.cmp(&b.origin))
}

fn put(slots: &mut Vec<Slot>, owner: &str, slot: Slot) {
    slots.retain(|known| known.origin.owner() != Some(owner));
    slots.push(slot);
}

fn claim(slot: &Slot, origin: Origin) -> Claim {
    Claim::of(slot.driver.descriptor(), origin)
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
