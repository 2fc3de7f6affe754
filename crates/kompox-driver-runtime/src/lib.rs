//! Hosts provider drivers: WebAssembly components in wasmtime.
