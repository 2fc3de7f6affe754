//! The two readers over a text and a position in it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Assignment;
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::interpolate::{self, Expander};
use crate::span::Text;
use crate::text::shown;

pub(super) struct Reader<'a> {
    source: &'a Text<'a>,
    lookup: &'a dyn Fn(&str) -> Option<String>,
    budget: &'a mut usize,
    diagnostics: &'a mut Diagnostics,
    at: usize,
    list: Vec<Assignment>,
    index: BTreeMap<String, usize>,
}

/// The end of reading: the error has been pushed.
struct Stop;

impl<'a> Reader<'a> {
    pub(super) fn new(
        source: &'a Text<'a>,
        lookup: &'a dyn Fn(&str) -> Option<String>,
        budget: &'a mut usize,
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        let at = if source.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { source, lookup, budget, diagnostics, at, list: Vec::new(), index: BTreeMap::new() }
    }

    pub(super) fn finish(self) -> Vec<Assignment> {
        self.list
    }

    fn rest(&self) -> &'a str {
        self.source.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, when: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(when).len();
    }

    fn error(&mut self, range: Range<usize>, message: String, help: &str) -> Stop {
        self.report(Diagnostic::new(&codes::ENV_FILE_SYNTAX, message).help(help), range);
        Stop
    }

    fn assign(&mut self, name: &str, value: String, range: Range<usize>) {
        let assignment = Assignment { name: name.to_owned(), value, span: self.source.span(range) };
        match self.index.get(name).and_then(|&index| self.list.get_mut(index)) {
            Some(slot) => *slot = assignment,
            None => {
                self.index.insert(name.to_owned(), self.list.len());
                self.list.push(assignment);
            }
        }
    }

    /// The Compose format. Stops at the first error: what follows a lost quote means nothing.
    pub(super) fn compose(&mut self) {
        loop {
            self.skip(char::is_whitespace);
            let rest = self.rest();
            if rest.is_empty() {
                return;
            }
            if rest.starts_with('#') {
                self.at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            if self.statement().is_err() {
                return;
            }
        }
    }

    fn statement(&mut self) -> Result<(), Stop> {
        if let Some(after) = self.rest().strip_prefix("export").filter(|after| after.starts_with(is_blank)) {
            self.at = self.source.text.len() - after.len();
            self.skip(is_blank);
        }
        let start = self.at;
        let (name, separator) = self.name()?;
        let range = start..start + name.len();
        if name.is_empty() || name.contains(char::is_whitespace) {
            let message = format!("{} is no name of a variable", shown(name));
            return Err(self.error(start..start + name.len().max(1), message, "write `NAME=value`"));
        }
        if separator.is_none_or(|separator| separator == '\n') {
            if let Some(value) = (self.lookup)(name) {
                self.assign(name, value, range);
            }
            return Ok(());
        }
        self.skip(is_blank);
        let value = self.value(name)?;
        self.assign(name, value, range);
        Ok(())
    }

    /// The name, and the character that ends it; the position moves behind that character.
    fn name(&mut self) -> Result<(&'a str, Option<char>), Stop> {
        let rest = self.rest();
        for (offset, c) in rest.char_indices() {
            match c {
                '=' | ':' | '\n' => {
                    self.at += offset + 1;
                    return Ok((rest.get(..offset).unwrap_or_default().trim_end(), Some(c)));
                }
                '_' | '.' | '-' | '[' | ']' => {}
                c if is_blank(c) || c.is_alphanumeric() => {}
                _ => {
                    let range = self.at + offset..self.at + offset + c.len_utf8();
                    let message =
                        format!("unexpected character {} in the name of a variable", shown(&c.to_string()));
                    return Err(self.error(range, message, "write `NAME=value`; comments begin with `#`"));
                }
            }
        }
        self.at += rest.len();
        Ok((rest.trim_end(), None))
    }

    fn value(&mut self, name: &str) -> Result<String, Stop> {
        let start = self.at;
        let rest = self.rest();
        let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            let line = rest.split('\n').next().unwrap_or_default();
            self.at += (line.len() + 1).min(rest.len());
            let value = line.split(" #").next().unwrap_or_default().trim_end();
            return self.expand(value, start..start + value.len());
        };
        let Some((value, length)) = quoted(rest, quote) else {
            let line = rest.split('\n').next().unwrap_or_default();
            let message = format!("the quoted value of {} is not closed", shown(name));
            return Err(self.error(start..start + line.len(), message, "close the quote"));
        };
        self.at += length;
        if quote == '\'' { Ok(value) } else { self.expand(&escapes(&value), start..start + length) }
    }

    fn expand(&mut self, template: &str, range: Range<usize>) -> Result<String, Stop> {
        if !template.contains('$') {
            return Ok(template.to_owned());
        }
        let (lookup, list, index) = (self.lookup, &self.list, &self.index);
        let earlier = |name: &str| index.get(name).and_then(|&i| list.get(i)).map(|a| a.value.clone());
        let both = |name: &str| lookup(name).or_else(|| earlier(name));
        let mut expander = Expander::new(&both, self.budget);
        let result = expander.expand(template);
        let unset = std::mem::take(&mut expander.unset);
        for (name, _) in unset {
            self.report(interpolate::unset(&name), range.clone());
        }
        result.map_err(|fault| {
            self.report(interpolate::describe(&fault), range);
            Stop
        })
    }

    fn report(&mut self, finding: Diagnostic, range: Range<usize>) {
        let finding = if self.diagnostics.has_room(finding.severity) {
            finding.at(&self.source.span(range))
        } else {
            finding
        };
        self.diagnostics.push(finding);
    }

    /// The raw format: every line stands for itself.
    pub(super) fn raw(&mut self) {
        let mut start = self.at;
        for line in self.rest().split_inclusive('\n') {
            let begin = start;
            start += line.len();
            let line = line.strip_suffix('\n').unwrap_or(line);
            let line = line.strip_suffix('\r').unwrap_or(line);
            let trimmed = line.trim_start();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let begin = begin + line.len() - trimmed.len();
            self.raw_line(trimmed, begin);
        }
    }

    fn raw_line(&mut self, line: &str, begin: usize) {
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (line, None),
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            let message = format!("{} is no name of a variable", shown(name));
            self.error(begin..begin + name.len().max(1), message, "write `NAME=value`");
            return;
        }
        if let Some(value) = value.or_else(|| (self.lookup)(name)) {
            self.assign(name, value, begin..begin + name.len());
        }
    }
}

/// White space other than the end of a line.
fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

/// The content of a quoted value (only the escaped quote resolved) and its length with both quotes.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut escaped = false;
    for (offset, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return Some((out, offset + c.len_utf8()));
        }
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        if escaped && c != quote {
            out.push('\\');
        }
        escaped = false;
        out.push(c);
    }
    None
}

/// Resolves the escapes of double quotes. `\$` becomes `$$`, which interpolation turns into one `$`.
fn escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let plain = match after.chars().next() {
            Some('a') => Some("\u{7}"),
            Some('b') => Some("\u{8}"),
            Some('f') => Some("\u{c}"),
            Some('n') => Some("\n"),
            Some('r') => Some("\r"),
            Some('t') => Some("\t"),
            Some('v') => Some("\u{b}"),
            Some('$') => Some("$$"),
            Some('"') => Some("\""),
            Some('\\') => Some("\\"),
            _ => None,
        };
        rest = match plain {
            Some(plain) => {
                out.push_str(plain);
                after.get(1..).unwrap_or_default()
            }
            None => octal(after, &mut out),
        };
    }
    out.push_str(rest);
    out
}

/// `\0` and three octal digits; anything else keeps its backslash.
fn octal<'t>(after: &'t str, out: &mut String) -> &'t str {
    let digits = after.strip_prefix('0').and_then(|rest| rest.get(..3));
    match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
        Some(byte) => {
            out.push(char::from(byte));
            after.get(4..).unwrap_or_default()
        }
        None => {
            out.push('\\');
            after
        }
    }
}
