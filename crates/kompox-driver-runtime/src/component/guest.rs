//! The exported interfaces of a component, and one instance of it.

use crate::{
    bindings::exports::kompox::driver::{disk, disk_modify, identity, snapshot},
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
    ) -> wasmtime::Result<Self> {
        Ok(Self {
            identity: identity::GuestIndices::new(pre)?,
            disk: disk::GuestIndices::new(pre)?,
            disk_modify: has_disk_modify.then(|| disk_modify::GuestIndices::new(pre)).transpose()?,
            snapshot: has_snapshot.then(|| snapshot::GuestIndices::new(pre)).transpose()?,
        })
    }
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
