//! A value with its place, and the taking of keys from a mapping so that none is left unseen.

use super::{Context, keys};
use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Severity};
use crate::path::Path;
use crate::span::{Span, Spanned};
use crate::suggest;
use crate::text::shown;
use crate::units;
use crate::yaml::{Entry, Kind, Node, Scalar, Shape};

/// A value to decode.
#[derive(Clone)]
pub(super) struct At<'n> {
    pub(super) node: &'n Node,
    /// The key that holds the value; the value itself for items of lists.
    pub(super) key: &'n Span,
    pub(super) path: Path,
}

impl<'n> At<'n> {
    pub(super) fn root(node: &'n Node) -> Self {
        Self { node, key: &node.span, path: Path::default() }
    }

    /// Where a finding about the value belongs: the value, or its key when the value is long or absent.
    pub(super) fn span(&self) -> &'n Span {
        let at_key = self.node.is_null() || !matches!(self.node.kind, Kind::Scalar(_));
        if at_key { self.key } else { &self.node.span }
    }

    pub(super) fn finding(&self, code: &'static Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, message).at(self.span()).path(&self.path)
    }

    /// Reports a value of the wrong type.
    pub(super) fn wrong_type(&self, cx: &mut Context<'_>, expected: &str) {
        let message = format!("{} must be {expected}, not {}", shown(&self.name()), self.node.type_name());
        let finding = self.finding(&codes::WRONG_TYPE, message);
        let number = matches!(&self.node.kind, Kind::Scalar(scalar) if !matches!(scalar.shape(), Shape::Null | Shape::Text));
        let finding =
            if number && expected.contains("string") { finding.help("put it in quotes") } else { finding };
        cx.report(finding);
    }

    /// Reports a string that makes no sense. The text is shown only when it cannot hold a variable's value.
    pub(super) fn invalid(&self, cx: &mut Context<'_>, expected: &str) {
        let message = match &self.node.kind {
            Kind::Scalar(Scalar { substituted: false, text, .. }) => {
                format!("{} is no valid value of {}", shown(text), shown(&self.name()))
            }
            _ => format!("the value of {} is not valid", shown(&self.name())),
        };
        cx.report(self.finding(&codes::INVALID_VALUE, message).help(format!("write {expected}")));
    }

    /// The last part of the path: `ports[0]`.
    pub(super) fn name(&self) -> String {
        let path = self.path.to_string();
        path.rsplit('.').next().unwrap_or(&path).to_owned()
    }

    pub(super) fn scalar(&self) -> Option<&'n Scalar> {
        match &self.node.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// A string. Numbers and booleans without quotes are refused, as the specification's schema does.
    pub(super) fn string(&self, cx: &mut Context<'_>) -> Option<&'n str> {
        match self.scalar().filter(|scalar| scalar.shape() == Shape::Text) {
            Some(scalar) => Some(&scalar.text),
            None => {
                self.wrong_type(cx, "a string");
                None
            }
        }
    }

    /// A string that is not empty.
    pub(super) fn text(&self, cx: &mut Context<'_>) -> Option<Spanned<String>> {
        let text = self.string(cx)?;
        if text.is_empty() {
            let message = format!("{} must not be empty", shown(&self.name()));
            cx.report(self.finding(&codes::INVALID_VALUE, message));
            return None;
        }
        Some(Spanned::new(text.to_owned(), self.node.span.clone()))
    }

    pub(super) fn boolean(&self, cx: &mut Context<'_>) -> Option<Spanned<bool>> {
        let scalar = self.scalar();
        let value = match scalar.map(Scalar::shape) {
            Some(Shape::Boolean(value)) => Some(value),
            Some(Shape::Text) => match scalar.map(|s| s.text.to_lowercase()).as_deref() {
                Some("true") => Some(true),
                Some("false") => Some(false),
                Some("y" | "yes" | "on") => self.lenient(cx, true),
                Some("n" | "no" | "off") => self.lenient(cx, false),
                _ => None,
            },
            _ => None,
        };
        if value.is_none() {
            self.wrong_type(cx, "true or false");
        }
        super::spanned(value, &self.node.span)
    }

    fn lenient(&self, cx: &mut Context<'_>, value: bool) -> Option<bool> {
        let message = format!("{} is a boolean in other words: it reads as {value}", shown(&self.name()));
        cx.report(self.finding(&codes::LENIENT_BOOLEAN, message).help(format!("write {value}")));
        Some(value)
    }

    /// A whole number of at least `least`, also in quotes.
    pub(super) fn number(&self, cx: &mut Context<'_>, least: u32) -> Option<Spanned<u32>> {
        let number = match self.scalar().map(|scalar| (scalar, scalar.shape())) {
            Some((_, Shape::Integer(number))) => u32::try_from(number).ok(),
            Some((scalar, Shape::Text)) => scalar.text.parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| *number >= least);
        if number.is_none() {
            self.wrong_value(cx, &format!("a whole number from {least} on"));
        }
        super::spanned(number, &self.node.span)
    }

    /// A scalar that is not what is expected is an invalid value; anything else has the wrong type.
    pub(super) fn wrong_value(&self, cx: &mut Context<'_>, expected: &str) {
        if self.scalar().is_some() && !self.node.is_null() {
            self.invalid(cx, expected);
        } else {
            self.wrong_type(cx, expected);
        }
    }

    pub(super) fn duration(&self, cx: &mut Context<'_>) -> Option<Spanned<std::time::Duration>> {
        let duration =
            self.scalar().filter(|s| s.shape() == Shape::Text).and_then(|s| units::duration(&s.text));
        if duration.is_none() {
            self.wrong_value(cx, "a duration with its unit, such as `30s` or `1m30s`");
        }
        super::spanned(duration, &self.node.span)
    }

    /// The items of a list; something else is reported and gives none.
    pub(super) fn items(&self, cx: &mut Context<'_>) -> Vec<At<'n>> {
        match &self.node.kind {
            Kind::Sequence(items) => self.each(items),
            _ => {
                self.wrong_type(cx, "a list");
                Vec::new()
            }
        }
    }

    pub(super) fn each(&self, items: &'n [Node]) -> Vec<At<'n>> {
        let place =
            |(index, node): (usize, &'n Node)| At { node, key: &node.span, path: self.path.index(index) };
        items.iter().enumerate().map(place).collect()
    }

    /// The entries of a mapping whose keys are names.
    pub(super) fn entries(&self, cx: &mut Context<'_>) -> Vec<(&'n Spanned<String>, At<'n>)> {
        match &self.node.kind {
            Kind::Mapping(entries) => entries.iter().map(|entry| (&entry.key, self.below(entry))).collect(),
            _ => {
                self.wrong_type(cx, "a mapping");
                Vec::new()
            }
        }
    }

    pub(super) fn below(&self, entry: &'n Entry) -> At<'n> {
        At { node: &entry.value, key: &entry.key.span, path: self.path.key(&entry.key.value) }
    }

    /// The keys of a mapping that the specification gives a meaning.
    pub(super) fn fields(&self, cx: &mut Context<'_>, known: &'static [&'static str]) -> Option<Fields<'n>> {
        match &self.node.kind {
            Kind::Mapping(entries) => Some(Fields {
                at: self.clone(),
                known,
                left: entries.iter().map(|entry| (entry, false)).collect(),
            }),
            _ => {
                self.wrong_type(cx, "a mapping");
                None
            }
        }
    }
}

/// The keys of one mapping. Every key is taken, or [`Fields::finish`] reports it.
pub(super) struct Fields<'n> {
    pub(super) at: At<'n>,
    known: &'static [&'static str],
    left: Vec<(&'n Entry, bool)>,
}

impl<'n> Fields<'n> {
    /// Takes a key.
    pub(super) fn take(&mut self, key: &str) -> Option<At<'n>> {
        let (entry, taken) = self.left.iter_mut().find(|(entry, _)| entry.key.value == key)?;
        *taken = true;
        Some(self.at.below(entry))
    }

    /// Takes a key that must be there.
    pub(super) fn require(&mut self, cx: &mut Context<'_>, key: &str) -> Option<At<'n>> {
        let found = self.take(key);
        if found.is_none() {
            let message = format!("{} lacks the key `{key}`", shown(&self.at.name()));
            cx.report(self.at.finding(&codes::MISSING_KEY, message));
        }
        found
    }

    /// Takes a key without effect here and says so.
    pub(super) fn ignore(&mut self, cx: &mut Context<'_>, key: &str, why: &str) {
        if let Some(at) = self.take(key) {
            let finding = Diagnostic::new(&codes::IGNORED_KEY, format!("`{key}` has no effect: {why}"));
            cx.report(finding.at(at.key).path(&at.path));
        }
    }

    /// Reports what nobody took.
    pub(super) fn finish(self, cx: &mut Context<'_>) {
        for (entry, _) in self.left.iter().filter(|(_, taken)| !taken) {
            let key = entry.key.value.as_str();
            if let Some(finding) = self.leftover(key, cx.diagnostics.has_room(Severity::Error)) {
                cx.report(finding.at(&entry.key.span).path(self.at.path.key(key)));
            }
        }
    }

    /// `wanted`: whether the finding will be shown, so that looking for a suggestion is worth it.
    fn leftover(&self, key: &str, wanted: bool) -> Option<Diagnostic> {
        if key == "x-kompox" {
            let help = "remove it; other extensions, with keys that begin with `x-`, are ignored";
            return Some(
                Diagnostic::new(&codes::UNSUPPORTED_KEY, "the extension `x-kompox` is not supported yet")
                    .help(help),
            );
        }
        if key.starts_with("x-") {
            return None;
        }
        if self.known.contains(&key) {
            let help = "remove the key if the application can do without it";
            let message = format!("the key `{key}` is not supported yet");
            return Some(Diagnostic::new(&codes::UNSUPPORTED_KEY, message).help(help));
        }
        let finding = Diagnostic::new(&codes::UNKNOWN_KEY, format!("unknown key {}", shown(key)));
        let foreign = keys::FOREIGN.iter().find(|(word, _)| *word == key).map(|(_, help)| (*help).to_owned());
        let near = || suggest::nearest(key, self.known.iter().copied().filter(|_| wanted));
        let near = || near().map(|near| format!("did you mean `{near}`?"));
        Some(match foreign.or_else(near) {
            Some(help) => finding.help(help),
            None => finding.help("extensions of your own begin with `x-`"),
        })
    }
}
