//! libFuzzer's entry: interpolation of one value.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kompox_fuzz::interpolation(data));
