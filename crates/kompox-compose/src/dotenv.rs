//! Environment files: the dotenv grammar of Compose, and its raw format.
//!
//! <https://github.com/compose-spec/compose-spec/blob/main/05-services.md#env_file-format>; where that text
//! is silent, the grammar is the reference implementation's: `KEY=VALUE` and `KEY: VALUE`, `export`,
//! comments, quotes over several lines, escapes in double quotes, interpolation outside single quotes.

mod reader;
#[cfg(test)]
mod tests;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::limits;
use crate::severity::Severity;
use crate::span::{Span, Text};

/// How an environment file is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Quotes, escapes, comments and interpolation.
    Compose,
    /// `KEY=VALUE` lines, the value verbatim.
    Raw,
}

/// One variable of a file.
pub(crate) struct Assignment {
    pub(crate) name: String,
    pub(crate) value: String,
    /// The name in the file.
    pub(crate) span: Span,
}

/// Reads the text of an environment file.
///
/// `lookup` gives the values of variables outside the file: for expressions in values, where it wins over
/// earlier lines, and for a line that is only a name, which is left out when `lookup` has no value for it.
/// The result is in the order of first appearance; a name given twice has its last value.
///
/// # Errors
///
/// What is wrong with the text, with places named after `file_name`. Values are never repeated.
pub fn parse(
    text: &str,
    file_name: &str,
    format: Format,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(String, String)>, Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::default();
    let mut budget = limits::MAX_PRODUCED_BYTES;
    let list = read(&Text::new(file_name, text), format, lookup, &mut budget, &mut diagnostics);
    if diagnostics.errors() > 0 {
        let errors = diagnostics.into_sorted().into_iter().filter(|d| d.severity == Severity::Error);
        return Err(errors.collect());
    }
    Ok(list.into_iter().map(|assignment| (assignment.name, assignment.value)).collect())
}

/// Reads a file and reports what it finds, warnings included.
pub(crate) fn read(
    source: &Text<'_>,
    format: Format,
    lookup: &dyn Fn(&str) -> Option<String>,
    budget: &mut usize,
    diagnostics: &mut Diagnostics,
) -> Vec<Assignment> {
    if source.text.len() > limits::MAX_FILE_BYTES {
        let message =
            format!("the file is {} bytes long, more than {}", source.text.len(), limits::MAX_FILE_BYTES);
        let place = Span::start_of(&source.file);
        diagnostics.push(Diagnostic::new(&crate::codes::FILE_TOO_LARGE, message).at(&place));
        return Vec::new();
    }
    let mut reader = reader::Reader::new(source, lookup, budget, diagnostics);
    match format {
        Format::Compose => reader.compose(),
        Format::Raw => reader.raw(),
    }
    reader.finish()
}
