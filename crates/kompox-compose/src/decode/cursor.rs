//! A value with its place, and the taking of keys from a mapping so that none is left unseen.

use super::{Context, keys};
use crate::codes::{self, Code};
use crate::diagnostic::Diagnostic;
use crate::path::Path;
use crate::severity::Severity;
use crate::span::{Span, Spanned};
use crate::suggest;
use crate::text::shown;
use crate::units;
use crate::yaml::{Entry, Kind, Node, Origin, Scalar, Shape};

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

    /// A string; an empty one or null is as none, as in the reference.
    pub(super) fn word(&self, cx: &mut Context<'_>) -> Option<Spanned<String>> {
        if self.node.is_null() || self.node.is_empty_text() {
            return None;
        }
        self.text(cx)
    }

    /// A string, or a number as it is printed.
    pub(super) fn printed(&self, cx: &mut Context<'_>) -> Option<Spanned<String>> {
        let text = match self.scalar().map(|scalar| (scalar, scalar.shape())) {
            Some((scalar, Shape::Text | Shape::Integer(_) | Shape::Float(_))) => scalar.printed(),
            _ => {
                self.wrong_type(cx, "a string or a number");
                None
            }
        };
        super::spanned(text.filter(|text| !text.is_empty()), &self.node.span)
    }

    /// A whole number of at least `least`, also in quotes.
    pub(super) fn integer(&self, cx: &mut Context<'_>, least: i64) -> Option<Spanned<i64>> {
        let number = match self.scalar().map(|scalar| (scalar, scalar.shape())) {
            Some((_, Shape::Integer(number))) => i64::try_from(number).ok(),
            Some((_, Shape::Float(number))) => whole(number),
            Some((scalar, Shape::Text)) => scalar.text.parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| *number >= least);
        if number.is_none() {
            self.wrong_value(cx, &format!("a whole number from {least} on"));
        }
        super::spanned(number, &self.node.span)
    }

    /// A size in bytes: a number, or a text such as `64m`.
    pub(super) fn size(&self, cx: &mut Context<'_>) -> Option<Spanned<u64>> {
        let size = match self.scalar().map(|scalar| (scalar, scalar.shape())) {
            Some((_, Shape::Integer(number))) => u64::try_from(number).ok(),
            Some((scalar, Shape::Text)) => units::bytes(&scalar.text),
            _ => None,
        };
        if size.is_none() {
            self.wrong_value(cx, "a size such as `64m`");
        }
        super::spanned(size, &self.node.span)
    }

    /// Reports an invalid word below a key of this mapping.
    pub(super) fn finding_below(&self, cx: &mut Context<'_>, key: &str, expected: &str) {
        if let Kind::Mapping(entries) = &self.node.kind
            && let Some(entry) = entries.iter().find(|entry| entry.key.value == key)
        {
            self.below(entry).invalid(cx, expected);
        }
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

    /// The keys of a mapping that may be left empty.
    pub(super) fn optional_fields(
        &self,
        cx: &mut Context<'_>,
        known: &'static [&'static str],
    ) -> Option<Fields<'n>> {
        if self.node.is_null() { None } else { self.fields(cx, known) }
    }

    /// The keys of a mapping in which extensions have no place either.
    pub(super) fn strict_fields(
        &self,
        cx: &mut Context<'_>,
        known: &'static [&'static str],
    ) -> Option<Fields<'n>> {
        let fields = self.optional_fields(cx, known)?;
        for (entry, _) in fields.left.iter().filter(|(entry, _)| entry.key.value.starts_with("x-")) {
            let message = format!("unknown key {}", shown(&entry.key.value));
            let finding = Diagnostic::new(&codes::UNKNOWN_KEY, message).at(&entry.key.span);
            cx.report(finding.path(self.path.key(&entry.key.value)));
        }
        Some(fields)
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

    /// The value of a key, which stays to be taken.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.left.iter().find(|(entry, _)| entry.key.value == key).map(|(entry, _)| &entry.value)
    }

    /// A value some keys further down, which stays to be taken.
    pub(super) fn at_path(&self, keys: &[&str]) -> Option<At<'n>> {
        let mut at = self.at.clone();
        for key in keys {
            let Kind::Mapping(entries) = &at.node.kind else { return None };
            let entry = entries.iter().find(|entry| entry.key.value == *key)?;
            at = at.below(entry);
        }
        Some(at)
    }

    /// Takes a string; an empty one is as none.
    pub(super) fn word(&mut self, cx: &mut Context<'_>, key: &str) -> Option<Spanned<String>> {
        self.take(key).and_then(|at| at.word(cx))
    }

    /// Takes a key whose value the file gives.
    pub(super) fn written(&mut self, key: &str) -> Option<At<'n>> {
        self.take(key).filter(|at| at.node.origin == Origin::Written)
    }

    /// Takes a string that the file gives: a default that reading filled in is as none.
    pub(super) fn written_word(&mut self, cx: &mut Context<'_>, key: &str) -> Option<Spanned<String>> {
        self.written(key).and_then(|at| at.word(cx))
    }

    /// Takes a string or a number, as it is printed.
    pub(super) fn printed(&mut self, cx: &mut Context<'_>, key: &str) -> Option<Spanned<String>> {
        self.take(key).and_then(|at| at.printed(cx))
    }

    /// Takes a boolean.
    pub(super) fn flag(&mut self, cx: &mut Context<'_>, key: &str) -> Option<Spanned<bool>> {
        self.take(key).filter(|at| !at.node.is_null()).and_then(|at| at.boolean(cx))
    }

    /// Takes a whole number of at least `least`.
    pub(super) fn integer(&mut self, cx: &mut Context<'_>, key: &str, least: i64) -> Option<Spanned<i64>> {
        self.take(key).and_then(|at| at.integer(cx, least))
    }

    /// Takes a whole number from 0 on.
    pub(super) fn count(&mut self, cx: &mut Context<'_>, key: &str) -> Option<Spanned<u64>> {
        self.integer(cx, key, 0).map(|number| number.map(i64::unsigned_abs))
    }

    /// Reports keys that mean nothing. A key that is known and not taken decides nothing in a cluster: it is
    /// a leaf of the model, and the conversion says what becomes of it.
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
            let help =
                "move it to the service; other extensions, with keys that begin with `x-`, are ignored";
            return Some(
                Diagnostic::new(&codes::UNKNOWN_KEY, "the extension `x-kompox` means nothing here")
                    .help(help),
            );
        }
        if key.starts_with("x-") || self.known.contains(&key) {
            return None;
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

/// A number without a fraction, such as `1e3`, that is small enough to be exact.
fn whole(number: f64) -> Option<i64> {
    let text = format!("{number}");
    if number.abs() < 9e15 { text.parse().ok() } else { None }
}
