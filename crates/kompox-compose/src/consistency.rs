//! Rules between the parts of a project, on the canonical tree: what the reference checks after loading.

mod services;

use std::collections::{BTreeMap, BTreeSet};

use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::text::shown;
use crate::yaml::{Entry, Kind, Node};

/// The project under test.
pub(crate) struct Checked<'a> {
    root: &'a Node,
    /// The names of each top-level section.
    declared: BTreeMap<&'a str, BTreeSet<&'a str>>,
    disabled: &'a BTreeSet<String>,
    diagnostics: &'a mut Diagnostics,
}

/// Reports every broken rule.
pub(crate) fn check(root: &Node, disabled: &BTreeSet<String>, diagnostics: &mut Diagnostics) {
    let declared =
        root.entries().iter().map(|entry| (entry.key.value.as_str(), keys(&entry.value))).collect();
    let mut checked = Checked { root, declared, disabled, diagnostics };
    for entry in root.get("services").map(Node::entries).into_iter().flatten() {
        // Anything but a mapping has been reported.
        if !disabled.contains(&entry.key.value) && matches!(entry.value.kind, Kind::Mapping(_)) {
            checked.service(entry);
        }
    }
    checked.resources();
    crate::cycles::check(root, disabled, checked.diagnostics);
}

impl<'a> Checked<'a> {
    fn resources(&mut self) {
        let root = self.root;
        for (section, sources) in
            [("configs", &["file", "environment", "content"][..]), ("secrets", &["file", "environment"][..])]
        {
            for entry in root.get(section).map(Node::entries).into_iter().flatten() {
                self.content(section, sources, entry);
            }
        }
        for entry in root.get("volumes").map(Node::entries).into_iter().flatten() {
            let resource = &entry.value;
            let own = |key: &str| matches!(key, "name" | "external") || key.starts_with("x-");
            let foreign = resource.entries().iter().find(|entry| !own(&entry.key.value));
            if let (true, Some(foreign)) = (is_true(resource.get("external")), foreign) {
                let message = format!(
                    "the volume {} is external, so {} cannot be set here",
                    shown(&entry.key.value),
                    shown(&foreign.key.value)
                );
                let path = format!("volumes.{}.{}", entry.key.value, foreign.key.value);
                self.push(
                    &codes::INVALID_VALUE,
                    &foreign.key.span,
                    path,
                    message,
                    "remove one of the two keys",
                );
            }
        }
    }

    fn content(&mut self, section: &str, sources: &[&str], entry: &Entry) {
        let resource = &entry.value;
        if !matches!(resource.kind, Kind::Mapping(_)) {
            return;
        }
        let given = sources.iter().filter(|source| resource.get(source).is_some()).count();
        let elsewhere = resource.get("driver").is_some() || is_true(resource.get("external"));
        let (path, name) = (format!("{section}.{}", entry.key.value), shown(&entry.key.value));
        let help = format!("give exactly one of {}", sources.join(", "));
        if given > 1 {
            let message = format!("{name} has more than one source for its content");
            self.push(&codes::INVALID_VALUE, &entry.key.span, path, message, &help);
        } else if given == 0 && !elsewhere {
            let message = format!("{name} has no source for its content");
            self.push(&codes::MISSING_KEY, &entry.key.span, path, message, &help);
        }
    }

    fn push(&mut self, code: &'static Code, span: &crate::Span, path: String, message: String, help: &str) {
        self.diagnostics.push(Diagnostic::new(code, message).at(span).path(path).help(help));
    }

    /// Whether a top-level section declares a name.
    fn declares(&self, section: &str, name: &str) -> bool {
        // A section that is no mapping has been reported.
        let declared = self.declared.get(section).is_some_and(|names| names.contains(name));
        declared || self.root.get(section).is_some_and(|section| !matches!(section.kind, Kind::Mapping(_)))
    }
}

fn keys(node: &Node) -> BTreeSet<&str> {
    node.entries().iter().map(|entry| entry.key.value.as_str()).collect()
}

fn is_true(node: Option<&Node>) -> bool {
    node.and_then(Node::printed).as_deref() == Some("true")
}
