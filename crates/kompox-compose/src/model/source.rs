//! What services refer to: volumes, networks, configs and secrets.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use crate::span::{Span, Spanned};

/// A named volume: <https://github.com/compose-spec/compose-spec/blob/main/07-volumes.md>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The key in the file.
    pub span: Span,
    /// `name`: the name on the platform, where it shall not be made from the project's name.
    pub name: Option<Spanned<String>>,
    /// `external`: made by others.
    pub external: Option<Spanned<bool>>,
    /// `driver`; absent: `local`.
    pub driver: Option<Spanned<String>>,
    /// `driver_opts`.
    pub driver_opts: BTreeMap<String, Spanned<String>>,
    /// `labels`.
    pub labels: BTreeMap<String, Spanned<String>>,
}

/// A network: <https://github.com/compose-spec/compose-spec/blob/main/06-networks.md>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The key in the file; for the implicit `default`, the first service that joins it.
    pub span: Span,
    /// `name`: the name on the platform.
    pub name: Option<Spanned<String>>,
    /// `driver`; absent: the platform's.
    pub driver: Option<Spanned<String>>,
    /// `internal`: without a way out.
    pub internal: Option<Spanned<bool>>,
    /// `external`: made and shared by others.
    pub external: Option<Spanned<bool>>,
    /// `labels`.
    pub labels: BTreeMap<String, Spanned<String>>,
}

/// A config: <https://github.com/compose-spec/compose-spec/blob/main/08-configs.md>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The key in the file.
    pub span: Span,
    /// `name`: the name on the platform.
    pub name: Option<Spanned<String>>,
    /// Where the content comes from.
    pub content: Content,
    /// `labels`.
    pub labels: BTreeMap<String, Spanned<String>>,
}

/// A secret: <https://github.com/compose-spec/compose-spec/blob/main/09-secrets.md>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// The key in the file.
    pub span: Span,
    /// `name`: the name on the platform.
    pub name: Option<Spanned<String>>,
    /// Where the content comes from; never [`Content::Inline`].
    pub content: Content,
    /// `labels`.
    pub labels: BTreeMap<String, Spanned<String>>,
}

/// Where the content of a config or secret comes from.
#[derive(Clone, Debug)]
pub enum Content {
    /// `file`: a path as written, relative to the Compose file.
    File(Spanned<String>),
    /// `environment`: the name of a variable, and its value if it is set.
    Environment {
        /// Name of the variable.
        variable: Spanned<String>,
        /// The value; absent: the variable is not set.
        value: Option<SecretString>,
    },
    /// `content`: the text itself, in which variables were replaced.
    Inline {
        /// The text.
        text: SecretString,
        /// Where it is written.
        span: Span,
    },
    /// `external: true`: it exists already, under `name`.
    External(Span),
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(a), Self::File(b)) => a == b,
            (Self::Environment { variable: a, value: x }, Self::Environment { variable: b, value: y }) => {
                a == b && exposed(x.as_ref()) == exposed(y.as_ref())
            }
            (Self::Inline { text: a, span: x }, Self::Inline { text: b, span: y }) => {
                x == y && a.expose_secret() == b.expose_secret()
            }
            (Self::External(a), Self::External(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Content {}

fn exposed(text: Option<&SecretString>) -> Option<&str> {
    text.map(ExposeSecret::expose_secret)
}

/// A config or secret mounted into a service
/// (<https://github.com/compose-spec/compose-spec/blob/main/05-services.md#configs>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMount {
    /// The entry in the file.
    pub span: Span,
    /// Key of [`super::Project::configs`] or [`super::Project::secrets`].
    pub source: Spanned<String>,
    /// Absolute path in the container: defaults and relative paths are resolved already.
    pub target: String,
    /// `uid`, as written.
    pub uid: Option<Spanned<String>>,
    /// `gid`, as written.
    pub gid: Option<Spanned<String>>,
    /// `mode`: permission bits; absent: 0444.
    pub mode: Option<Spanned<u32>>,
}
