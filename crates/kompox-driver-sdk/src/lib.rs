//! For authors of provider drivers: bindings of `kompox:driver`, HTTP, errors, tags. Nothing here
//! knows a provider.
//!
//! A driver crate is a `cdylib` and nothing else (beside an `rlib` Cargo leaves out link-time
//! optimisation). Its logic takes a [`http::Transport`], so that the same code runs natively against a
//! script of answers ([`testing::Script`]) and in the component against `http::WasiTransport`:
//!
//! ```text
//! struct Driver;
//! impl kompox_driver_sdk::identity::Guest for Driver { /* … */ }
//! impl kompox_driver_sdk::disk::Guest for Driver { /* … */ }
//! #[cfg(target_family = "wasm")]
//! kompox_driver_sdk::export!(Driver: identity, disk);
//! ```
//!
//! Optional interfaces are exported by naming them: `snapshot`, `disk_modify`.

pub mod attributes;
pub mod bindings;
pub mod error;
pub mod form;
pub mod http;
pub mod json;
pub mod paging;
pub mod size;
pub mod tags;
pub mod testing;

pub use bindings::disk_modify_world::exports::kompox::driver::disk_modify;
pub use bindings::disk_world::exports::kompox::driver::disk;
pub use bindings::host_world::kompox::driver::{call, credentials, log, session, types};
pub use bindings::identity_world::exports::kompox::driver::identity;
pub use bindings::snapshot_world::exports::kompox::driver::snapshot;

/// Exports a type's implementations of the named interfaces from the component.
///
/// Use it once per component and behind `#[cfg(target_family = "wasm")]`. The names are those of
/// the modules whose `Guest` trait the type implements: `identity`, `disk`, `disk_modify`,
/// `snapshot`.
#[macro_export]
macro_rules! export {
    (@one $driver:ident identity) => {
        $crate::bindings::identity_world::export_identity!(
            $driver with_types_in $crate::bindings::identity_world
        );
    };
    (@one $driver:ident disk) => {
        $crate::bindings::disk_world::export_disk!($driver with_types_in $crate::bindings::disk_world);
    };
    (@one $driver:ident disk_modify) => {
        $crate::bindings::disk_modify_world::export_disk_modify!(
            $driver with_types_in $crate::bindings::disk_modify_world
        );
    };
    (@one $driver:ident snapshot) => {
        $crate::bindings::snapshot_world::export_snapshot!(
            $driver with_types_in $crate::bindings::snapshot_world
        );
    };
    ($driver:ident: $($interface:ident),+ $(,)?) => {
        $( $crate::export!(@one $driver $interface); )+
    };
}
