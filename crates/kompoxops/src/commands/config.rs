//! `kompoxops config`: the project as it is read, with nothing left to guess.

use clap::{Args, ValueEnum};
use kompox_compose::{Color, Model, Severity, Variables};

use super::request;
use crate::arguments::FileArguments;
use crate::compose_input::{self, Sources};
use crate::console::note;
use crate::failure::Failure;
use crate::output;

/// Prints the Compose project in its canonical form: files merged, variables replaced, short forms made long,
/// defaults filled in, as `docker compose config` does. Paths stay as they are written. Needs no cluster.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// How to print the project
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Leave `${…}` as it is written
    #[arg(long)]
    pub no_interpolate: bool,
    /// Name of the project [default: $COMPOSE_PROJECT_NAME, else `name:` of the files, else that of the folder]
    #[arg(short, long, env = "COMPOSE_PROJECT_NAME", value_name = "NAME")]
    pub project_name: Option<String>,
    /// The Compose files.
    #[command(flatten)]
    pub files: FileArguments,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops config
  kompoxops config -f compose.yml -f compose.prod.yml --profile '*' --format json
  kompoxops config --no-interpolate

Values of variables are part of the output: treat it as you treat the files it was made from.";

/// How the project is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A Compose file
    #[default]
    Yaml,
    /// One JSON object
    Json,
}

/// Runs the command.
///
/// # Errors
/// When the project cannot be read or standard output cannot be written.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let model = model(arguments)?;
    output::print(&match arguments.format {
        Format::Yaml => model.to_yaml().map_err(|error| Failure::Output(error.to_string()))?,
        Format::Json => output::to_json(&model.to_json())?,
    })
}

fn model(arguments: &Arguments) -> Result<Model, Failure> {
    let interpolation = if arguments.no_interpolate { Variables::Keep } else { Variables::Replace };
    let given = arguments.project_name.as_deref().filter(|name| !name.is_empty());
    let sources = Sources { project_name: given, interpolation, ..request::sources(&arguments.files) };
    let mut loaded = compose_input::load(sources)?;
    let unnamed = loaded.parsed.model.as_ref().is_some_and(|model| model.name().is_none());
    if unnamed && let Some(folder) = loaded.folder.file_name() {
        // Only now is it known that nobody else names the project.
        let name = request::normalized(&folder.to_string_lossy());
        loaded = compose_input::load(Sources { project_name: Some(&name), ..sources })?;
    }
    let sources = loaded.texts();
    let diagnostics = loaded.parsed.diagnostics;
    let warned = diagnostics.iter().any(|found| found.severity > Severity::Info);
    if warned || loaded.parsed.model.is_none() {
        note(kompox_compose::render(&diagnostics, &sources[..], Color::Always).trim_end());
    }
    let errors = compose_input::errors(&diagnostics);
    loaded.parsed.model.filter(|_| errors == 0).ok_or(Failure::Compose { errors })
}
