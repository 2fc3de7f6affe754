//! Drivers that change while calls run, and directories whose files come, change and go.

use crate::support::{call, guest, patched, request};
use kompox_core::driver::{Driver as _, Drivers as _};
use kompox_driver_runtime::{
    ComponentCache, Directory, EgressGrant, LoadReport, Registry, Runtime, RuntimeOptions,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

fn runtime() -> Runtime {
    Runtime::new(RuntimeOptions { cache: ComponentCache::Disabled, ..RuntimeOptions::default() }).unwrap()
}

/// The smallest driver, as another version of itself.
fn version(number: u8) -> Vec<u8> {
    patched(guest("minimal"), "\"version\":\"1.0.0\"", &format!("\"version\":\"1.0.{number}\""))
}

/// What is at `path` is another file afterwards.
fn put(path: &Path, bytes: &[u8]) {
    let partial = path.with_extension("partial");
    fs::write(&partial, bytes).unwrap();
    fs::rename(&partial, path).unwrap();
}

/// One look: what became of which file.
struct Looks {
    directory: Directory,
    registry: Registry,
    runtime: Runtime,
}

impl Looks {
    fn at(path: &Path) -> Self {
        let directory = Directory::new(path, Some(EgressGrant::default()));
        Self { directory, registry: Registry::new(), runtime: runtime() }
    }

    async fn look(&mut self) -> LoadReport {
        self.directory.refresh(&self.registry, &self.runtime).await
    }

    async fn told(&mut self) -> Vec<String> {
        let report = self.look().await;
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let loaded = report.loaded.iter().map(|file| format!("{} is {}", name(&file.path), file.version));
        let refused = report.refused.iter().map(|(path, _)| format!("{} is refused", name(path)));
        let removed = report.removed.iter().map(|path| format!("{} is gone", name(path)));
        loaded.chain(refused).chain(removed).collect()
    }

    fn serving(&self) -> Option<String> {
        self.registry.for_type("minimal").map(|driver| driver.descriptor().version.clone())
    }
}

#[tokio::test]
async fn files_are_followed_and_what_is_bad_leaves_what_was_good() {
    let place = tempfile::tempdir().unwrap();
    let (a, b) = (place.path().join("a.wasm"), place.path().join("b.wasm"));
    let mut looks = Looks::at(place.path());
    assert!(looks.look().await.is_empty());

    put(&a, &version(1));
    let report = looks.look().await;
    assert_eq!(report.types, BTreeSet::from(["minimal".to_owned()]));
    assert_eq!(looks.serving().as_deref(), Some("1.0.1"));
    assert!(looks.look().await.is_empty(), "nothing changed");
    put(&a, &version(2));
    assert_eq!(looks.told().await, ["a.wasm is 1.0.2"]);
    assert_eq!(looks.serving().as_deref(), Some("1.0.2"));

    put(&a, b"half of a fi");
    assert_eq!(looks.told().await, ["a.wasm is refused"]);
    assert_eq!(looks.serving().as_deref(), Some("1.0.2"));
    assert_eq!(looks.directory.counts(), (0, 1));
    let why = looks.registry.refused_update("minimal").unwrap();
    assert!(why.contains("not a WebAssembly component"), "{why}");
    assert!(looks.look().await.is_empty(), "it is told once");
    put(&a, &version(2));
    assert_eq!(looks.told().await, ["a.wasm is 1.0.2"]);
    assert_eq!(looks.registry.refused_update("minimal"), None);

    // Its name is taken until the other one goes.
    put(&b, &version(3));
    assert_eq!(looks.told().await, ["b.wasm is refused"]);
    fs::remove_file(&a).unwrap();
    assert!(looks.look().await.is_empty(), "it may be about to be written again");
    assert_eq!(looks.told().await, ["b.wasm is 1.0.3", "a.wasm is gone"]);
    assert_eq!((looks.serving().as_deref(), looks.directory.counts()), (Some("1.0.3"), (1, 0)));

    // Whoever takes the directory away takes no driver away.
    fs::remove_dir_all(place.path()).unwrap();
    for _ in 0..3 {
        looks.look().await;
    }
    assert_eq!(looks.serving().as_deref(), Some("1.0.3"));
}

/// As a ConfigMap is mounted: a link to the folder that is current, and links to the files through it.
#[tokio::test]
async fn a_swapped_link_is_a_change() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    for number in [1, 2] {
        let folder = at(&format!("..{number}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("driver.wasm"), version(number)).unwrap();
    }
    symlink("..1", at("..data")).unwrap();
    symlink("..data/driver.wasm", at("driver.wasm")).unwrap();
    let mut looks = Looks::at(place.path());
    assert_eq!(looks.told().await, ["driver.wasm is 1.0.1"]);
    symlink("..2", at("..new")).unwrap();
    fs::rename(at("..new"), at("..data")).unwrap();
    assert_eq!(looks.told().await, ["driver.wasm is 1.0.2"]);
}

/// A built-in driver with grants of an administrator follows its file: the owner puts the new one in place.
#[tokio::test]
async fn a_configured_driver_does_not_stand_in_the_way_of_its_file() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("a.wasm");
    put(&file, &version(1));
    let mut looks = Looks::at(place.path());
    looks.look().await;
    looks.registry.configure("minimal", looks.registry.built_in("minimal").unwrap());
    put(&file, &version(2));
    assert_eq!(looks.told().await, ["a.wasm is 1.0.2"]);
    assert_eq!(looks.serving().as_deref(), Some("1.0.1"), "until its owner says so");
    looks.registry.configure("minimal", looks.registry.built_in("minimal").unwrap());
    assert_eq!(looks.serving().as_deref(), Some("1.0.2"));
}

const CALLERS: usize = 4;
const SWAPS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_while_drivers_are_swapped() {
    let runtime = runtime();
    let drivers = [runtime.load(version(1)).await.unwrap(), runtime.load(version(2)).await.unwrap()];
    let registry = Arc::new(Registry::new());
    registry.install("owner", Arc::clone(&drivers[0]), &BTreeSet::new()).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let served: Arc<BTreeMap<String, AtomicUsize>> =
        Arc::new(drivers.iter().map(|driver| (driver.digest().to_owned(), AtomicUsize::new(0))).collect());
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (registry, stop, served) = (Arc::clone(&registry), Arc::clone(&stop), Arc::clone(&served));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let driver = registry.for_type("minimal").expect("the type is never without a driver");
                    driver.plan(&call("minimal", &[]), &request()).await.expect("no call fails");
                    served[driver.digest()].fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for swap in 1..=SWAPS {
        let next = &drivers[swap % 2];
        let before = served[next.digest()].load(Ordering::Relaxed);
        registry.install("owner", Arc::clone(next), &BTreeSet::new()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while served[next.digest()].load(Ordering::Relaxed) < before + CALLERS {
            assert!(Instant::now() < deadline, "calls do not reach the new driver");
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
}
