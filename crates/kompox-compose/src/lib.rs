//! The Compose Specification, read into a normalised project with spans.
//!
//! [`parse`] takes the text of a Compose file, the variables to interpolate and a way to get other files, and
//! gives a [`Project`] and a list of [`Diagnostic`]s. It is pure: no clock, no environment, no file system, no
//! network; the same input gives the same output, on every target including `wasm32`.
//!
//! The reader follows <https://github.com/compose-spec/compose-spec> and, where the text leaves a choice, its
//! reference implementation <https://github.com/compose-spec/compose-go>. It never drops anything in silence: a
//! key that it does not support is an error that names the key and its place.
//!
//! The passes, in this order: the YAML tree (`yaml`), interpolation of values (`interpolate`), decoding into
//! the model with short forms made long (`decode`), the rules between the parts (`check`).

#![forbid(unsafe_code)]

mod check;
pub mod codes;
mod decode;
mod diagnostic;
pub mod dotenv;
mod interpolate;
pub mod limits;
pub mod model;
mod parse;
mod path;
mod provider;
mod render;
mod shell;
mod span;
mod suggest;
mod text;
mod units;
mod yaml;

#[cfg(test)]
mod tests;

pub use codes::Code;
pub use diagnostic::{Diagnostic, Related, Severity};
pub use model::Project;
pub use parse::{Input, Parsed, SourceFile, parse};
pub use provider::{FileError, FileProvider, NoFiles};
pub use render::{Color, Sources, render};
pub use span::{Span, Spanned};
