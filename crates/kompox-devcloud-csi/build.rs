//! Generates the gRPC code from the definitions in `proto/`, with a compiler written in Rust: no `protoc` needed.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let definitions = protox::compile(["csi.proto", "pluginregistration.proto"], ["proto"])?;
    tonic_prost_build::configure()
        // The tests are clients; connecting is left to them.
        .build_transport(false)
        // Calls that the driver does not announce answer "unimplemented".
        .generate_default_stubs(true)
        // Indented text in the definitions would become examples that do not compile.
        .disable_comments(["."])
        .compile_fds(definitions)?;
    Ok(())
}
