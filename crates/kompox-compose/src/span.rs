//! Positions in source text. Nothing here knows YAML or Compose.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// A stretch of one source file: byte offsets for tools, lines and columns for people.
///
/// Offsets count bytes from 0; lines and columns count from 1, columns in Unicode scalar values.
/// `end` and `end_column` are exclusive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// Name of the file, as the caller gave it.
    #[serde(serialize_with = "as_str")]
    pub file: Arc<str>,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Line of the first byte, from 1.
    pub line: u32,
    /// Column of the first byte, from 1.
    pub column: u32,
    /// Line of the end, from 1.
    pub end_line: u32,
    /// Column of the end (exclusive), from 1.
    pub end_column: u32,
}

fn as_str<S: Serializer>(file: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(file)
}

impl Span {
    /// The empty span at the beginning of a file.
    #[must_use]
    pub fn start_of(file: &Arc<str>) -> Self {
        Self { file: Arc::clone(file), start: 0, end: 0, line: 1, column: 1, end_line: 1, end_column: 1 }
    }

    /// The bytes covered, for slicing the file's text.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        let end = usize::try_from(self.end).unwrap_or(usize::MAX);
        start..end.max(start)
    }
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written; for a value reached through an alias, where the anchor defines it.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Joins a value and its place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// Changes the value and keeps the place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), span: self.span }
    }
}

/// A named text that can turn byte ranges into [`Span`]s.
pub(crate) struct Text<'t> {
    pub(crate) file: Arc<str>,
    pub(crate) text: &'t str,
    /// The position computed last: going through a text from front to back counts every line once.
    last: Cell<Position>,
}

#[derive(Clone, Copy)]
struct Position {
    offset: usize,
    line: usize,
    column: usize,
}

const START: Position = Position { offset: 0, line: 1, column: 1 };

impl<'t> Text<'t> {
    pub(crate) fn new(file: &str, text: &'t str) -> Self {
        Self { file: Arc::from(file), text, last: Cell::new(START) }
    }

    /// The span of a byte range; a range outside the text is cut to fit, on character boundaries.
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        let start = self.text.floor_char_boundary(range.start);
        let end = self.text.ceil_char_boundary(range.end).max(start);
        let (from, to) = (self.position(start), self.position(end));
        Span {
            file: Arc::clone(&self.file),
            start: to_u32(start),
            end: to_u32(end),
            line: to_u32(from.line),
            column: to_u32(from.column),
            end_line: to_u32(to.line),
            end_column: to_u32(to.column),
        }
    }

    fn position(&self, offset: usize) -> Position {
        let from = Some(self.last.get()).filter(|last| last.offset <= offset).unwrap_or(START);
        let mut position = Position { offset, ..from };
        let mut rest = self.text.get(from.offset..).unwrap_or_default().char_indices().peekable();
        while let Some((at, c)) = rest.next().filter(|(at, _)| from.offset + at < offset) {
            let next = rest.peek().map(|(_, next)| *next);
            match c {
                '\n' => (position.line, position.column) = (position.line + 1, 1),
                // Alone it ends a line in YAML; before a newline it belongs to that.
                '\r' if next != Some('\n') => (position.line, position.column) = (position.line + 1, 1),
                '\u{feff}' if from.offset + at == 0 => {}
                _ => position.column += 1,
            }
        }
        self.last.set(position);
        position
    }
}

/// Source text is at most [`crate::limits::MAX_FILE_BYTES`] long: positions always fit.
pub(crate) fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_newlines() {
        let text = Text::new("f", "a: é🦀x\nb: c");
        let span = text.span(9..10);
        assert_eq!((span.line, span.column, span.end_column), (1, 6, 7));
        let span = text.span(14..15);
        assert_eq!((span.line, span.column), (2, 4));
        assert_eq!(text.text.get(span.range()), Some("c"));
    }

    #[test]
    fn lines_end_as_in_yaml_and_a_byte_order_mark_has_no_column() {
        for (content, offset, expected) in
            [("a\rb", 2, (2, 1)), ("a\r\nb", 3, (2, 1)), ("a\r\rb", 3, (3, 1)), ("\u{feff}ab", 4, (1, 2))]
        {
            let span = Text::new("f", content).span(offset..offset);
            assert_eq!((span.line, span.column), expected, "{content:?}");
        }
    }

    #[test]
    fn positions_do_not_depend_on_what_was_asked_before() {
        let content = "ab\ncd\n\nef";
        let walked = Text::new("f", content);
        for offset in [7, 0, 3, 9, 1, 6, 2] {
            let span = walked.span(offset..offset);
            assert_eq!(span, Text::new("f", content).span(offset..offset), "{offset}");
        }
    }

    #[test]
    fn a_range_outside_the_text_is_cut() {
        let text = Text::new("f", "é");
        assert_eq!(text.span(1..900).range(), 0..2);
    }
}
