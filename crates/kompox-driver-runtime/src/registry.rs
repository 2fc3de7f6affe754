//! The loaded drivers by provider type: who serves a type, and how one driver takes another's place.

mod directory;
mod precedence;

pub use directory::{Directory, LoadReport, LoadedFile};

use crate::{component::LoadedDriver, error::LoadError, runtime::Runtime};
use kompox_core::driver::{Driver, Drivers};
use precedence::Claim;
use std::{
    collections::BTreeSet,
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
    /// Types of built-in drivers that it may take over.
    replaces: BTreeSet<String>,
    /// The file of a built-in driver, and why what is in it now is not what serves.
    file: Option<PathBuf>,
    refused: Option<String>,
}

impl Slot {
    fn new(driver: Arc<LoadedDriver>, origin: Origin) -> Self {
        Self { driver, origin, replaces: BTreeSet::new(), file: None, refused: None }
    }
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

impl Registry {
    /// A registry without drivers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads every `*.wasm` file of `directory`, in the order of their names. A refused file does not
    /// keep the others from being loaded. [`Directory`] follows what happens to them later.
    pub async fn load_directory(&self, runtime: &Runtime, directory: &Path) -> LoadReport {
        Directory::new(directory, None).refresh(self, runtime).await
    }

    /// Puts the built-in driver of `file` in place of the one that came from it before, in one step. Gives the
    /// provider types that change.
    ///
    /// # Errors
    /// Its name or one of its provider types is taken: who serves a type receives its credentials, so
    /// the first one keeps it.
    fn put_file(&self, file: &Path, driver: Arc<LoadedDriver>) -> Result<BTreeSet<String>, LoadError> {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<_> =
            slots.iter().filter(|slot| slot.file.as_deref() != Some(file)).map(claim).collect();
        let mut slot = Slot::new(driver, Origin::BuiltIn);
        precedence::admit(&claim(&slot), &known)?;
        slot.file = Some(file.to_owned());
        let mut changed = types(&slot);
        match slots.iter_mut().find(|slot| slot.file.as_deref() == Some(file)) {
            Some(old) => {
                changed.extend(types(old));
                *old = slot;
            }
            None => slots.push(slot),
        }
        Ok(changed)
    }

    /// Notes that what is in `file` now is refused; the driver that came from it before serves on. Gives the
    /// types of that one.
    fn refuse_file(&self, file: &Path, why: &str) -> BTreeSet<String> {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = slots.iter_mut().find(|slot| slot.file.as_deref() == Some(file)) else {
            return BTreeSet::new();
        };
        slot.refused = Some(why.to_owned());
        types(slot)
    }

    /// Takes away the driver of `file`. Gives its types.
    fn remove_file(&self, file: &Path) -> BTreeSet<String> {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let gone: BTreeSet<String> =
            slots.iter().filter(|slot| slot.file.as_deref() == Some(file)).flat_map(types).collect();
        slots.retain(|slot| slot.file.as_deref() != Some(file));
        gone
    }

    /// The digest of what came from `file` and serves.
    fn digest_of(&self, file: &Path) -> Option<String> {
        let slots = self.snapshot();
        let slot = slots.iter().find(|slot| slot.file.as_deref() == Some(file))?;
        Some(slot.driver.digest().to_owned())
    }

    /// Puts the driver of `owner` in place of the one it had, in one step: a call gets the one or the
    /// other. `replaces` are the types of built-in drivers that it may take over.
    ///
    /// # Errors
    /// Its name or one of its provider types is taken; what `owner` had stays then.
    pub fn install(
        &self,
        owner: &str,
        driver: Arc<LoadedDriver>,
        replaces: &BTreeSet<String>,
    ) -> Result<(), LoadError> {
        let mut slot = Slot::new(driver, Origin::Installed(owner.to_owned()));
        slot.replaces.clone_from(replaces);
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<_> =
            slots.iter().filter(|slot| slot.origin.owner() != Some(owner)).map(claim).collect();
        precedence::admit(&claim(&slot), &known)?;
        put(&mut slots, owner, slot);
        Ok(())
    }

    /// Lets the built-in driver be called in the form that `owner` gave it.
    pub fn configure(&self, owner: &str, driver: Arc<LoadedDriver>) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        put(&mut slots, owner, Slot::new(driver, Origin::Configured(owner.to_owned())));
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

    /// Why the file of the built-in driver of this name is not what serves: what came from it before does.
    #[must_use]
    pub fn refused_update(&self, name: &str) -> Option<String> {
        let found = |slot: &Slot| slot.origin == Origin::BuiltIn && slot.driver.descriptor().name == name;
        self.snapshot().into_iter().find(found).and_then(|slot| slot.refused)
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

fn claim(slot: &Slot) -> Claim {
    Claim::of(slot.driver.descriptor(), slot.origin.clone(), slot.replaces.clone())
}

fn types(slot: &Slot) -> BTreeSet<String> {
    slot.driver.descriptor().providers.iter().map(|provider| provider.type_.clone()).collect()
}
