//! The files of a project into one tree: each read, interpolated, brought into canonical form, completed by what
//! it includes and extends, and merged.

mod extends;
mod include;
mod relocate;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::input::{Input, SourceFile, Variables};
use crate::interpolate::Interpolator;
use crate::limits;
use crate::merge::merge;
use crate::path::Path;
use crate::schema::{ROOT, Type};
use crate::settle::{self, Mode};
use crate::span::{Span, Text};
use crate::text::shown;
use crate::yaml::{self, Kind, Node};
use extends::Services;

static FILE: Type = Type::Object(&ROOT);

/// Reads files, for one project.
pub(crate) struct Loader<'a> {
    pub(crate) input: &'a Input<'a>,
    pub(crate) name: Option<&'a str>,
    pub(crate) diagnostics: &'a mut Diagnostics,
    /// What is left of [`limits::MAX_PRODUCED_BYTES`].
    pub(crate) budget: &'a mut usize,
    /// Variables already reported as unset.
    reported: BTreeSet<String>,
    /// Files read so far.
    files: usize,
    /// The services of files that others extend, by path.
    bases: BTreeMap<String, Rc<Services>>,
    /// The Compose files that others include or extend.
    pub(crate) named: Vec<SourceFile>,
}

/// A file and what its content depends on.
struct Source<'s> {
    name: &'s str,
    text: &'s str,
    /// Directory of the file, relative to that of the project; `.` for the project's own files.
    directory: &'s str,
    environment: &'s BTreeMap<String, String>,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(
        input: &'a Input<'a>,
        name: Option<&'a str>,
        diagnostics: &'a mut Diagnostics,
        budget: &'a mut usize,
    ) -> Self {
        Self {
            input,
            name,
            diagnostics,
            budget,
            reported: BTreeSet::new(),
            files: 0,
            bases: BTreeMap::new(),
            named: Vec::new(),
        }
    }

    /// The project's own files, merged.
    pub(crate) fn project(&mut self) -> Option<Node> {
        let mut whole: Option<Node> = None;
        for file in self.input.files {
            let source = Source {
                name: &file.name,
                text: &file.text,
                directory: ".",
                environment: self.input.environment,
            };
            let tree = self.file(&source, &mut Vec::new())?;
            whole = Some(over(whole, tree));
        }
        whole
    }

    /// One file with what it includes and extends. `including` are the files that led here.
    fn file(&mut self, source: &Source<'_>, including: &mut Vec<String>) -> Option<Node> {
        let mut whole: Option<Node> = None;
        for mut tree in self.documents(source)? {
            including.push(source.name.to_owned());
            self.includes(&mut tree, source, including);
            including.pop();
            self.extended(&mut tree, source);
            whole = Some(over(whole, tree));
        }
        whole
    }

    /// The documents of one file, each in canonical form; like files, the later ones go over the earlier ones.
    fn documents(&mut self, source: &Source<'_>) -> Option<Vec<Node>> {
        self.files += 1;
        if self.files > limits::MAX_FILES {
            let message = format!("the project has more than {} files", limits::MAX_FILES);
            self.diagnostics.push(Diagnostic::new(&codes::NO_FILE, message));
            return None;
        }
        let text = Text::new(source.name, source.text);
        let errors = self.diagnostics.errors();
        let mut documents = yaml::parse(&text, self.diagnostics);
        documents.retain(|root| !root.is_null());
        if documents.is_empty() {
            if self.diagnostics.errors() == errors {
                let place = Span::start_of(&text.file);
                self.diagnostics.push(Diagnostic::new(&codes::EMPTY_FILE, "the file is empty").at(&place));
            }
            return None;
        }
        for root in &mut documents {
            self.settle(&text, source, root);
        }
        let is_mapping = |root: &Node| matches!(root.kind, Kind::Mapping(_));
        documents.iter().all(is_mapping).then_some(documents)
    }

    /// One document into canonical form.
    fn settle(&mut self, text: &Text<'_>, source: &Source<'_>, root: &mut Node) {
        let mode = match self.input.variables {
            Variables::Replace => {
                self.interpolate(text, source.environment, root);
                Mode::Interpolated
            }
            Variables::Keep => Mode::Raw,
        };
        settle::file(root, mode, self.diagnostics, self.budget);
    }

    fn interpolate(&mut self, text: &Text<'_>, environment: &BTreeMap<String, String>, root: &mut Node) {
        // The file's own name is a value of the file: it can only be used once it is itself interpolated.
        let own = root.get("name").and_then(Node::as_text).filter(|name| !name.contains('$'));
        let name = self.name.or(own).map(str::to_owned);
        let lookup = |variable: &str| match environment.get(variable) {
            Some(value) => Some(value.clone()),
            None if variable == "COMPOSE_PROJECT_NAME" => name.clone(),
            None => None,
        };
        let mut interpolator = Interpolator {
            source: text,
            lookup: &lookup,
            diagnostics: self.diagnostics,
            budget: self.budget,
            reported: &mut self.reported,
        };
        interpolator.walk(root);
    }

    /// The text of a Compose file that `by` names; a failure is reported there.
    fn read_compose(&mut self, path: &str, by: &Node, at: &Path) -> Option<String> {
        let text = self.read(path, by, at)?;
        if self.named.iter().all(|known| known.name != path) {
            self.named.push(SourceFile { name: path.to_owned(), text: text.clone() });
        }
        Some(text)
    }

    /// The text of another file that `by` names; a failure is reported there.
    fn read(&mut self, path: &str, by: &Node, at: &Path) -> Option<String> {
        let shown = shown(path);
        let message = if crate::paths::is_remote(path) {
            format!("{shown} is remote: only files are read")
        } else {
            match self.input.provider.read(path) {
                Ok(text) => return Some(text),
                Err(error) => format!("failed to read {shown}: {error}"),
            }
        };
        let finding = Diagnostic::new(&codes::FILE_UNREADABLE, message).at(&by.span).path(at);
        self.diagnostics
            .push(finding.help("put the file beside the others, and write its path relative to them"));
        None
    }

    /// Takes what a copy of a tree costs; `false` when there is nothing left.
    fn afford(&mut self, node: &Node) -> bool {
        let left = self.budget.checked_sub(cost(node));
        *self.budget = left.unwrap_or(0);
        if left.is_none() {
            let message = "extended services grow beyond what the reader accepts";
            self.diagnostics.push(Diagnostic::new(&codes::EXPANSION_LIMIT, message).at(&node.span));
        }
        left.is_some()
    }
}

/// A tree over the ones before.
fn over(earlier: Option<Node>, later: Node) -> Node {
    match earlier {
        Some(mut whole) => {
            merge(&FILE, &mut whole, later);
            whole
        }
        None => later,
    }
}

fn cost(node: &Node) -> usize {
    let below: usize = match &node.kind {
        Kind::Mapping(entries) => {
            entries.iter().map(|entry| entry.key.value.len() + cost(&entry.value)).sum()
        }
        Kind::Sequence(items) => items.iter().map(cost).sum(),
        Kind::Scalar(scalar) => scalar.text.len(),
    };
    limits::NODE_COST.saturating_add(below)
}
