//! `kompoxops render`: what the operator would make of an app, from files alone.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use kompox_core::app::Validation;
use serde_json::json;

use super::request;
use crate::arguments::{AppArguments, PodSecurityLevel};
use crate::console::note;
use crate::failure::Failure;
use crate::{conversion, generate, output};

/// Prints the workloads, Services, Secrets and Ingresses that the operator would make of a Compose file. Needs
/// no cluster and changes nothing; the same input gives the same bytes.
///
/// For the objects that `up` itself applies, see `kompoxops up --dry-run=client`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// How to print the objects
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
    /// Also account for every value of the Compose files: what became of it, and which fields it decides
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub report: Option<ReportFormat>,
    /// Where the report goes [default: conversion.json or conversion.md here]
    #[arg(long, value_name = "FILE", requires = "report")]
    pub report_file: Option<PathBuf>,
    /// Pod Security level that the namespace enforces
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    pub pod_security: PodSecurityLevel,
    /// The app.
    #[command(flatten)]
    pub app: AppArguments,
}

/// How the report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// One JSON object
    Json,
    /// A table in Markdown
    Md,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops render -f compose.yml
  kompoxops render -f compose.yml --route git.example.com=3000 --domain apps.example.com
  kompoxops render -f compose.yml -o name
  kompoxops render -f compose.yml --report md > manifests.yaml

Secrets are part of the output: treat it as you treat the files it was made from. The claims for
disks are not: the operator hands them over step by step.";

/// How objects are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A YAML stream for kubectl
    #[default]
    Yaml,
    /// A JSON List for kubectl
    Json,
    /// KIND/NAME, one a line
    Name,
}

/// Runs the command.
///
/// # Errors
/// When the input is not right or standard output cannot be written.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let request = request::read(&arguments.app)?;
    let rendered =
        conversion::rendered(&request, &generate::objects(&request), arguments.pod_security.into())?;
    if let Some(format) = arguments.report {
        // Also of what is refused: that is when it is asked for.
        report(&rendered.validation, format, arguments.report_file.as_deref())?;
    }
    let resources = conversion::accepted(&request, rendered)?;
    let documents = resources.documents().map_err(|error| Failure::Output(error.to_string()))?;
    print(&documents, arguments.output)
}

fn report(validation: &Validation, format: ReportFormat, file: Option<&Path>) -> Result<(), Failure> {
    let Some(model) = &validation.model else { return Ok(()) };
    let report = kompox_core::app::report(model, &validation.diagnostics);
    let (name, text) = match format {
        ReportFormat::Md => ("conversion.md", report.to_markdown()),
        ReportFormat::Json => {
            let document = json!({
                "apiVersion": output::API_VERSION,
                "kind": "ConversionReport",
                "entries": report.entries,
            });
            ("conversion.json", output::to_json(&document)?)
        }
    };
    let path = file.unwrap_or(Path::new(name));
    std::fs::write(path, text)
        .map_err(|error| Failure::Output(format!("failed to write {}: {error}", path.display())))?;
    note(format!("the report is in {}", path.display()));
    Ok(())
}

/// Prints objects; `up --dry-run` does the same with its own.
pub(super) fn print(objects: &[serde_json::Value], format: Format) -> Result<(), Failure> {
    output::print(&match format {
        Format::Yaml => output::to_yaml_stream(objects)?,
        Format::Json => {
            output::to_json(&serde_json::json!({"apiVersion": "v1", "kind": "List", "items": objects}))?
        }
        Format::Name => output::to_names(objects),
    })
}
