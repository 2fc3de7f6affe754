//! libFuzzer's entry: the YAML tree, the specification's table of keys, and the printed model.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kompox_fuzz::yaml(data));
