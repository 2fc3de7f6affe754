//! Programs that are compiled from Go modules, once, into the user's cache. Nothing is started here.
//!
//! The modules lie below `devcluster/` and are embedded, so that an installed program can build them
//! without a checkout. What was built lies in `$XDG_CACHE_HOME/kompox/<module>/<key>/` (`~/.cache`
//! without the variable), where the key follows from the module's sources and the platform.

mod build;
mod module;

use crate::progress::Reporter;
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

pub use build::Error as BuildError;
pub use module::{CONTROL_PLANE, DNS, Module, PAUSE, REFERRERS, REGISTRY, SANITY, STORAGE};

/// Why there are no programs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither `XDG_CACHE_HOME` nor `HOME` is set.
    #[error("failed to find a cache directory: set XDG_CACHE_HOME or HOME")]
    NoCacheDirectory,
    /// The build failed.
    #[error("failed to build {name}")]
    Build {
        /// The module's name.
        name: &'static str,
        /// Why.
        source: BuildError,
    },
}

/// The programs of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// Holds each program under its name.
    pub directory: PathBuf,
    /// Whether they were built just now.
    pub fresh: bool,
}

impl Module {
    /// The module's programs, built now if the cache does not hold them.
    ///
    /// A build takes minutes and its lines go to `reporter`. Two processes that need the same build at
    /// the same time make one.
    ///
    /// # Errors
    /// [`Error`]; each says what to do.
    pub async fn programs(&self, reporter: &Reporter) -> Result<Programs, Error> {
        let cache = cache_directory(env::var_os("XDG_CACHE_HOME"), env::var_os("HOME"))
            .ok_or(Error::NoCacheDirectory)?;
        build::ensure(self, &cache.join(self.name), reporter)
            .await
            .map_err(|source| Error::Build { name: self.name, source })
    }
}

/// The XDG base directory specification says to ignore relative values.
fn cache_directory(cache: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |value: OsString| Some(PathBuf::from(value)).filter(|path| path.is_absolute());
    let base = cache
        .and_then(absolute)
        .or_else(|| home.and_then(absolute).map(|home| Path::new(&home).join(".cache")))?;
    Some(base.join("kompox"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_directory_follows_xdg() {
        let cases: [(Option<&str>, Option<&str>, Option<&str>); 4] = [
            (Some("/c"), Some("/h"), Some("/c/kompox")),
            (None, Some("/h"), Some("/h/.cache/kompox")),
            (Some("relative"), Some("/h"), Some("/h/.cache/kompox")),
            (None, None, None),
        ];
        for (cache, home, want) in cases {
            let found = cache_directory(cache.map(Into::into), home.map(Into::into));
            assert_eq!(found.as_deref(), want.map(Path::new));
        }
    }
}
