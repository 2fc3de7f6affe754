//! The account of a conversion: every value of the input exactly once, with what became of it.

use crate::app::matrix::{self, Outcome};
use kompox_compose::{Diagnostic, Leaf, Model, Severity, Span};
use serde::Serialize;
use std::fmt::Write as _;

#[cfg(test)]
mod tests;

/// What became of every value of the input, in the order of the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// One for each scalar, null or empty collection that is written in the files.
    pub entries: Vec<Entry>,
}

/// What became of one value. The value itself is not here: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its place, such as `services.web.ports[0].target`. Values of one short form share line and column.
    pub path: String,
    /// The file it is written in.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// The Kubernetes fields that it decides.
    pub fields: Vec<&'static str>,
    /// How, or why not.
    pub remark: String,
    /// The finding that says so; absent: the rule of the key holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
}

/// Accounts for a conversion, with all that reading and conversion found. The rules of the keys stand for what
/// no finding is about.
#[must_use]
pub fn report(model: &Model, diagnostics: &[Diagnostic]) -> Report {
    let leaves = model.leaves();
    let entries = leaves.iter().filter(|leaf| leaf.written).map(|leaf| entry(leaf, model, diagnostics));
    Report { entries: entries.collect() }
}

fn entry(leaf: &Leaf, model: &Model, diagnostics: &[Diagnostic]) -> Entry {
    let path = leaf.path.to_string();
    let row = matrix::row(&leaf.path);
    let mut entry = Entry {
        file: leaf.span.file.to_string(),
        line: leaf.span.line,
        column: leaf.span.column,
        outcome: row.map_or(Outcome::Refused, |row| row.outcome),
        fields: row.map(|row| row.fields.to_vec()).unwrap_or_default(),
        remark: row.map_or("the specification has no such key", |row| row.remark).to_owned(),
        code: None,
        path,
    };
    if model.is_left_out(&leaf.path) {
        entry.outcome = Outcome::Ignored;
        entry.fields.clear();
        "no active profile enables the service".clone_into(&mut entry.remark);
        return entry;
    }
    // The worst finding counts; of several as bad, the first.
    let about = diagnostics.iter().filter(|diagnostic| is_about(diagnostic, leaf, &entry.path));
    let worst = about.max_by(|a, b| a.severity.cmp(&b.severity).then(std::cmp::Ordering::Greater));
    if let Some(diagnostic) = worst {
        apply(&mut entry, diagnostic);
    }
    entry
}

fn apply(entry: &mut Entry, diagnostic: &Diagnostic) {
    entry.outcome = match (diagnostic.severity, entry.outcome) {
        (Severity::Error, _) => Outcome::Refused,
        (Severity::Warning, Outcome::Mapped) => Outcome::Approximated,
        (_, outcome) => outcome,
    };
    if entry.outcome == Outcome::Refused {
        entry.fields.clear();
    }
    entry.remark.clone_from(&diagnostic.message);
    entry.code = Some(diagnostic.code.id);
}

/// A finding is about a value when it names its place or one above it below the key of a service, or when it
/// points at the value, its key, or the entry that the value is part of.
fn is_about(diagnostic: &Diagnostic, leaf: &Leaf, path: &str) -> bool {
    if diagnostic.path == path {
        return true;
    }
    let Some(span) = &diagnostic.span else { return false };
    within(&leaf.span, span)
        || *span == leaf.key_span
        || (below(path, &diagnostic.path) && is_key(span, leaf))
}

fn within(inner: &Span, outer: &Span) -> bool {
    inner.file == outer.file
        && outer.start <= inner.start
        && inner.end <= outer.end
        && inner.start < inner.end
}

/// Whether a place is below another.
fn below(path: &str, above: &str) -> bool {
    !above.is_empty()
        && path.strip_prefix(above).is_some_and(|rest| rest.starts_with(['.', '[']))
        && above.matches('.').count() >= 2
}

/// A finding about a collection points at its key, which stands before all of its values.
fn is_key(span: &Span, leaf: &Leaf) -> bool {
    span.file == leaf.span.file && span.end <= leaf.key_span.start
}

impl Report {
    /// A table for people, the counts first.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut out = String::from("# Conversion report\n\n");
        for outcome in [Outcome::Mapped, Outcome::Approximated, Outcome::Ignored, Outcome::Refused] {
            let count = self.entries.iter().filter(|entry| entry.outcome == outcome).count();
            let _ = writeln!(out, "- {}: {count}", outcome.as_str());
        }
        out.push_str("\n| Place | Value at | Outcome | Kubernetes | Remark |\n|---|---|---|---|---|\n");
        for entry in &self.entries {
            let fields: Vec<String> = entry.fields.iter().map(|field| format!("`{field}`")).collect();
            let code = entry.code.map(|code| format!(" ({code})")).unwrap_or_default();
            let _ = writeln!(
                out,
                "| `{}` | {}:{}:{} | {} | {} | {}{code} |",
                cell(&entry.path),
                cell(&entry.file),
                entry.line,
                entry.column,
                entry.outcome.as_str(),
                fields.join(", "),
                cell(&entry.remark)
            );
        }
        out
    }
}

/// Text that stays in its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
