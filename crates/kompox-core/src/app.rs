//! KompoxApp: the pure steps from spec, Compose project and observed facts to objects and status.
//!
//! In order: [`validate()`] → [`ValidatedApp`] → [`volume`] (at most one hand-over step per disk) →
//! [`build()`] → [`AppResources`]. No client, no clock; the controller of the same name does the reading
//! and writing.

pub mod build;
pub mod codes;
mod facts;
pub mod matrix;
pub mod observe;
mod problem;
mod render;
mod report;
mod secret_text;
pub mod status;
mod validate;
mod validated;
pub mod volume;
pub mod waves;

pub use build::{AppResources, build};
pub use facts::{Carrier, Content, Facts, PodSecurity, References, Settings, references};
pub use problem::Problem;
pub use render::{PLACEHOLDER_NAMESPACE, PLACEHOLDER_UID, Rendered, render};
pub use report::{Entry, Report, report};
pub use secret_text::SecretText;
pub use validate::external_references;
pub use validate::{Validation, validate};
pub use validated::*;
