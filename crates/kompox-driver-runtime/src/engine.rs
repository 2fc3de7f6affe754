//! The wasmtime engine: how components are compiled, bounded, interrupted and cached.
//!
//! It knows nothing of drivers.

use crate::{
    error::RuntimeError,
    options::{CallBounds, ComponentCache, Limits},
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use wasmtime::{
    Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
};

/// How often running guests are made to yield, so that timeouts can take effect and others get their turn: with 5 ms a
/// neighbour of an endless loop felt it (`cargo xtask bench neighbour`).
const TICK: Duration = Duration::from_millis(2);
/// Stack of wasm code within the stack of a call.
const WASM_STACK: usize = 512 << 10;
/// Stack of a call, host functions included.
const CALL_STACK: usize = 2 << 20;
/// Guests built from several core modules (Python) need many; see also the store's limits.
const CORE_INSTANCES_PER_CALL: u32 = 8;

/// Builds the engine and starts its ticker.
///
/// # Errors
/// The cache directory cannot be made private, or the engine cannot be configured on this machine.
pub(crate) fn build(
    cache: &ComponentCache,
    limits: &Limits,
) -> Result<(Engine, Option<Cache>), RuntimeError> {
    let cache = cache_directory(cache).map(|path| open_cache(&path)).transpose()?;
    let engine = match Engine::new(&pooling(base_config(cache.clone()), limits)) {
        Ok(engine) => engine,
        // Pools reserve much address space; on machines with little of it they cannot be made.
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "instance pool not available, allocating on demand");
            Engine::new(&base_config(cache.clone())).map_err(|error| RuntimeError::Engine(chain(&error)))?
        }
    };
    start_ticker(&engine)?;
    Ok((engine, cache))
}

fn base_config(cache: Option<Cache>) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        // A driver waits for its cloud; what counts is how soon an operator has compiled all of them. Optimising takes
        // a quarter longer and makes no call measurably faster (`cargo xtask bench drivers`).
        .cranelift_opt_level(OptLevel::None)
        .concurrency_support(false)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(CALL_STACK)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(20))
        .cache(cache);
    config
}

fn pooling(mut config: Config, limits: &Limits) -> Config {
    let calls = limits.concurrent_calls;
    let core_instances = calls.saturating_mul(CORE_INSTANCES_PER_CALL);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(core_instances)
        .total_memories(calls.saturating_mul(2))
        .total_tables(core_instances)
        .total_stacks(calls)
        .max_memory_size(CallBounds::MEMORY_BYTES)
        .linear_memory_keep_resident(64 << 10)
        .table_keep_resident(4 << 10);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// A thread of its own: a busy async runtime must not delay the interruption of what keeps it busy.
fn start_ticker(engine: &Engine) -> Result<(), RuntimeError> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    };
    std::thread::Builder::new()
        .name("driver-epoch".to_owned())
        .spawn(tick)
        .map(drop)
        .map_err(RuntimeError::Ticker)
}

fn cache_directory(cache: &ComponentCache) -> Option<PathBuf> {
    let from_environment =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    match cache {
        ComponentCache::Disabled => None,
        ComponentCache::Directory(path) => Some(path.clone()),
        ComponentCache::UserDefault => from_environment("XDG_CACHE_HOME")
            .or_else(|| from_environment("HOME").map(|home| home.join(".cache")))
            .map(|base| base.join("kompox").join("components")),
    }
}

fn open_cache(path: &Path) -> Result<Cache, RuntimeError> {
    let failed = |source| RuntimeError::CacheDirectory { path: path.to_owned(), source };
    fs::create_dir_all(path).map_err(failed)?;
    make_private(path).map_err(failed)?;
    // The cache demands an absolute path.
    let path = path.canonicalize().map_err(failed)?;
    let mut config = CacheConfig::new();
    config.with_directory(path);
    Cache::new(config).map_err(|error| RuntimeError::Cache(chain(&error)))
}

#[cfg(unix)]
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_private(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// The whole chain of causes in one line.
pub(crate) fn chain(error: &wasmtime::Error) -> String {
    format!("{error:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_cache_directory_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a").join("components");
        open_cache(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn an_unusable_cache_directory_is_an_error_that_names_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = open_cache(&file.path().join("below")).unwrap_err().to_string();
        assert!(error.contains("below"), "{error}");
    }
}
