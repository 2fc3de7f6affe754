//! Variable interpolation: the grammar of the Compose Specification, and its walk over a tree's values.
//!
//! <https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md>. Where the text leaves a
//! choice (a lone `$`, braces inside an operand), the choice is the reference implementation's.

mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;

pub(crate) use template::{Expander, Fault, FaultKind};

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::path::Path;
use crate::span::{Span, Text};
use crate::text::shown;
use crate::yaml::{Kind, Node, Scalar};

/// Interpolates every value of one file's tree; keys are left alone.
pub(crate) struct Interpolator<'a> {
    pub(crate) source: &'a Text<'a>,
    pub(crate) lookup: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) diagnostics: &'a mut Diagnostics,
    /// What is left of [`crate::limits::MAX_PRODUCED_BYTES`].
    pub(crate) budget: &'a mut usize,
    /// Variables already reported as unset: one warning each.
    pub(crate) reported: &'a mut BTreeSet<String>,
}

impl Interpolator<'_> {
    /// Replaces the expressions in all scalars of the tree. Reports faults and goes on.
    pub(crate) fn walk(&mut self, root: &mut Node) {
        self.below(root, &Trail::Root);
    }

    fn below(&mut self, node: &mut Node, trail: &Trail<'_>) {
        match &mut node.kind {
            Kind::Scalar(scalar) => self.scalar(scalar, &node.span, trail),
            Kind::Sequence(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.below(item, &Trail::Index(trail, index));
                }
            }
            Kind::Mapping(entries) => {
                for entry in entries {
                    self.below(&mut entry.value, &Trail::Key(trail, &entry.key.value));
                }
            }
        }
    }

    fn scalar(&mut self, scalar: &mut Scalar, span: &Span, trail: &Trail<'_>) {
        if !scalar.text.contains('$') {
            return;
        }
        let mut expander = Expander::new(self.lookup, self.budget);
        let result = expander.expand(&scalar.text);
        for (name, range) in std::mem::take(&mut expander.unset) {
            if self.reported.insert(name.clone()) {
                self.report(unset(&name), (span, &scalar.text, range), trail);
            }
        }
        match result {
            Ok(text) => {
                scalar.text = text;
                scalar.substituted = true;
                scalar.plain = false;
            }
            Err(fault) => self.report(describe(&fault), (span, &scalar.text, fault.range), trail),
        }
    }

    fn report(
        &mut self,
        finding: Diagnostic,
        (span, text, range): (&Span, &str, Range<usize>),
        trail: &Trail<'_>,
    ) {
        if self.diagnostics.has_room(finding.severity) {
            let at = locate(self.source, span, text, range);
            self.diagnostics.push(finding.at(&at).path(trail.path()));
        } else {
            self.diagnostics.push(finding);
        }
    }
}

/// The way from the root to a value: a path is only written out for the few values that need one.
enum Trail<'t> {
    Root,
    Key(&'t Trail<'t>, &'t str),
    Index(&'t Trail<'t>, usize),
}

impl Trail<'_> {
    fn path(&self) -> Path {
        match self {
            Self::Root => Path::default(),
            Self::Key(above, key) => above.path().key(key),
            Self::Index(above, index) => above.path().index(*index),
        }
    }
}

/// The warning about a variable that is not set.
pub(crate) fn unset(name: &str) -> Diagnostic {
    Diagnostic::new(
        &codes::UNSET_VARIABLE,
        format!("the variable {} is not set: nothing stands in its place", shown(name)),
    )
    .help(format!("set it, or write a default: `${{{name}:-default}}`; a literal dollar sign is `$$`"))
}

/// The error for a fault, without its place.
pub(crate) fn describe(fault: &Fault) -> Diagnostic {
    match &fault.kind {
        FaultKind::Malformed => {
            Diagnostic::new(&codes::MALFORMED_INTERPOLATION, "this `${…}` expression is malformed")
                .help("write `${NAME}`, or `${NAME:-default}` on one line; a literal dollar sign is `$$`")
        }
        FaultKind::Required { name, reason } => {
            let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let message = format!("the required variable {} has no value{reason}", shown(name));
            Diagnostic::new(&codes::REQUIRED_VARIABLE, message).help(format!("set {}", shown(name)))
        }
        FaultKind::TooDeep => Diagnostic::new(&codes::INTERPOLATION_LIMIT, "expressions nest too deep"),
        FaultKind::TooMuch => Diagnostic::new(
            &codes::INTERPOLATION_LIMIT,
            "interpolation produces more text than the reader accepts",
        ),
    }
}

/// Where in the source a range of a scalar's text is. YAML escapes and folding hide it; then the whole
/// scalar is the answer.
fn locate(source: &Text<'_>, span: &Span, text: &str, range: Range<usize>) -> Span {
    let written = source.text.get(span.range()).unwrap_or_default();
    let Some(expression) = text.get(range.clone()).filter(|expression| !expression.is_empty()) else {
        return span.clone();
    };
    // The same expression may occur several times: take the occurrence with the same number.
    let number = text.get(..range.start).unwrap_or_default().matches(expression).count();
    match written.match_indices(expression).nth(number) {
        Some((offset, _)) => {
            let start = span.range().start + offset;
            source.span(start..start + expression.len())
        }
        None => span.clone(),
    }
}
