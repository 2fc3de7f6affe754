//! Code generated from `wit/kompox-driver`: the contract's types, the host's functions and one
//! exporting world per interface. No hand-written item may live here.
//!
//! There is one small world for each exported interface, and not one for all of them, because WIT
//! has no optional exports: a driver exports the interfaces it has, and the linker forms the union
//! of their worlds.

#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::semicolon_if_nothing_returned,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "generated code: its words come from the WIT files and its shape from wit-bindgen"
)]

/// The WASI interfaces that a driver may import.
pub mod wasi_world {
    wit_bindgen::generate!({
        path: "../../wit/kompox-driver",
        inline: "
            package kompox:sdk;
            world wasi {
                import wasi:clocks/monotonic-clock@0.2.12;
                import wasi:http/types@0.2.12;
                import wasi:http/outgoing-handler@0.2.12;
            }
        ",
        world: "kompox:sdk/wasi",
        generate_all,
        pub_export_macro: true,
    });
}

/// The contract's shared types and the host's own functions.
pub mod host_world {
    wit_bindgen::generate!({
        path: "../../wit/kompox-driver",
        inline: "
            package kompox:sdk;
            world host {
                import kompox:driver/types@0.1.0;
                import kompox:driver/call@0.1.0;
                import kompox:driver/log@0.1.0;
                import kompox:driver/credentials@0.1.0;
                import kompox:driver/session@0.1.0;
            }
        ",
        world: "kompox:sdk/host",
        generate_all,
        generate_unused_types: true,
        additional_derives: [PartialEq, Eq],
        pub_export_macro: true,
    });
}

/// Exports `identity`.
pub mod identity_world {
    wit_bindgen::generate!({
        path: "../../wit/kompox-driver",
        inline: "package kompox:sdk; world identity { export kompox:driver/identity@0.1.0; }",
        world: "kompox:sdk/identity",
        with: { "kompox:driver/types@0.1.0": crate::bindings::host_world::kompox::driver::types },
        additional_derives: [PartialEq, Eq],
        pub_export_macro: true,
        export_macro_name: "export_identity",
        default_bindings_module: "kompox_driver_sdk::bindings::identity_world",
    });
}

/// Exports `disk`.
pub mod disk_world {
    wit_bindgen::generate!({
        path: "../../wit/kompox-driver",
        inline: "package kompox:sdk; world disk { export kompox:driver/disk@0.1.0; }",
        world: "kompox:sdk/disk",
        with: { "kompox:driver/types@0.1.0": crate::bindings::host_world::kompox::driver::types },
        additional_derives: [PartialEq, Eq],
        pub_export_macro: true,
        export_macro_name: "export_disk",
        default_bindings_module: "kompox_driver_sdk::bindings::disk_world",
    });
}

/// Exports `disk-modify`.
pub mod disk_modify_world {
    wit_bindgen::generate!({
        path: "../../wit/kompox-driver",
        inline: "package kompox:sdk; world disk-modify { export kompox:driver/disk-modify@0.1.0; }",
        world: "kompox:sdk/disk-modify",
        with: { "kompox:driver/types@0.1.0": crate::bindings::host_world::kompox::driver::types },
        additional_derives: [PartialEq, Eq],
        pub_export_macro: true,
        export_macro_name: "export_disk_modify",
        default_bindings_module: "kompox_driver_sdk::bindings::disk_modify_world",
    });
}

/// Exports `snapshot`.
pub mod snapshot_world {
    wit_bindgen::generate!({
        path: "../../wit/kompox-driver",
        inline: "package kompox:sdk; world snapshot { export kompox:driver/snapshot@0.1.0; }",
        world: "kompox:sdk/snapshot",
        with: { "kompox:driver/types@0.1.0": crate::bindings::host_world::kompox::driver::types },
        additional_derives: [PartialEq, Eq],
        pub_export_macro: true,
        export_macro_name: "export_snapshot",
        default_bindings_module: "kompox_driver_sdk::bindings::snapshot_world",
    });
}
