//! The exported interfaces of a component, and one instance of it.

use crate::{
    bindings::exports::kompox::driver::{disk, disk_modify, identity, snapshot},
    engine::chain,
    error::LoadError,
    state::CallState,
};
use wasmtime::{
    Store,
    component::{Instance, InstancePre},
};

/// Where a component's functions are: looked up and type-checked once.
pub(crate) struct Exports {
    pub(crate) identity: identity::GuestIndices,
    pub(crate) disk: disk::GuestIndices,
    pub(crate) disk_modify: Option<disk_modify::GuestIndices>,
    pub(crate) snapshot: Option<snapshot::GuestIndices>,
}

impl Exports {
    /// Looks the functions up; `has_*` say which optional interfaces are exported.
    ///
    /// # Errors
    /// An interface that is there with another shape.
    pub(crate) fn new(
        pre: &InstancePre<CallState>,
        has_disk_modify: bool,
        has_snapshot: bool,
    ) -> Result<Self, LoadError> {
        Ok(Self {
            identity: fitting("identity", identity::GuestIndices::new(pre))?,
            disk: fitting("disk", disk::GuestIndices::new(pre))?,
            disk_modify: has_disk_modify
                .then(|| fitting("disk-modify", disk_modify::GuestIndices::new(pre)))
                .transpose()?,
            snapshot: has_snapshot
                .then(|| fitting("snapshot", snapshot::GuestIndices::new(pre)))
                .transpose()?,
        })
    }
}

fn fitting<T>(interface: &str, found: wasmtime::Result<T>) -> Result<T, LoadError> {
    found.map_err(|error| LoadError::Shape {
        interface: format!("kompox:driver/{interface}"),
        cause: chain(&error),
    })
}

/// An instance that serves one call.
pub(crate) struct Guest<'s> {
    pub(crate) store: &'s mut Store<CallState>,
    instance: Instance,
    exports: &'s Exports,
}

impl<'s> Guest<'s> {
    pub(crate) fn new(store: &'s mut Store<CallState>, instance: Instance, exports: &'s Exports) -> Self {
        Self { store, instance, exports }
    }

    /// Compares the functions of the component with those of the contract. Only an instance tells their types.
    ///
    /// # Errors
    /// The first interface that has another shape.
    pub(crate) fn fit(&mut self) -> Result<(), LoadError> {
        fitting("identity", self.identity())?;
        fitting("disk", self.disk())?;
        if self.exports.disk_modify.is_some() {
            fitting("disk-modify", self.disk_modify())?;
        }
        if self.exports.snapshot.is_some() {
            fitting("snapshot", self.snapshot())?;
        }
        Ok(())
    }

    pub(crate) fn identity(&mut self) -> wasmtime::Result<identity::Guest> {
        self.exports.identity.load(&mut *self.store, &self.instance)
    }

    pub(crate) fn disk(&mut self) -> wasmtime::Result<disk::Guest> {
        self.exports.disk.load(&mut *self.store, &self.instance)
    }

    pub(crate) fn disk_modify(&mut self) -> wasmtime::Result<disk_modify::Guest> {
        let indices = self.exports.disk_modify.as_ref().ok_or_else(|| missing("disk-modify"))?;
        indices.load(&mut *self.store, &self.instance)
    }

    pub(crate) fn snapshot(&mut self) -> wasmtime::Result<snapshot::Guest> {
        let indices = self.exports.snapshot.as_ref().ok_or_else(|| missing("snapshot"))?;
        indices.load(&mut *self.store, &self.instance)
    }
}

/// Not reached: the port answers `unsupported` before it makes an instance.
fn missing(interface: &str) -> wasmtime::Error {
    wasmtime::Error::msg(format!("the driver does not export `{interface}`"))
}
