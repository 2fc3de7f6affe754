//! What is read: files, variables, profiles. Values only.

use std::collections::BTreeMap;

use crate::provider::FileProvider;

/// A file to read: its name is used in diagnostics only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Name for people, such as `compose.yml`.
    pub name: String,
    /// Content.
    pub text: String,
}

/// What to read.
pub struct Input<'a> {
    /// The Compose files, the later ones over the earlier ones. All are in the directory of the project.
    pub files: &'a [SourceFile],
    /// Variables for interpolation, and for entries of `environment` without a value.
    pub environment: &'a BTreeMap<String, String>,
    /// Active profiles; `*` activates all.
    pub profiles: &'a [String],
    /// Gives the files that the Compose files name.
    pub provider: &'a dyn FileProvider,
    /// Name of the project; it wins over the file's `name`.
    pub project_name: Option<&'a str>,
    /// What becomes of `${…}`.
    pub variables: Variables,
}

/// What becomes of `${…}` in values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variables {
    /// Variables are replaced.
    #[default]
    Replace,
    /// Values stay as they are written, short forms with variables in them included. Such a project can be
    /// printed; [`parse`](crate::parse) gives no [`Project`] for it.
    Keep,
}
