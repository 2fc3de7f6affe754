//! `kompoxops check`: whether a Compose file is accepted, and all that is to say about it.

mod sarif;

use clap::{Args, ValueEnum};
use kompox_compose::{Color, Diagnostic, SourceFile};
use kompox_core::app::Problem;
use serde_json::{Value, json};

use super::request;
use crate::arguments::{FileArguments, PodSecurityLevel};
use crate::failure::Failure;
use crate::{compose_input, conversion, generate, output};

/// Says what in a Compose file the cluster cannot do, does differently or leaves out. Needs no cluster and
/// makes nothing; the findings are the ones that `up` and `render` would have, on standard output.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// How to print the findings
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
    /// Pod Security level that the namespace enforces
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    pub pod_security: PodSecurityLevel,
    /// The Compose files.
    #[command(flatten)]
    pub files: FileArguments,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops check
  kompoxops check -f compose.yml -f compose.prod.yml --profile '*'
  kompoxops check -o sarif > findings.sarif

Exit codes: 0 accepted, perhaps with warnings; 3 refused. `kompoxops explain CODE` tells more about a code.
Values of variables are never shown.";

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: each finding with the lines it is about
    #[default]
    Text,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

/// What there is to say about a file.
struct Outcome {
    diagnostics: Vec<Diagnostic>,
    /// What is in the way apart from the file.
    problems: Vec<Problem>,
    sources: Vec<SourceFile>,
}

/// Runs the command.
///
/// # Errors
/// When the file is not accepted or cannot be read, or standard output cannot be written.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let outcome = check(&arguments.files, arguments.pod_security)?;
    output::print(&match arguments.output {
        Format::Text => text(&outcome),
        Format::Json => output::to_json(&to_json(&outcome))?,
        Format::Sarif => output::to_json(&sarif::document(&outcome.diagnostics))?,
    })?;
    match outcome.errors() {
        0 => Ok(()),
        errors => Err(Failure::Compose { errors }),
    }
}

fn check(files: &FileArguments, level: PodSecurityLevel) -> Result<Outcome, Failure> {
    let loaded = compose_input::load(request::sources(files))?;
    if loaded.parsed.project.is_none() {
        let (sources, diagnostics) = (loaded.texts(), loaded.parsed.diagnostics);
        return Ok(Outcome { diagnostics, problems: Vec::new(), sources });
    }
    let request = request::of_file(files, loaded.checked()?);
    let validation = conversion::rendered(&request, &generate::objects(&request), level.into())?.validation;
    let problems = conversion::problems(&validation).cloned().collect();
    Ok(Outcome { diagnostics: validation.diagnostics, problems, sources: conversion::sources(&request) })
}

impl Outcome {
    fn errors(&self) -> usize {
        compose_input::errors(&self.diagnostics) + self.problems.len()
    }
}

fn text(outcome: &Outcome) -> String {
    // The stream takes the colours out where nobody sees them.
    let mut out = kompox_compose::render(&outcome.diagnostics, &outcome.sources[..], Color::Always);
    for problem in &outcome.problems {
        out.push_str(&format!("error: {problem}\n"));
    }
    if out.is_empty() {
        out.push_str("accepted, with nothing to say\n");
    }
    out
}

fn to_json(outcome: &Outcome) -> Value {
    let problem = |problem: &Problem| {
        json!({
            "code": problem.reason.code(),
            "reason": problem.reason.as_str(),
            "object": problem.object,
            "field": problem.field,
            "message": problem.message,
            "remedy": problem.remedy,
        })
    };
    json!({
        "apiVersion": output::API_VERSION,
        "kind": "CheckResult",
        "accepted": outcome.errors() == 0,
        "diagnostics": outcome.diagnostics,
        "problems": outcome.problems.iter().map(problem).collect::<Vec<_>>(),
    })
}
