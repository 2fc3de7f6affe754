//! `kompoxops render`: what the operator would make of an app, from files alone.

use clap::{Args, ValueEnum};

use super::request;
use crate::cli::AppArguments;
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
    /// The app.
    #[command(flatten)]
    pub app: AppArguments,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops render -f compose.yml
  kompoxops render -f compose.yml --route git.example.com=3000 --domain apps.example.com
  kompoxops render -f compose.yml -o name

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
    let resources = conversion::convert(&request, &generate::objects(&request))?;
    let documents = resources.documents().map_err(|error| Failure::Output(error.to_string()))?;
    print(&documents, arguments.output)
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
