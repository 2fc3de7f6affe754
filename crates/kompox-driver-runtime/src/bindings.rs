//! The bindings generated from `wit/kompox-driver`. Nothing hand-written lives here.

wasmtime::component::bindgen!({
    path: "../../wit/kompox-driver",
    world: "kompox:driver/full-driver",
    imports: { default: trappable },
    exports: { default: async },
    with: {
        "wasi:http": wasmtime_wasi_http::p2::bindings::http,
        "wasi:io": wasmtime_wasi::p2::bindings::io,
        "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
        "wasi:random": wasmtime_wasi::p2::bindings::random,
    },
});
