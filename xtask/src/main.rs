//! Automation: setup, demo, test, gen, bench.
fn main() {}
