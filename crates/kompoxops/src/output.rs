//! Data for standard output: tables for people, versioned JSON or YAML for programs, names for `xargs`.

use std::io::Write as _;

use clap::ValueEnum;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::Failure;

/// Version of the objects that `-o json` and `-o yaml` print.
pub const API_VERSION: &str = "cli.kompox.dev/v1";

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns for people
    #[default]
    Table,
    /// One JSON object
    Json,
    /// The same object as YAML
    Yaml,
    /// KIND/NAME, one a line
    Name,
}

/// A table; columns are as wide as their widest cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column headings.
    pub fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(ToString::to_string).collect()] }
    }

    /// Adds a row; an empty cell is shown as `-`.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let shown = |cell: String| if cell.is_empty() { "-".to_owned() } else { cell };
        self.rows.push(cells.into_iter().map(shown).collect());
    }

    /// True when there are only headings.
    pub fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    /// The text, each line ended, no trailing blanks.
    pub fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<_> = (0..columns).map(|column| self.width(column)).collect();
        self.rows.iter().map(|row| line(row, &widths)).collect()
    }

    fn width(&self, column: usize) -> usize {
        self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
    format!("{}\n", padded.join("   ").trim_end())
}

/// Writes data to standard output. A reader that has gone away (`| head`) is not an error.
///
/// # Errors
/// When standard output cannot be written for another reason.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Output(error.to_string()))
        }
        _ => Ok(()),
    }
}

/// A result of kind `kind` with its items, for `-o json|yaml`.
pub fn document(kind: &str, items: &[Value]) -> Value {
    json!({"apiVersion": API_VERSION, "kind": kind, "items": items})
}

/// Pretty JSON with a line end.
///
/// # Errors
/// When the value has no JSON form.
pub fn to_json(value: &Value) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::Output(error.to_string()))?;
    Ok(format!("{text}\n"))
}

/// One YAML document with a line end.
///
/// # Errors
/// When the value has no YAML form.
pub fn to_yaml(value: &Value) -> Result<String, Failure> {
    let text = serde_saphyr::to_string(value).map_err(|error| Failure::Output(error.to_string()))?;
    Ok(format!("{}\n", text.trim_end()))
}

/// Several objects as one YAML stream, ready for `kubectl apply -f -`.
///
/// # Errors
/// When a value has no YAML form.
pub fn to_yaml_stream(values: &[Value]) -> Result<String, Failure> {
    let documents: Vec<_> = values.iter().map(to_yaml).collect::<Result<_, _>>()?;
    Ok(documents.join("---\n"))
}

/// `kompoxapp/gitea` and so on, one a line.
pub fn to_names(objects: &[Value]) -> String {
    let text =
        |object: &Value, pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned();
    objects
        .iter()
        .map(|object| {
            format!("{}/{}\n", text(object, "/kind").to_lowercase(), text(object, "/metadata/name"))
        })
        .collect()
}

/// An object without the bookkeeping of field managers, as kubectl prints it.
///
/// # Errors
/// When it has no JSON form.
pub fn object(object: &impl Serialize) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(object).map_err(|error| Failure::Output(error.to_string()))?;
    if let Some(metadata) = value.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    Ok(value)
}

/// Status and reason of the condition `Ready`; `Unknown` where there is none.
pub fn ready(conditions: &[Condition]) -> (String, String) {
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
    ready.map_or_else(
        || ("Unknown".into(), String::new()),
        |ready| (ready.status.clone(), ready.reason.clone()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_lines_have_no_trailing_blanks() {
        let mut table = Table::new(&["NAME", "READY"]);
        assert!(table.is_empty());
        table.row(["gitea".into(), "True".into()]);
        table.row(["数据".into(), String::new()]);
        assert_eq!(table.render(), "NAME    READY\ngitea   True\n数据      -\n");
        assert!(!table.is_empty());
    }

    #[test]
    fn several_objects_are_one_yaml_stream() {
        let objects = [json!({"kind": "A", "metadata": {"name": "x"}}), json!({"kind": "B"})];
        assert_eq!(to_yaml_stream(&objects).unwrap(), "kind: A\nmetadata:\n  name: x\n---\nkind: B\n");
        assert_eq!(to_names(&objects), "a/x\nb/-\n");
    }

    #[test]
    fn documents_carry_their_version() {
        let document = document("StatusList", &[json!(1)]);
        assert_eq!(document, json!({"apiVersion": "cli.kompox.dev/v1", "kind": "StatusList", "items": [1]}));
        assert!(to_json(&document).unwrap().ends_with("}\n"));
    }
}
