//! `command`, `entrypoint`: a list of words, or a string to split.

use super::Context;
use super::cursor::At;
use crate::codes;
use crate::shell::{self, Fault};
use crate::span::Spanned;
use crate::text::shown;
use crate::yaml::{Kind, Shape};

/// The words; `None` for null, which means the image's own.
pub(super) fn words(cx: &mut Context<'_>, at: &At<'_>) -> Option<Spanned<Vec<String>>> {
    let words = match &at.node.kind {
        Kind::Sequence(items) => {
            let items = at.each(items);
            items
                .iter()
                .map(|item| item.string(cx).map(str::to_owned))
                .collect::<Vec<_>>()
                .into_iter()
                .collect()
        }
        Kind::Scalar(scalar) => match scalar.shape() {
            Shape::Null => None,
            Shape::Text => split(cx, at, &scalar.text),
            _ => {
                at.wrong_type(cx, "a string or a list");
                None
            }
        },
        Kind::Mapping(_) => {
            at.wrong_type(cx, "a string or a list");
            None
        }
    };
    super::spanned(words, &at.node.span)
}

fn split(cx: &mut Context<'_>, at: &At<'_>, line: &str) -> Option<Vec<String>> {
    let name = shown(&at.name());
    let finding = match shell::split(line) {
        Ok(words) => return Some(words),
        Err(Fault::Operator(operator)) => at
            .finding(
                &codes::SHELL_OPERATOR,
                format!("{name} has an unquoted `{operator}`, but no shell reads it"),
            )
            .help("start a shell: `[\"sh\", \"-c\", \"…\"]`; or put the operator in quotes"),
        Err(Fault::Unclosed) => at
            .finding(
                &codes::SHELL_QUOTING,
                format!("{name} has a quote, bracket or backslash without its partner"),
            )
            .help("close it, or write the command as a list of words"),
    };
    cx.report(finding);
    None
}
