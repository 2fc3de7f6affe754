//! The drivers of this operator with what administrators set for them, by provider type, and who is told
//! when they change. How a driver gets here is decided by its controller.

use futures::{Stream, stream};
use kompox_core::driver::{Attributes, Driver as _, Drivers};
use kompox_crds::v1alpha1::driver::Adoption;
use kompox_driver_runtime::{Directory, LoadError, LoadReport, LoadedDriver, Registry, Runtime};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// What an administrator set for every object that a driver serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Settings that an object's own are merged over.
    pub config: Attributes,
    /// Name of the shared credentials' Secret in the operator's namespace.
    pub credentials: Option<String>,
    /// Keys of the settings that an object may set which uses the shared credentials.
    pub tenant_config_keys: BTreeSet<String>,
    /// Which cloud disks may be adopted; `None`: nothing was said.
    pub adoption: Option<Adoption>,
    /// How long a call may take; `None`: the operator's default.
    pub call_timeout: Option<Duration>,
}

/// How a driver came to the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is built in.
    BuiltIn,
    /// It was brought along, and may take over these types of built-in drivers.
    Installed(BTreeSet<String>),
}

/// What holds for one owner.
struct Held {
    origin: Origin,
    driver: Arc<LoadedDriver>,
    settings: Arc<Settings>,
}

/// How often the driver of a type changed.
type Epochs = BTreeMap<String, u64>;

/// The drivers, their settings and their changes.
pub struct Catalog {
    registry: Arc<Registry>,
    held: Mutex<BTreeMap<String, Held>>,
    epochs: watch::Sender<Epochs>,
}

impl Catalog {
    /// A catalog of the built-in drivers of `registry`.
    #[must_use]
    pub fn new(registry: Arc<Registry>) -> Self {
        Self { registry, held: Mutex::default(), epochs: watch::Sender::default() }
    }

    /// The drivers by type.
    #[must_use]
    pub fn drivers(&self) -> Arc<dyn Drivers> {
        Arc::clone(&self.registry) as Arc<dyn Drivers>
    }

    /// The built-in drivers and their names.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What was set for the driver that serves a type.
    #[must_use]
    pub fn settings(&self, provider_type: &str) -> Arc<Settings> {
        let serving = self.registry.for_type(provider_type);
        let held = self.held();
        let of_type =
            held.iter().filter(|(_, held)| held.driver.descriptor().provider(provider_type).is_some());
        // An installed driver comes before a built-in one, as in the registry.
        let first = of_type.max_by_key(|(_, held)| held.origin != Origin::BuiltIn);
        let serves = |held: &&Held| serving.is_some_and(|serving| serving.digest() == held.driver.digest());
        first.map(|(_, held)| held).filter(serves).map(|held| Arc::clone(&held.settings)).unwrap_or_default()
    }

    /// The driver that `owner` brought or configured.
    #[must_use]
    pub fn of_owner(&self, owner: &str) -> Option<Arc<LoadedDriver>> {
        self.held().get(owner).map(|held| Arc::clone(&held.driver))
    }

    /// Puts the driver of `owner` in place of the one it had. Running calls finish on that one. `true`:
    /// something changed.
    ///
    /// # Errors
    /// Another driver has its name or one of its types; what `owner` had stays then.
    pub fn put(
        &self,
        owner: &str,
        origin: Origin,
        driver: Arc<LoadedDriver>,
        settings: Settings,
    ) -> Result<bool, LoadError> {
        let mut held = self.held();
        let old = held.get(owner);
        if old.is_some_and(|old| {
            old.origin == origin
                && *old.settings == settings
                && old.driver.digest() == driver.digest()
                && old.driver.grant() == driver.grant()
        }) {
            return Ok(false);
        }
        match &origin {
            Origin::BuiltIn => self.registry.configure(owner, Arc::clone(&driver)),
            Origin::Installed(replaces) => self.registry.install(owner, Arc::clone(&driver), replaces)?,
        }
        let mut changed = types(&driver);
        changed.extend(old.map(|old| types(&old.driver)).unwrap_or_default());
        held.insert(owner.to_owned(), Held { origin, driver, settings: Arc::new(settings) });
        drop(held);
        self.announce(changed);
        Ok(true)
    }

    /// Takes away what `owner` brought or configured.
    pub fn remove(&self, owner: &str) {
        let mut held = self.held();
        let Some(gone) = held.remove(owner) else { return };
        self.registry.remove(owner);
        drop(held);
        self.announce(types(&gone.driver));
    }

    /// Brings the built-in drivers to what the files of `directory` are now, and tells who waits for their types.
    pub async fn refresh(&self, directory: &mut Directory, runtime: &Runtime) -> LoadReport {
        let report = directory.refresh(&self.registry, runtime).await;
        if !report.types.is_empty() {
            self.announce(report.types.clone());
        }
        report
    }

    /// Everybody who brought or configured a driver.
    #[must_use]
    pub fn owners(&self) -> BTreeSet<String> {
        self.held().keys().cloned().collect()
    }

    /// The changes from now on.
    #[must_use]
    pub fn changes(&self) -> Changes {
        let mut receiver = self.epochs.subscribe();
        let seen = receiver.borrow_and_update().clone();
        Changes { receiver, seen }
    }

    fn announce(&self, types: BTreeSet<String>) {
        self.epochs.send_modify(|epochs| {
            for type_ in types {
                let epoch = epochs.entry(type_).or_default();
                *epoch = epoch.wrapping_add(1);
            }
        });
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn types(driver: &LoadedDriver) -> BTreeSet<String> {
    driver.descriptor().providers.iter().map(|provider| provider.type_.clone()).collect()
}

/// Tells which types changed. A slow listener misses no type, only how often it changed.
#[derive(Debug)]
pub struct Changes {
    receiver: watch::Receiver<Epochs>,
    seen: Epochs,
}

impl Changes {
    /// The types whose driver came, went or changed, since the last answer. Ends with the catalog.
    pub fn types(self) -> impl Stream<Item = BTreeSet<String>> + Send + 'static {
        stream::unfold(self, |mut changes| async move {
            changes.receiver.changed().await.ok()?;
            let now = changes.receiver.borrow_and_update().clone();
            let differs = |(type_, epoch): &(&String, &u64)| changes.seen.get(*type_) != Some(epoch);
            let changed = now.iter().filter(differs).map(|(type_, _)| type_.clone()).collect();
            changes.seen = now;
            Some((changed, changes))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt as _;

    #[tokio::test]
    async fn a_slow_listener_misses_no_type() {
        let catalog = Catalog::new(Arc::default());
        let changes = catalog.changes();
        for types in [["a"].as_slice(), &["b", "a"], &["c"]] {
            catalog.announce(types.iter().map(|t| (*t).to_owned()).collect());
        }
        let mut told = Box::pin(changes.types());
        assert_eq!(told.next().await.unwrap(), ["a", "b", "c"].map(str::to_owned).into());
        catalog.announce(["b".to_owned()].into());
        assert_eq!(told.next().await.unwrap(), ["b".to_owned()].into());
    }

    #[test]
    fn without_a_driver_nothing_is_set_and_removing_nobody_tells_nobody() {
        let catalog = Catalog::new(Arc::default());
        assert_eq!(*catalog.settings("eks"), Settings::default());
        catalog.remove("nobody");
        assert!(!catalog.changes().receiver.has_changed().unwrap());
    }
}
