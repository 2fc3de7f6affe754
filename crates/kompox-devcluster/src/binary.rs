//! Where the control plane's programs come from: found, or built once. Nothing is started here.
//!
//! The order, first hit wins:
//! 1. `KOMPOX_CONTROLPLANE`: path of the multi-call binary. If set it must exist.
//! 2. `KUBEBUILDER_ASSETS`: a directory with `etcd`, `kube-apiserver`, `kube-controller-manager` and
//!    `kube-scheduler`. The archives of `setup-envtest` lack the last two: then it is passed over,
//!    and [`Progress::Skipped`] says what was missing.
//! 3. The cache of [`go`], which is filled by `go build` if it is empty.

use crate::{
    go::{self, CONTROL_PLANE},
    part::PartName,
    progress::{Progress, Reporter},
};
use std::{
    env,
    ffi::OsString,
    fmt, io,
    path::{Path, PathBuf},
};
use tokio::process::Command;

/// Names the multi-call binary to use instead of any other.
pub const BINARY_VARIABLE: &str = "KOMPOX_CONTROLPLANE";
/// The controller-runtime convention for a directory of control plane binaries.
pub const ASSETS_VARIABLE: &str = "KUBEBUILDER_ASSETS";

/// Which of the places the programs came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// `KOMPOX_CONTROLPLANE`.
    Variable,
    /// `KUBEBUILDER_ASSETS`.
    Assets,
    /// Built earlier, by this or another program of the project.
    Cache,
    /// Built just now.
    Built,
    /// Named by the caller.
    Given,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Variable => BINARY_VARIABLE,
            Self::Assets => ASSETS_VARIABLE,
            Self::Cache => "the cache",
            Self::Built => "a fresh build",
            Self::Given => "the given path",
        })
    }
}

/// Why there are no programs to run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An explicit path does not name a file.
    #[error("failed to find the control plane named by {source_name}: {} is not a file", path.display())]
    NotAFile {
        /// The variable or option that named it.
        source_name: Source,
        /// What it named.
        path: PathBuf,
    },
    /// The build failed.
    #[error("failed to get the control plane from source; {BINARY_VARIABLE} may name a built one")]
    Build(#[source] go::Error),
}

/// Where to look.
#[derive(Clone, Debug, Default)]
pub enum BinarySource {
    /// Everywhere, in the order of this module.
    #[default]
    Search,
    /// This multi-call binary and no other.
    Path(PathBuf),
}

/// The programs of the control plane.
#[derive(Clone, Debug)]
pub struct Binaries {
    source: Source,
    location: Location,
}

#[derive(Clone, Debug)]
enum Location {
    /// One file, the part's name is its first argument.
    Multicall(PathBuf),
    /// A file for each part.
    Directory(PathBuf),
}

impl Binaries {
    /// Finds the programs, building them if they are nowhere to be found.
    ///
    /// A build takes minutes (about six on two cores) and its lines go to `reporter`. Two processes
    /// that need the same build at the same time make one.
    ///
    /// # Errors
    /// [`Error`]; each says what to do.
    pub async fn find(from: &BinarySource, reporter: &Reporter) -> Result<Self, Error> {
        let found = match from {
            BinarySource::Path(path) => Self::multicall(Source::Given, path.clone())?,
            BinarySource::Search => Self::search(&Environment::of_process(), reporter).await?,
        };
        reporter.report(Progress::Found { source: found.source, path: found.path().to_owned() });
        Ok(found)
    }

    /// Where they came from.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// The multi-call binary, or the directory of single ones.
    #[must_use]
    pub fn path(&self) -> &Path {
        match &self.location {
            Location::Multicall(path) | Location::Directory(path) => path,
        }
    }

    /// The program and its leading arguments for `part`.
    pub(crate) fn command_line(&self, part: PartName) -> (PathBuf, Option<&'static str>) {
        match &self.location {
            Location::Multicall(path) => (path.clone(), Some(part.program())),
            Location::Directory(path) => (path.join(part.program()), None),
        }
    }

    /// The version of a part; only of what was built from our own module is it known.
    pub(crate) fn version(&self, part: PartName) -> &'static str {
        match (self.source, part) {
            (Source::Cache | Source::Built, PartName::Etcd) => {
                CONTROL_PLANE.version_of("go.etcd.io/etcd/server/v3")
            }
            (Source::Cache | Source::Built, _) => CONTROL_PLANE.version(),
            _ => "",
        }
    }

    /// `kubectl` from the same place, for the cluster of a kubeconfig.
    #[must_use]
    pub fn kubectl(&self, kubeconfig: &Path) -> Command {
        let (program, first) = match &self.location {
            Location::Multicall(path) => (path.clone(), Some("kubectl")),
            Location::Directory(path) => (path.join("kubectl"), None),
        };
        let mut command = Command::new(program);
        command.args(first).env("KUBECONFIG", kubeconfig);
        command
    }

    async fn search(environment: &Environment, reporter: &Reporter) -> Result<Self, Error> {
        if let Some(path) = &environment.binary {
            return Self::multicall(Source::Variable, path.into());
        }
        if let Some(directory) = &environment.assets {
            match Self::assets(Path::new(directory)) {
                Ok(found) => return Ok(found),
                Err(reason) => reporter.report(Progress::Skipped { reason }),
            }
        }
        let programs = CONTROL_PLANE.programs(reporter).await.map_err(Error::Build)?;
        let source = if programs.fresh { Source::Built } else { Source::Cache };
        Ok(Self { source, location: Location::Multicall(programs.directory.join("kompox-controlplane")) })
    }

    fn multicall(source: Source, path: PathBuf) -> Result<Self, Error> {
        // The parts run in a directory of their own: a relative path would no longer name the file.
        match path.canonicalize().and_then(|path| is_file(&path).map(|is| (path, is))) {
            Ok((path, true)) => Ok(Self { source, location: Location::Multicall(path) }),
            _ => Err(Error::NotAFile { source_name: source, path }),
        }
    }

    fn assets(directory: &Path) -> Result<Self, String> {
        let missing: Vec<_> = PartName::CONTROL_PLANE
            .into_iter()
            .map(PartName::program)
            .filter(|program| !directory.join(program).is_file())
            .collect();
        match directory.canonicalize() {
            Ok(directory) if missing.is_empty() => {
                Ok(Self { source: Source::Assets, location: Location::Directory(directory) })
            }
            _ => Err(format!(
                "{ASSETS_VARIABLE}={} has no {}: pods could not be scheduled or disks bound without",
                directory.display(),
                missing.join(", ")
            )),
        }
    }
}

fn is_file(path: &Path) -> io::Result<bool> {
    path.metadata().map(|metadata| metadata.is_file())
}

/// The variables that decide, read once.
#[derive(Default)]
struct Environment {
    binary: Option<OsString>,
    assets: Option<OsString>,
}

impl Environment {
    fn of_process() -> Self {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        Self { binary: set(BINARY_VARIABLE), assets: set(ASSETS_VARIABLE) }
    }
}

#[cfg(test)]
mod tests;
