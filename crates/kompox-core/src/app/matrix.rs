//! What becomes of every key of the Compose Specification: the one table of the conversion.
//!
//! Each key has one [`Row`]: its outcome as a rule, the Kubernetes fields it decides, and a remark. What a
//! certain value comes to is said by the diagnostics of `validate`; rows with a code of their own need no value
//! to decide, and [`constant`] reports them. The page of the documentation is [`markdown()`] of this table.

mod deploy;
mod markdown;
mod network;
mod project;
mod service;
mod storage;
#[cfg(test)]
pub(in crate::app) mod tests;

pub use markdown::markdown;

use kompox_compose::model::Service;
use kompox_compose::{Code, Diagnostic, LeafPath, Model, Project, Segment};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The cluster does what the key says.
    Mapped,
    /// The cluster does something near it; the remark says what differs.
    Approximated,
    /// Nothing is done, and the app runs without it.
    Ignored,
    /// The file is not accepted with it.
    Refused,
}

impl Outcome {
    /// The word in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mapped => "mapped",
            Self::Approximated => "approximated",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
        }
    }
}

/// One key of the specification.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Place of the key: `*` is any name, `[]` any item, and `**` at the end everything below.
    pub pattern: &'static str,
    /// What becomes of it as a rule.
    pub outcome: Outcome,
    /// The Kubernetes fields that it decides, as kinds and paths.
    pub fields: &'static [&'static str],
    /// How, or why not: a phrase without a full stop.
    pub remark: &'static str,
    /// The finding that every use of the key is; absent: its value decides.
    pub code: Option<&'static Code>,
}

const fn mapped(pattern: &'static str, fields: &'static [&'static str], remark: &'static str) -> Row {
    Row { pattern, outcome: Outcome::Mapped, fields, remark, code: None }
}

const fn near(pattern: &'static str, fields: &'static [&'static str], remark: &'static str) -> Row {
    Row { pattern, outcome: Outcome::Approximated, fields, remark, code: None }
}

const fn ignored(pattern: &'static str, remark: &'static str) -> Row {
    Row { pattern, outcome: Outcome::Ignored, fields: &[], remark, code: None }
}

const fn noted(pattern: &'static str, code: &'static Code, remark: &'static str) -> Row {
    Row { pattern, outcome: Outcome::Ignored, fields: &[], remark, code: Some(code) }
}

const fn refused(pattern: &'static str, code: &'static Code, remark: &'static str) -> Row {
    Row { pattern, outcome: Outcome::Refused, fields: &[], remark, code: Some(code) }
}

/// All rows, in the order of the documentation.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [project::ROWS, service::ROWS, network::ROWS, storage::ROWS, deploy::ROWS].into_iter().flatten()
}

/// The row of a place; `None` only for keys that the specification does not have.
#[must_use]
pub fn row(path: &LeafPath) -> Option<&'static Row> {
    row_of(path.segments())
}

/// A row with its pattern taken apart.
struct Compiled {
    parts: Vec<Part>,
    row: &'static Row,
}

/// Rows by the key that tells most of them apart: that of the service, else that of the file.
static TABLE: LazyLock<BTreeMap<(bool, &'static str), Vec<Compiled>>> = LazyLock::new(|| {
    let mut table: BTreeMap<_, Vec<Compiled>> = BTreeMap::new();
    for row in rows() {
        let parts: Vec<Part> = parts(row.pattern).collect();
        let anchor = match parts.as_slice() {
            [Part::Key("services"), Part::AnyKey, Part::Key(key), ..] => (true, *key),
            [Part::Key("services"), Part::AnyKey, ..] => (true, ""),
            [Part::Key(key), ..] => (false, *key),
            _ => (false, ""),
        };
        table.entry(anchor).or_default().push(Compiled { parts, row });
    }
    table
});

fn row_of(path: &[Segment]) -> Option<&'static Row> {
    let anchor = match path {
        [Segment::Key(root), Segment::Key(_), rest @ ..] if root == "services" => (true, rest.first()),
        _ => (false, path.first()),
    };
    let key = match anchor.1 {
        Some(Segment::Key(key)) => key.as_str(),
        _ => "",
    };
    let near = [(anchor.0, key), (anchor.0, "")];
    let candidates = near.iter().filter_map(|anchor| TABLE.get(anchor)).flatten();
    // The row that says the most about the place: the one with the most names, then the longest.
    let fitting = candidates.filter(|compiled| matches(&compiled.parts, path));
    let best = fitting.max_by_key(|compiled| specificity(&compiled.parts)).map(|compiled| compiled.row);
    best.or_else(|| extension(path))
}

/// Extensions may stand in most mappings, and mean the same everywhere: nothing.
fn extension(path: &[Segment]) -> Option<&'static Row> {
    let foreign = |segment: &Segment| matches!(segment, Segment::Key(key) if key.starts_with("x-"));
    path.iter().any(foreign).then_some(&project::EXTENSION)
}

fn specificity(parts: &[Part]) -> (usize, usize) {
    (parts.iter().filter(|part| matches!(part, Part::Key(_))).count(), parts.len())
}

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Key(&'static str),
    /// Any key that begins so.
    Prefix(&'static str),
    AnyKey,
    AnyItem,
    Below,
}

fn parts(pattern: &'static str) -> impl Iterator<Item = Part> {
    pattern.split('.').flat_map(|word| {
        let (name, item) = match word.strip_suffix("[]") {
            Some(name) => (name, Some(Part::AnyItem)),
            None => (word, None),
        };
        let key = match name {
            "*" => Part::AnyKey,
            "**" => Part::Below,
            _ => name.strip_suffix('*').map_or(Part::Key(name), Part::Prefix),
        };
        std::iter::once(key).chain(item)
    })
}

/// Whether a place is that of a pattern.
fn matches(parts: &[Part], path: &[Segment]) -> bool {
    let mut rest = path.iter();
    for part in parts {
        if *part == Part::Below {
            return true;
        }
        let fits = match (part, rest.next()) {
            (Part::Key(name), Some(Segment::Key(key))) => name == key,
            (Part::Prefix(start), Some(Segment::Key(key))) => key.starts_with(start),
            (Part::AnyKey, Some(Segment::Key(_))) | (Part::AnyItem, Some(Segment::Index(_))) => true,
            _ => false,
        };
        if !fits {
            return false;
        }
    }
    rest.next().is_none()
}

/// The findings of rows that need no value to decide: one for each key, whatever lies below it. Services that
/// profiles leave out have none.
#[must_use]
pub fn constant(model: &Model, project: &Project) -> Vec<Diagnostic> {
    let mut seen: BTreeSet<Vec<Segment>> = BTreeSet::new();
    let mut out = Vec::new();
    for leaf in model.leaves().into_iter().filter(|leaf| leaf.written && !model.is_left_out(&leaf.path)) {
        let Some(row) = row(&leaf.path) else { continue };
        let Some(code) = row.code.filter(|_| !is_served_model(&leaf.path, project)) else { continue };
        let length = parts(row.pattern).take_while(|part| *part != Part::Below).count();
        let Some(key) = leaf.path.segments().get(..length) else { continue };
        if !seen.insert(key.to_vec()) {
            continue;
        }
        let span = model.key_span(key).unwrap_or_else(|| leaf.key_span.clone());
        let path = LeafPath::from(key.to_vec());
        let name = path.to_string();
        let last = name.rsplit('.').next().unwrap_or(&name);
        let verdict = if row.outcome == Outcome::Refused { "cannot be kept" } else { "has no effect" };
        let message = format!("`{last}` {verdict}: {}", row.remark);
        out.push(Diagnostic::new(code, message).at(&span).path(path));
    }
    out
}

/// Whether a place is of a model that `x-kompox.models` gives a URL.
fn is_served_model(path: &LeafPath, project: &Project) -> bool {
    let served = |service: &Service, model: &str| service.extension.models.contains_key(model);
    match (path.key(0), path.key(1), path.key(2), path.key(3)) {
        (Some("services"), Some(name), Some("models"), Some(model)) => {
            project.services.get(name).is_some_and(|service| served(service, model))
        }
        (Some("models"), Some(model), ..) => project.services.values().any(|service| served(service, model)),
        _ => false,
    }
}
