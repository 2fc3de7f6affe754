//! What the reader tells its user: diagnostics and their collection. No rendering, no rules.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::codes::{self, Code};
use crate::limits;
use crate::severity::Severity;
use crate::span::Span;

/// A second place that explains a diagnostic, such as the first of two duplicates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    /// Where.
    pub span: Span,
    /// What is there.
    pub label: String,
}

/// One finding about the input.
///
/// Messages name keys, variables and files. They never contain the value of a variable, of an
/// environment entry or of a label, because those may be secrets and diagnostics end up in status
/// conditions and events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The rule that was met.
    #[serde(serialize_with = "code_id")]
    pub code: &'static Code,
    /// How much it matters: always the code's severity.
    pub severity: Severity,
    /// The place in the model, such as `services.web.ports[0]`; empty for the whole file.
    pub path: String,
    /// The place in the text; absent when the finding is about no file (an empty list of files).
    pub span: Option<Span>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that belong to the finding.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
}

fn code_id<S: Serializer>(code: &&'static Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.id)
}

impl Diagnostic {
    /// A finding without place or help.
    pub fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity,
            path: String::new(),
            span: None,
            message: message.into(),
            help: None,
            related: Vec::new(),
        }
    }

    /// Says where in the text.
    #[must_use]
    pub fn at(mut self, span: &Span) -> Self {
        self.span = Some(span.clone());
        self
    }

    /// Says where in the model.
    #[must_use]
    pub fn path(mut self, path: impl fmt::Display) -> Self {
        self.path = path.to_string();
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Points at a second place.
    #[must_use]
    pub fn related(mut self, span: &Span, label: impl Into<String>) -> Self {
        self.related.push(Related { span: span.clone(), label: label.into() });
        self
    }
}

/// The one-line form: `compose.yml:12:7: error KPX7101: message`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(span) = &self.span {
            write!(f, "{}:{}:{}: ", span.file, span.line, span.column)?;
        }
        write!(f, "{} {}: {}", self.severity, self.code.id, self.message)
    }
}

/// A bounded collection of diagnostics.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    list: Vec<Diagnostic>,
    errors: usize,
    /// Those of the errors which the reference implementation does not know.
    own: usize,
    notes: usize,
}

impl Diagnostics {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        let error = diagnostic.severity == Severity::Error;
        let same_kind = if error { &mut self.errors } else { &mut self.notes };
        *same_kind += 1;
        self.own += usize::from(diagnostic.code == &codes::SHELL_OPERATOR);
        // Counted apart, so that many warnings never hide an error.
        if *same_kind <= limits::MAX_DIAGNOSTICS / 2 {
            self.list.push(diagnostic);
        }
    }

    /// Whether another finding of this severity would be kept: if not, its place need not be computed.
    pub(crate) fn has_room(&self, severity: Severity) -> bool {
        let same_kind = if severity == Severity::Error { self.errors } else { self.notes };
        same_kind < limits::MAX_DIAGNOSTICS / 2
    }

    /// Errors met so far, kept or left out.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// Errors after which there is not even a model to print.
    pub(crate) fn fatal(&self) -> usize {
        self.errors - self.own
    }

    /// The findings, in the order of the text: file, then position, then code.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by(|a, b| (&a.span, a.code.id, &a.path).cmp(&(&b.span, b.code.id, &b.path)));
        for (count, code, what) in [
            (self.errors, &codes::TOO_MANY_ERRORS, "errors"),
            (self.notes, &codes::TOO_MANY_NOTES, "warnings and notes"),
        ] {
            let left_out = count.saturating_sub(limits::MAX_DIAGNOSTICS / 2);
            if left_out > 0 {
                self.list.push(Diagnostic::new(code, format!("{left_out} more {what} were left out")));
            }
        }
        self.list
    }
}
