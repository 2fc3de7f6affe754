//! What keeps an app from being built or from going on: reason, object, field, and the remedy.

use kompox_crds::Reason;
use std::fmt;

/// One thing that a person or another controller must change. Never contains a secret's value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The word for programs.
    pub reason: Reason,
    /// The object it is about, such as `ConfigMap/app1-compose`.
    pub object: String,
    /// The field or key of it, such as `spec.volumes[data].diskRef`; empty: the object as a whole.
    pub field: String,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do, in one sentence without a full stop.
    pub remedy: String,
}

impl Problem {
    /// A problem with a field of the KompoxApp itself.
    pub(crate) fn in_spec(
        reason: Reason,
        field: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            reason,
            object: "KompoxApp".to_owned(),
            field: field.into(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// A problem with another object.
    pub(crate) fn with_object(
        reason: Reason,
        object: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            reason,
            object: object.into(),
            field: String::new(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// Names the field or key.
    #[must_use]
    pub(crate) fn at(mut self, field: impl Into<String>) -> Self {
        self.field = field.into();
        self
    }
}

/// The form in conditions: `KompoxApp spec.expose: message. Remedy: …`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.object)?;
        if !self.field.is_empty() {
            write!(f, " {}", self.field)?;
        }
        write!(f, ": {}. Remedy: {}", self.message, self.remedy)
    }
}
