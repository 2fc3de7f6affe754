//! The passes in their order.

use std::collections::{BTreeMap, BTreeSet};

use crate::check;
use crate::codes;
use crate::config::Model;
use crate::consistency;
use crate::decode::{self, Context};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::input::{Input, SourceFile, Variables};
use crate::limits;
use crate::load::Loader;
use crate::merge::settle_marks;
use crate::model::Project;
use crate::normalise::normalise;
use crate::text::shown;
use crate::unique;
use crate::yaml::{Kind, Node};

/// What came of reading the files alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The canonical model. It can be there although there are errors: those which the reference implementation
    /// does not know, such as an unquoted shell operator in a command.
    pub model: Option<Model>,
    /// Findings, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The project; `None` if a diagnostic is an error, or if variables were kept, and only then.
    pub project: Option<Project>,
    /// The canonical model, as [`load`] gives it.
    pub model: Option<Model>,
    /// The Compose files that the given ones include or extend, for showing findings in them.
    pub named: Vec<SourceFile>,
    /// Findings, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a project.
#[must_use]
pub fn parse(input: &Input<'_>) -> Parsed {
    let mut diagnostics = Diagnostics::default();
    let mut budget = limits::MAX_PRODUCED_BYTES;
    let mut named = Vec::new();
    let model = read(input, &mut named, &mut diagnostics, &mut budget);
    let interpolated = model.as_ref().filter(|_| input.variables == Variables::Replace);
    let project = interpolated.and_then(|model| decode(input, model, &mut diagnostics, &mut budget));
    let project = project.filter(|_| diagnostics.errors() == 0);
    Parsed { project, model, named, diagnostics: diagnostics.into_sorted() }
}

/// Reads the files of a project into their canonical model, without asking what a cluster can make of it.
///
/// Files of `env_file` and `label_file` are not read.
#[must_use]
pub fn load(input: &Input<'_>) -> Loaded {
    let mut diagnostics = Diagnostics::default();
    let model = read(input, &mut Vec::new(), &mut diagnostics, &mut limits::MAX_PRODUCED_BYTES.clone());
    Loaded { model, diagnostics: diagnostics.into_sorted() }
}

fn read(
    input: &Input<'_>,
    named: &mut Vec<SourceFile>,
    diagnostics: &mut Diagnostics,
    budget: &mut usize,
) -> Option<Model> {
    if input.files.is_empty() {
        diagnostics.push(Diagnostic::new(&codes::NO_FILE, "there is no Compose file to read"));
    }
    let given = project_name(input, diagnostics);
    let mut loader = Loader::new(input, given, diagnostics, budget);
    let root = loader.project();
    named.append(&mut loader.named);
    let mut root = root?;
    settle_marks(&mut root);
    unique::complete(&mut root, diagnostics);
    let name = given.map(str::to_owned).or_else(|| own_name(&root, diagnostics));
    let services = root.get("services");
    if services.is_none_or(|node| matches!(&node.kind, Kind::Mapping(entries) if entries.is_empty())) {
        let message = "the project has no `services`";
        let help = "put the services below the key `services`; the form without it is long obsolete";
        diagnostics.push(Diagnostic::new(&codes::MISSING_KEY, message).at(&root.span).help(help));
    }
    let environment = match input.variables {
        Variables::Replace => input.environment,
        Variables::Keep => &BTreeMap::new(),
    };
    normalise(&mut root, name.as_deref(), environment);
    let disabled = disabled(input, &root);
    consistency::check(&root, &disabled, diagnostics);
    (diagnostics.fatal() == 0).then(|| Model::new(root, name, disabled))
}

fn decode(
    input: &Input<'_>,
    model: &Model,
    diagnostics: &mut Diagnostics,
    budget: &mut usize,
) -> Option<Project> {
    let mut context = Context {
        environment: input.environment,
        files: input.provider,
        profiles: input.profiles,
        diagnostics,
        budget,
    };
    let (project, undecoded) = decode::project(&mut context, model.root(), model.name())?;
    check::project(&project, &undecoded, diagnostics);
    Some(project)
}

/// The services that no active profile enables.
fn disabled(input: &Input<'_>, root: &Node) -> BTreeSet<String> {
    let all = input.profiles.iter().any(|profile| profile == "*");
    let enabled = |service: &Node| {
        let profiles = service.get("profiles").map(Node::items).unwrap_or_default();
        let active = |profile: &Node| input.profiles.iter().any(|active| profile.as_text() == Some(active));
        all || profiles.is_empty() || profiles.iter().any(active)
    };
    let services = root.get("services").map(Node::entries).unwrap_or_default();
    services.iter().filter(|entry| !enabled(&entry.value)).map(|entry| entry.key.value.clone()).collect()
}

fn project_name<'a>(input: &Input<'a>, diagnostics: &mut Diagnostics) -> Option<&'a str> {
    let name = input.project_name?;
    if decode::is_project_name(name) {
        return Some(name);
    }
    let message = format!("{} is no name of a project", shown(name));
    diagnostics.push(Diagnostic::new(&codes::INVALID_VALUE, message).help(NAMES));
    None
}

const NAMES: &str = "use lower-case letters, digits, `-` and `_`, a letter or digit first";

/// The name that the files give.
fn own_name(root: &Node, diagnostics: &mut Diagnostics) -> Option<String> {
    let node = root.get("name")?;
    let name = node.as_text()?;
    if !decode::is_project_name(name) && !name.contains('$') {
        let finding = Diagnostic::new(&codes::INVALID_VALUE, "`name` is no name of a project").at(&node.span);
        diagnostics.push(finding.path("name").help(NAMES));
    }
    Some(name.to_owned())
}
