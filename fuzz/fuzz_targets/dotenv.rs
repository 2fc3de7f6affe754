//! libFuzzer's entry: the two grammars of environment files.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kompox_fuzz::dotenv(data));
