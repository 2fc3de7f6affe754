//! The passes in their order.

use std::collections::{BTreeMap, BTreeSet};

use crate::check;
use crate::codes;
use crate::decode::{self, Context};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::interpolate::Interpolator;
use crate::limits;
use crate::model::Project;
use crate::provider::FileProvider;
use crate::span::{Span, Text};
use crate::text::shown;
use crate::yaml::{self, Node};

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
    /// The Compose files. One, for the time being: several files to merge are refused.
    pub files: &'a [SourceFile],
    /// Variables for interpolation, and for entries of `environment` without a value.
    pub environment: &'a BTreeMap<String, String>,
    /// Active profiles; `*` activates all.
    pub profiles: &'a [String],
    /// Gives the files that the Compose files name.
    pub provider: &'a dyn FileProvider,
    /// Name of the project; it wins over the file's `name`.
    pub project_name: Option<&'a str>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The project; `None` if and only if a diagnostic is an error.
    pub project: Option<Project>,
    /// Findings, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a project.
#[must_use]
pub fn parse(input: &Input<'_>) -> Parsed {
    let mut diagnostics = Diagnostics::default();
    let project = read(input, &mut diagnostics);
    let project = project.filter(|_| diagnostics.errors() == 0);
    Parsed { project, diagnostics: diagnostics.into_sorted() }
}

fn read(input: &Input<'_>, diagnostics: &mut Diagnostics) -> Option<Project> {
    let file = single_file(input, diagnostics)?;
    let source = Text::new(&file.name, &file.text);
    let Some(mut root) = yaml::parse(&source, diagnostics) else {
        if diagnostics.errors() == 0 {
            empty(&source, diagnostics);
        }
        return None;
    };
    if root.is_null() {
        empty(&source, diagnostics);
        return None;
    }
    let name = project_name(input, diagnostics);
    let mut budget = limits::MAX_PRODUCED_BYTES;
    interpolate(input, name, &source, &mut root, &mut budget, diagnostics);
    let mut context = Context {
        environment: input.environment,
        files: input.provider,
        profiles: input.profiles,
        diagnostics,
        budget: &mut budget,
    };
    let (project, undecoded) = decode::project(&mut context, &root, name)?;
    check::project(&project, &undecoded, diagnostics);
    Some(project)
}

fn single_file<'a>(input: &Input<'a>, diagnostics: &mut Diagnostics) -> Option<&'a SourceFile> {
    match input.files {
        [file] => Some(file),
        [] => {
            diagnostics.push(Diagnostic::new(&codes::NO_FILE, "there is no Compose file to read"));
            None
        }
        [_, second, ..] => {
            let place = Span::start_of(&std::sync::Arc::from(second.name.as_str()));
            let message = "several Compose files to merge are not supported yet";
            diagnostics
                .push(Diagnostic::new(&codes::NO_FILE, message).at(&place).help("merge them into one file"));
            None
        }
    }
}

fn empty(source: &Text<'_>, diagnostics: &mut Diagnostics) {
    let place = Span::start_of(&source.file);
    diagnostics.push(Diagnostic::new(&codes::EMPTY_FILE, "the file is empty").at(&place));
}

fn project_name<'a>(input: &Input<'a>, diagnostics: &mut Diagnostics) -> Option<&'a str> {
    let name = input.project_name?;
    if decode::is_project_name(name) {
        return Some(name);
    }
    let message = format!("{} is no name of a project", shown(name));
    let help = "use lower-case letters, digits, `-` and `_`, a letter or digit first";
    diagnostics.push(Diagnostic::new(&codes::INVALID_VALUE, message).help(help));
    None
}

fn interpolate(
    input: &Input<'_>,
    name: Option<&str>,
    source: &Text<'_>,
    root: &mut Node,
    budget: &mut usize,
    diagnostics: &mut Diagnostics,
) {
    // The file's own name is a value of the file: it can only be used once it is itself interpolated.
    let name = name.map(str::to_owned).or_else(|| own_name(root));
    let lookup = |variable: &str| match input.environment.get(variable) {
        Some(value) => Some(value.clone()),
        None if variable == "COMPOSE_PROJECT_NAME" => name.clone(),
        None => None,
    };
    let mut reported = BTreeSet::new();
    let mut interpolator =
        Interpolator { source, lookup: &lookup, diagnostics, budget, reported: &mut reported };
    interpolator.walk(root);
}

/// The project name of the file if it is written without variables.
fn own_name(root: &Node) -> Option<String> {
    match &root.get("name")?.kind {
        yaml::Kind::Scalar(scalar) if !scalar.text.contains('$') => Some(scalar.text.clone()),
        _ => None,
    }
}
