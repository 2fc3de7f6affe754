//! Why a runtime cannot start and why a component is refused, in words that say what to do.

use std::{io, path::PathBuf};

/// The runtime cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// wasmtime refuses this machine or configuration.
    #[error("failed to configure the WebAssembly engine: {0}")]
    Engine(String),
    /// The thread that interrupts guests cannot be started.
    #[error("failed to start the thread that interrupts drivers")]
    Ticker(#[source] io::Error),
    /// The directory of compiled components cannot be made, or not be made private.
    #[error("failed to prepare {} for compiled components: {source}; give another directory or disable the cache", path.display())]
    CacheDirectory {
        /// The directory.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// wasmtime refuses the cache's configuration.
    #[error("failed to open the cache of compiled components: {0}")]
    Cache(String),
    /// The host's functions cannot be offered to components.
    #[error("failed to set up the driver interfaces: {0}")]
    Linker(String),
    /// TLS cannot be configured.
    #[error("failed to configure TLS: {0}")]
    Tls(String),
}

/// A component is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("failed to read the component: {0}")]
    Read(#[source] io::Error),
    /// More bytes than allowed.
    #[error(
        "failed to load the component: it is larger than {limit} bytes; build it with opt-level `z`, LTO and `strip`, or raise the limit"
    )]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Not a component at all.
    #[error("failed to load the component: {0}")]
    NotAComponent(&'static str),
    /// It does not validate or compile.
    #[error("failed to compile the component: {0}")]
    Compile(String),
    /// Compiling it would take too long.
    #[error("failed to compile the component: it has {0}; build it with opt-level `z`, LTO and `strip`")]
    TooMuchCode(String),
    /// It imports what no operator offers.
    #[error(
        "failed to link the component: it imports `{import}`; a driver may import `kompox:driver` 0.1 and WASI 0.2 only"
    )]
    UnknownImport {
        /// The full name of the import.
        import: String,
    },
    /// It was built for another generation of the contract.
    #[error(
        "failed to link the component: driver needs {package} {needed}; this operator offers {offered}; use an operator \
         that offers {needed}, or build the driver for {offered}"
    )]
    Version {
        /// The WIT package.
        package: &'static str,
        /// The version line the component was built for.
        needed: String,
        /// The version line offered here.
        offered: &'static str,
    },
    /// It calls what a later operator of the same line offers.
    #[error(
        "failed to link the component: driver needs {what} of kompox:driver {version}, which this operator does not offer; \
         use an operator that offers {version}, or build the driver for an earlier {offered}"
    )]
    Later {
        /// The interface or the function.
        what: String,
        /// The version the component was built for.
        version: String,
        /// The version line.
        offered: &'static str,
    },
    /// A mandatory interface is missing.
    #[error(
        "failed to load the driver: it does not export `kompox:driver/{interface}`, which every driver must; it exports \
         {found}; export a world that includes `disk-driver`"
    )]
    MissingExport {
        /// The interface.
        interface: &'static str,
        /// What it exports.
        found: String,
    },
    /// An interface has the right name and another shape.
    #[error(
        "failed to link the component: its `{interface}` is not that of the published contract, whose functions and values \
         stay as they are within a version line; build the driver against `wit/kompox-driver` of 0.1, or use the operator \
         it was built for ({cause})"
    )]
    Shape {
        /// The interface.
        interface: String,
        /// What does not fit, in the words of the linker.
        cause: String,
    },
    /// `describe` failed.
    #[error("failed to ask the driver for its descriptor: {0}")]
    Describe(String),
    /// The descriptor is wrong.
    #[error("failed to accept the driver's descriptor: {0}")]
    Descriptor(String),
    /// Another driver serves the type already.
    #[error(
        "failed to register driver `{driver}`: provider type `{provider_type}` is already served by driver `{holder}`; remove one of them"
    )]
    TypeTaken {
        /// The refused driver.
        driver: String,
        /// The contested type.
        provider_type: String,
        /// The driver that keeps it.
        holder: String,
    },
    /// A built-in driver serves the type, and the administrator did not grant its replacement.
    #[error(
        "failed to register driver `{driver}`: provider type `{provider_type}` belongs to the built-in driver `{holder}`; name the type in `grants.replaceBuiltInTypes` if this driver may receive its credentials"
    )]
    BuiltInType {
        /// The refused driver.
        driver: String,
        /// The contested type.
        provider_type: String,
        /// The built-in driver that keeps it.
        holder: String,
    },
    /// Another driver has the name already.
    #[error(
        "failed to register driver `{driver}`: another loaded driver has the same name; remove one of them"
    )]
    NameTaken {
        /// The name.
        driver: String,
    },
}
