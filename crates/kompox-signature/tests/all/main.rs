//! What genuine cosign made is accepted, and nothing that differs from it in what was signed.

mod accepted;
mod fixtures;
#[cfg(feature = "keyless")]
mod keyless;
mod keys;
mod refused;
mod signing;
