//! The `kompoxops` executable. Everything is in the library, so that it can be tested.

fn main() -> std::process::ExitCode {
    kompoxops::main(std::env::args_os())
}
