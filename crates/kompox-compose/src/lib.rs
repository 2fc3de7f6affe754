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
//! The passes, in this order. For each file: the YAML tree (`yaml`), interpolation of values (`interpolate`), the
//! canonical form (`settle`, by the tables of `schema`), what it includes and extends (`load`). Then for all of
//! them: merging (`merge`), repetitions and gaps (`unique`), defaults (`normalise`), the rules between the parts
//! (`consistency`). That is the [`Model`], which can be printed. From it comes the typed [`Project`] (`decode`),
//! with the rules that only hold here (`check`).

#![forbid(unsafe_code)]

mod check;
pub mod codes;
mod config;
mod consistency;
mod cycles;
mod decode;
mod diagnostic;
pub mod dotenv;
mod input;
mod interpolate;
mod leaves;
pub mod limits;
mod load;
mod merge;
pub mod model;
mod normalise;
mod parse;
mod path;
mod paths;
mod provider;
mod render;
mod schema;
mod settle;
mod severity;
mod shell;
mod span;
mod suggest;
mod text;
mod unique;
pub mod units;
mod yaml;

#[cfg(test)]
mod tests;

pub use codes::Code;
pub use config::{Model, YamlError};
pub use diagnostic::{Diagnostic, Related};
pub use input::{Input, SourceFile, Variables};
pub use leaves::{Leaf, LeafPath, Segment};
pub use model::Project;
pub use parse::{Loaded, Parsed, load, parse};
pub use provider::{FileError, FileProvider, NoFiles};
pub use render::{Color, Sources, render};
pub use severity::Severity;
pub use span::{Span, Spanned};
