//! One file's tree into canonical form: every key known, every value of its type, short forms made long.
//!
//! Nothing is filled in here and nothing is compared between keys: the tree may be a part that another file
//! completes. Values marked `!reset` are left alone, they are on their way out.

mod lists;
mod mounts;
mod ports;
mod scalars;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::path::Path;
use crate::schema::{Keys, ROOT, Short, Type};
use crate::severity::Severity;
use crate::span::{Span, Spanned};
use crate::suggest;
use crate::text::shown;
use crate::yaml::{Entry, Kind, Mark, Node, Scalar, Shape};

/// Brings the tree of a file into canonical form, and reports what is not in it by the specification.
pub(crate) fn file(root: &mut Node, mode: Mode, diagnostics: &mut Diagnostics, budget: &mut usize) {
    let span = root.span.clone();
    let mut settler = Settler { diagnostics, budget, mode };
    settler.object(&ROOT, root, &span, &Path::default());
}

/// How strictly strings are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Variables have been replaced.
    Interpolated,
    /// Strings may hold `${…}`: those that do are kept as they are written.
    Raw,
}

struct Settler<'a> {
    diagnostics: &'a mut Diagnostics,
    /// What is left of [`crate::limits::MAX_PRODUCED_BYTES`].
    budget: &'a mut usize,
    mode: Mode,
}

/// A place: the key that holds the value (the value itself for items), and its path.
type At<'s> = (&'s Span, &'s Path);

impl Settler<'_> {
    fn value(&mut self, ty: &'static Type, node: &mut Node, key: &Span, path: &Path) {
        if node.mark == Some(Mark::Reset) || self.open(node) {
            return;
        }
        match ty {
            Type::Any => {}
            Type::Object(keys) | Type::Struct(keys) => self.object(keys, node, key, path),
            Type::Nullable(keys) => {
                if !node.is_null() {
                    self.object(keys, node, key, path);
                }
            }
            Type::Long(keys, short) => self.long(keys, *short, node, (key, path)),
            Type::List(item, _) => self.list(item, node, (key, path)),
            Type::Named(item) => self.named(item, node, (key, path)),
            Type::Listed(item, short) => self.listed(item, *short, node, (key, path)),
            Type::Ports => self.ports(node, (key, path)),
            Type::Gpus => self.gpus(node, (key, path)),
            Type::External => self.external(node, (key, path)),
            Type::Ulimit => self.ulimit(node, (key, path)),
            Type::Labels | Type::Environment => self.key_values(ty, node, (key, path)),
            Type::Options | Type::MultiOptions => self.options(ty, node, (key, path)),
            Type::Hosts => self.hosts(node, (key, path)),
            Type::Command | Type::Test => self.words(ty, node, (key, path)),
            Type::Texts => self.texts(node, (key, path)),
            _ => self.scalar(ty, node, (key, path)),
        }
    }

    /// Whether the value still holds variables and cannot be judged.
    fn open(&self, node: &Node) -> bool {
        self.mode == Mode::Raw && node.as_text().is_some_and(|text| text.contains('$'))
    }

    fn object(&mut self, keys: &'static Keys, node: &mut Node, key: &Span, path: &Path) {
        if !matches!(node.kind, Kind::Mapping(_)) {
            return self.wrong_type(node, (key, path), "a mapping");
        }
        for entry in node.entries_mut().into_iter().flatten() {
            let name = entry.key.value.as_str();
            if keys.open && name.starts_with("x-") {
                continue;
            }
            let at = path.key(name);
            match keys.get(name) {
                Some(ty) => self.value(ty, &mut entry.value, &entry.key.span, &at),
                None => self.unknown(keys, &entry.key, &at),
            }
        }
    }

    fn unknown(&mut self, keys: &'static Keys, key: &Spanned<String>, path: &Path) {
        let finding = Diagnostic::new(&codes::UNKNOWN_KEY, format!("unknown key {}", shown(&key.value)));
        let wanted = self.diagnostics.has_room(Severity::Error);
        let foreign = crate::decode::FOREIGN.iter().find(|(word, _)| *word == key.value);
        let near = || {
            let known = keys.all().into_iter().map(|(known, _)| *known);
            let near = wanted.then(|| suggest::nearest(&key.value, known)).flatten();
            near.map(|near| format!("did you mean `{near}`?"))
        };
        let help = foreign.map(|(_, help)| (*help).to_owned()).or_else(near);
        let help = help.unwrap_or_else(|| "extensions of your own begin with `x-`".to_owned());
        self.diagnostics.push(finding.help(help).at(&key.span).path(path));
    }

    fn named(&mut self, item: &'static Type, node: &mut Node, at: At<'_>) {
        if !matches!(node.kind, Kind::Mapping(_)) {
            return self.wrong_type(node, at, "a mapping");
        }
        for entry in node.entries_mut().into_iter().flatten() {
            let path = at.1.key(&entry.key.value);
            let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            if entry.key.value.is_empty() || !entry.key.value.chars().all(named) {
                let message = format!("{} is no name", shown(&entry.key.value));
                let finding = Diagnostic::new(&codes::INVALID_VALUE, message).at(&entry.key.span).path(&path);
                self.diagnostics.push(finding.help("use letters, digits, `.`, `_` and `-`"));
            }
            self.value(item, &mut entry.value, &entry.key.span, &path);
        }
    }

    /// A mapping from names, or a list of names that stand for a default.
    fn listed(&mut self, item: &'static Type, short: Short, node: &mut Node, at: At<'_>) {
        if let Kind::Sequence(items) = &node.kind {
            let mut entries: Vec<Entry> = Vec::new();
            let mut known = BTreeSet::new();
            for (index, name) in items.iter().enumerate() {
                let Some(text) = name.as_text() else {
                    self.wrong_type(name, (&name.span, &at.1.index(index)), "a string");
                    continue;
                };
                let value = match short {
                    Short::Dependency => dependency(name),
                    _ => Node::plain(&name.span, "null").filled(),
                };
                if known.insert(text) {
                    entries.push(Entry { key: Spanned::new(text.to_owned(), name.span.clone()), value });
                }
            }
            node.kind = Kind::Mapping(entries);
        } else if matches!(node.kind, Kind::Mapping(_)) {
            self.named(item, node, at);
        } else {
            self.wrong_type(node, at, "a list or a mapping");
        }
    }

    fn list(&mut self, item: &'static Type, node: &mut Node, at: At<'_>) {
        let single = matches!(item, Type::Long(_, Short::Key("path")));
        if single && node.as_text().is_some() && !at.1.is("include") {
            let only = Node { mark: None, ..node.clone() };
            node.kind = Kind::Sequence(vec![only]);
        }
        let Kind::Sequence(items) = &mut node.kind else {
            return self.wrong_type(node, at, "a list");
        };
        items.retain(|item| item.mark != Some(Mark::Reset));
        for (index, entry) in items.iter_mut().enumerate() {
            let span = entry.span.clone();
            self.value(item, entry, &span, &at.1.index(index));
        }
    }

    fn long(&mut self, keys: &'static Keys, short: Short, node: &mut Node, at: At<'_>) {
        let Some(text) = node.as_text() else {
            if matches!(node.kind, Kind::Mapping(_)) {
                return self.object(keys, node, at.0, at.1);
            }
            return self.wrong_type(node, at, "a string or a mapping");
        };
        let text = text.to_owned();
        match short {
            Short::Key(name) => {
                let value = Node { mark: None, ..node.clone() };
                node.kind = mapping([(name, value)], &node.span);
                if let (Some(ty), Some(value)) = (keys.get(name), node.get_mut(name)) {
                    self.value(ty, value, at.0, at.1);
                }
            }
            Short::Volume => self.volume(&text, node, at),
            Short::Device => self.device(&text, node, at),
            Short::Null | Short::Dependency => {}
        }
    }

    fn finding(&self, code: &'static Code, node: &Node, at: At<'_>, message: String) -> Diagnostic {
        let at_key = node.is_null() || !matches!(node.kind, Kind::Scalar(_));
        let span = if at_key { at.0 } else { &node.span };
        Diagnostic::new(code, message).at(span).path(at.1)
    }

    fn wrong_type(&mut self, node: &Node, at: At<'_>, expected: &str) {
        let message = format!("{} must be {expected}, not {}", shown(&at.1.name()), node.type_name());
        let finding = self.finding(&codes::WRONG_TYPE, node, at, message);
        let quotable =
            matches!(&node.kind, Kind::Scalar(s) if !matches!(s.shape(), Shape::Null | Shape::Text));
        let help = quotable && expected.contains("string");
        self.diagnostics.push(if help { finding.help("put it in quotes") } else { finding });
    }

    /// Reports a value that makes no sense. Its text is shown only when it cannot hold a variable's value.
    fn invalid(&mut self, node: &Node, at: At<'_>, expected: &str) {
        let message = match &node.kind {
            Kind::Scalar(Scalar { substituted: false, text, .. }) => {
                format!("{} is no valid value of {}", shown(text), shown(&at.1.name()))
            }
            _ => format!("the value of {} is not valid", shown(&at.1.name())),
        };
        let finding = self.finding(&codes::INVALID_VALUE, node, at, message);
        self.diagnostics.push(finding.help(format!("write {expected}")));
    }
}

/// A mapping whose keys all have the same place.
fn mapping<const N: usize>(entries: [(&str, Node); N], span: &Span) -> Kind {
    let entry = |(key, value): (&str, Node)| Entry { key: Spanned::new(key.to_owned(), span.clone()), value };
    Kind::Mapping(entries.into_iter().map(entry).collect())
}

/// What a name in a list of dependencies stands for.
fn dependency(name: &Node) -> Node {
    let condition = Node::text(&name.span, "service_started").filled();
    let required = Node::plain(&name.span, "true").filled();
    Node::new(name.span.clone(), mapping([("condition", condition), ("required", required)], &name.span))
}
