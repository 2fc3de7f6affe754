//! What a command about artifacts did, for people and for programs. The same facts in both.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::output::{self, Table};
use crate::registry::RegistryArguments;

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object
    Json,
}

/// What all commands about artifacts take.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    pub(super) output: Format,
    /// The registry.
    #[command(flatten)]
    pub(super) registries: RegistryArguments,
}

/// Facts in their order, each with its key in JSON.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<(&'static str, Value)>);

impl Report {
    /// Adds a fact. For people the key `sizeBytes` reads `SIZE BYTES`.
    pub(super) fn fact(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((key, value.into()));
        self
    }

    /// Prints the facts to standard output.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(super) fn print(&self, format: Format) -> Result<(), Failure> {
        output::print(&match format {
            Format::Text => self.text(),
            Format::Json => output::to_json(&self.document())?,
        })
    }

    fn document(&self) -> Value {
        let facts = self.0.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        let head = [("apiVersion", json!(output::API_VERSION)), ("kind", json!("DriverArtifact"))];
        Value::Object(
            head.map(|(key, value)| (key.to_owned(), value)).into_iter().chain(facts).collect::<Map<_, _>>(),
        )
    }

    fn text(&self) -> String {
        let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut rows = self.0.iter().map(|(key, value)| [words(key), shown(value)]);
        let [key, value] = rows.next().unwrap_or_default();
        let mut table = Table::new(&[&key, &value]);
        rows.for_each(|row| table.row(row));
        table.render()
    }
}

/// `sizeBytes` as `SIZE BYTES`.
fn words(key: &str) -> String {
    let mut words = String::new();
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(letter.to_ascii_uppercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_programs_are_told_the_same() {
        let report = Report::default().fact("reference", "oci://a/b:1").fact("sizeBytes", 3);
        assert_eq!(report.text(), "REFERENCE    oci://a/b:1\nSIZE BYTES   3\n");
        let document = report.document();
        assert_eq!((&document["kind"], &document["sizeBytes"]), (&json!("DriverArtifact"), &json!(3)));
    }
}
