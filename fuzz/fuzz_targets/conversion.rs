//! libFuzzer's entry: the whole way from an app to its objects and its report.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kompox_fuzz::conversion(data));
