//! Diagnostics as people read them: the look of rustc, with the line and a caret under the place.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Related};
use crate::severity::Severity;
use crate::span::Span;

/// Longest stretch of a file shown, in bytes.
const MAX_EXCERPT: usize = 8 << 10;

/// Farthest place shown together with a finding, in lines.
const MAX_LINES: u32 = 50;

/// Whether the output may hold ANSI colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Plain text.
    Never,
    /// ANSI escape sequences, for a terminal.
    Always,
}

/// Files that snippets are taken from.
pub trait Sources {
    /// The text of the file with this name. A diagnostic of a file without text is shown with its place only:
    /// leave out files whose lines must not be shown, such as environment files.
    fn text(&self, file: &str) -> Option<&str>;
}

impl Sources for [crate::SourceFile] {
    fn text(&self, file: &str) -> Option<&str> {
        self.iter().find(|source| source.name == file).map(|source| source.text.as_str())
    }
}

/// Renders diagnostics one after the other, a blank line between them.
///
/// Snippets show lines of the user's files as they are. That is right for a terminal; where others read, use
/// the one-line form, which is [`Diagnostic`]'s `Display`.
#[must_use]
pub fn render<S: Sources + ?Sized>(diagnostics: &[Diagnostic], sources: &S, color: Color) -> String {
    let renderer = match color {
        Color::Never => Renderer::plain(),
        Color::Always => Renderer::styled(),
    };
    let mut out = String::new();
    for diagnostic in diagnostics {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&renderer.render(&[group(diagnostic, sources)]));
        out.push('\n');
    }
    out
}

fn group<'a, S: Sources + ?Sized>(diagnostic: &'a Diagnostic, sources: &'a S) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let mut group =
        level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.id).elements(None::<Origin<'_>>);
    if let Some(span) = &diagnostic.span {
        group = place(group, diagnostic, span, sources);
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

fn place<'a, S: Sources + ?Sized>(
    group: Group<'a>,
    diagnostic: &'a Diagnostic,
    span: &'a Span,
    sources: &'a S,
) -> Group<'a> {
    let Some(excerpt) = sources.text(&span.file).and_then(|text| Excerpt::new(text, diagnostic, span)) else {
        let line = usize::try_from(span.line).unwrap_or(usize::MAX);
        let column = usize::try_from(span.column).unwrap_or(usize::MAX);
        return group.element(Origin::path(&*span.file).line(line).char_column(column));
    };
    let primary = AnnotationKind::Primary.span(excerpt.first_line(span));
    let mut snippet = Snippet::source(excerpt.text)
        .line_start(excerpt.first_line_number)
        .path(&*span.file)
        .annotation(primary);
    for related in excerpt.related {
        let range = excerpt.first_line(&related.span);
        snippet = snippet.annotation(AnnotationKind::Context.span(range).label(related.label.as_str()));
    }
    group.element(snippet)
}

/// The lines that a diagnostic shows. The renderer scans all it is given: it gets no more than it shows.
struct Excerpt<'a> {
    text: &'a str,
    /// Where the excerpt begins in the file.
    start: usize,
    first_line_number: usize,
    related: &'a [Related],
}

impl<'a> Excerpt<'a> {
    /// `None` when the place is not in the text, or its line is too long for a reader.
    fn new(text: &'a str, diagnostic: &'a Diagnostic, span: &'a Span) -> Option<Self> {
        let near = |other: &Related| {
            other.span.file == span.file && span.line.abs_diff(other.span.line) <= MAX_LINES
        };
        let related = if diagnostic.related.iter().all(near) { diagnostic.related.as_slice() } else { &[] };
        let spans = || related.iter().map(|related| &related.span).chain([span]);
        let first = spans().min_by_key(|span| span.start)?;
        let from = text.get(..first.range().start)?.rfind(['\n', '\r']).map_or(0, |newline| newline + 1);
        let last = spans().map(|span| span.range().start).max()?;
        let to = last + text.get(last..)?.find(['\n', '\r']).unwrap_or(text.len() - last);
        let excerpt = text.get(from..to).filter(|excerpt| excerpt.len() <= MAX_EXCERPT)?;
        let first_line_number = usize::try_from(first.line).ok()?;
        Some(Self { text: excerpt, start: from, first_line_number, related })
    }

    /// A span of many lines is shown by its first.
    fn first_line(&self, span: &Span) -> std::ops::Range<usize> {
        let start = span.range().start - self.start;
        let rest = self.text.get(start..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default().len();
        start..start + line.min(span.range().len())
    }
}
