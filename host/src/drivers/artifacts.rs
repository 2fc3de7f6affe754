//! How the operator reaches registries, and where it keeps what it pulled. What is pulled is decided by the
//! controller of KompoxDrivers.

use crate::args::Args;
use kompox_oci::{Client, Digest, Proxies, Puller, Registries, RegistriesError, Store, StoreError};
use kompox_signature::{TrustRoot, TrustRootError};
use std::{
    collections::BTreeMap,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Most bytes that the store keeps.
const STORE_BYTES: u64 = 512 << 20;
/// Most bytes of a file that a flag names.
const FILE_BYTES: u64 = 1 << 20;

/// Why registries cannot be reached as configured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("failed to read {} ({flag}): {source}", path.display())]
    Read {
        /// The flag that names the file.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not as documented.
    #[error("failed to read {} (--registries-config): {message}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// What it says cannot be meant.
    #[error("failed to use {} (--registries-config): {source}", path.display())]
    Registries {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: RegistriesError,
    },
    /// What vouches for keyless signatures cannot be used.
    #[error("failed to use {} (--sigstore-trusted-root): {source}", path.as_deref().unwrap_or(Path::new("the built-in trust root")).display())]
    TrustRoot {
        /// The file; `None`: the copy in this program.
        path: Option<PathBuf>,
        /// What is wrong.
        source: TrustRootError,
    },
    /// The store.
    #[error("failed to open {source} (--component-store-dir)")]
    Store {
        /// What is wrong.
        source: StoreError,
    },
}

/// Registries and the store.
#[derive(Debug)]
pub struct Artifacts {
    /// Pulls artifacts.
    pub puller: Puller,
    /// How often the registry is asked what a tag names.
    pub interval: Duration,
    /// The authorities and logs that vouch for keyless signatures.
    pub trust_root: Arc<TrustRoot>,
    store: Option<Store>,
    /// The component that worked last, by KompoxDriver.
    good: Mutex<BTreeMap<String, Digest>>,
}

impl Artifacts {
    /// As the flags say, for components of `component_bytes` at most.
    ///
    /// # Errors
    /// The file of registries, the trust root or the directory of the store cannot be used.
    pub fn open(args: &Args, component_bytes: usize) -> Result<Self, Error> {
        let registries = match &args.registries_config {
            Some(path) => registries(path)?,
            None => Registries::default(),
        };
        let variable = |name: &str| std::env::var(name).ok();
        let client = Client::new(registries, Proxies::from_variables(variable));
        let store = store(args.component_store_dir.as_deref(), variable)?;
        Ok(Self {
            puller: Puller::new(client, store.clone(), component_bytes as u64),
            interval: Duration::from_secs(args.resolve_tags_every.into()),
            trust_root: Arc::new(trust_root(args.sigstore_trusted_root.as_deref())?),
            store,
            good: Mutex::default(),
        })
    }

    /// Keeps a component for the next start. A store that cannot be written costs that start, nothing now.
    pub fn keep(&self, component: &[u8]) {
        if let Some(Err(error)) = self.store.as_ref().map(|store| store.put(component)) {
            tracing::warn!(%error, "a component is not kept for the next start");
        }
    }

    /// The component with this digest, if it was kept.
    #[must_use]
    pub fn component(&self, digest: &Digest) -> Option<Vec<u8>> {
        let found = self.store.as_ref()?.blob(digest);
        let log = |error: &StoreError| tracing::warn!(%error, "the last good component cannot be read");
        found.inspect_err(log).ok().flatten().map(|bytes| bytes.to_vec())
    }

    /// Remembers which component of a KompoxDriver works (`None`: it is gone): it stays in the store.
    pub fn set_good(&self, owner: &str, digest: Option<Digest>) {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        match digest {
            Some(digest) => good.insert(owner.to_owned(), digest),
            None => good.remove(owner),
        };
        if let Some(store) = &self.store {
            store.keep(good.values().cloned().collect());
        }
    }
}

fn registries(path: &Path) -> Result<Registries, Error> {
    let text = text("--registries-config", path)?;
    let registries: Registries = serde_saphyr::from_str(&text)
        .map_err(|error| Error::Form { path: path.to_owned(), message: error.to_string() })?;
    registries.check().map_err(|source| Error::Registries { path: path.to_owned(), source })?;
    Ok(registries)
}

/// Sigstore's public instance, unless a file names another.
fn trust_root(named: Option<&Path>) -> Result<TrustRoot, Error> {
    let root = match named {
        Some(path) => TrustRoot::from_json(&text("--sigstore-trusted-root", path)?),
        None => TrustRoot::public_instance(),
    };
    root.map_err(|source| Error::TrustRoot { path: named.map(Path::to_owned), source })
}

/// The file that `flag` names; of one that is too long only the start, which does not parse.
fn text(flag: &'static str, path: &Path) -> Result<String, Error> {
    let failed = |source| Error::Read { flag, path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(FILE_BYTES).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// The directory that was named must work; the default one may be missing, as in a container without a home.
fn store(named: Option<&Path>, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Store>, Error> {
    if let Some(path) = named {
        return Store::open(path, STORE_BYTES).map(Some).map_err(|source| Error::Store { source });
    }
    let set = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let opened = caches.map(|caches| Store::open(&caches.join("kompox/driver-store"), STORE_BYTES));
    match opened {
        Some(Ok(store)) => return Ok(Some(store)),
        Some(Err(error)) => tracing::warn!(%error, "drivers are not kept between starts"),
        None => {
            tracing::warn!(
                "drivers are not kept between starts: name a directory with --component-store-dir"
            );
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_registries_is_read_and_its_faults_are_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("registries.yaml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            registries(&path)
        };
        let good = read("registries:\n- prefix: registry.example:5000\n  plainHttp: true\n").unwrap();
        assert!(good.registries.iter().all(|entry| entry.plain_http));
        for (text, expected) in [
            ("plainHttp: true\n", "plainHttp"),
            ("registries:\n- prefix: a.example\n- prefix: a.example\n", "twice"),
            ("registries: [", "--registries-config"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let error = registries(Path::new("/nonexistent")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent (--registries-config)"), "{error}");
    }

    #[test]
    fn a_trust_root_that_cannot_be_used_names_the_flag() {
        assert!(trust_root(None).is_ok());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("trusted_root.json");
        std::fs::write(&path, "{").unwrap();
        for (path, expected) in [
            (path.as_path(), "trusted_root.json (--sigstore-trusted-root)"),
            (Path::new("/nonexistent"), "No such file"),
        ] {
            let error = trust_root(Some(path)).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("--sigstore-trusted-root"), "{error}");
        }
    }

    #[test]
    fn a_named_store_must_work_and_the_default_one_need_not() {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().display().to_string();
        let file = directory.path().join("file");
        std::fs::write(&file, "").unwrap();
        let nothing = |_: &str| None;
        assert!(store(Some(&file), nothing).is_err());
        assert!(store(Some(&directory.path().join("store")), nothing).unwrap().is_some());
        assert!(store(None, nothing).unwrap().is_none());
        assert!(store(None, |name| (name == "HOME").then(|| home.clone())).unwrap().is_some());
        assert!(directory.path().join(".cache/kompox/driver-store").is_dir());
    }
}
