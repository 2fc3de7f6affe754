//! `include`: other projects whose resources become a part of this one.
//!
//! <https://github.com/compose-spec/compose-spec/blob/main/14-include.md>

use std::collections::BTreeMap;

use super::{Loader, Source, over, relocate};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::dotenv;
use crate::merge::{merge, settle_marks};
use crate::path::Path;
use crate::paths;
use crate::schema::{ROOT, Type};
use crate::text::shown;
use crate::yaml::{Kind, Node};

const SECTIONS: [&str; 7] = ["services", "jobs", "volumes", "networks", "secrets", "configs", "models"];

impl Loader<'_> {
    /// Adds what the file includes; the file's own values win.
    pub(super) fn includes(&mut self, tree: &mut Node, source: &Source<'_>, including: &mut Vec<String>) {
        let Some(includes) = tree.remove("include").map(|entry| entry.value) else { return };
        for (index, include) in includes.items().iter().enumerate() {
            let path = Path::default().key("include").index(index);
            if let Some(included) = self.included(include, source, including, &path) {
                import(tree, included);
            }
        }
    }

    fn included(
        &mut self,
        include: &Node,
        source: &Source<'_>,
        including: &mut Vec<String>,
        path: &Path,
    ) -> Option<Node> {
        let files = include.get("path").map(Node::items).unwrap_or_default();
        let first = files.first().and_then(Node::as_text)?;
        let directory =
            match include.get("project_directory").and_then(Node::as_text).filter(|d| !d.is_empty()) {
                Some(directory) => paths::join(source.directory, directory),
                None => paths::directory(&paths::join(source.directory, first)),
            };
        let environment = self.environment(include, &directory, source, path)?;
        let mut whole: Option<Node> = None;
        for file in files {
            let written = file.as_text()?;
            let name = if paths::is_remote(written) {
                written.to_owned()
            } else {
                paths::join(source.directory, written)
            };
            if including.iter().any(|earlier| paths::clean(earlier) == name) {
                let message = format!("{} includes itself", shown(&name));
                self.diagnostics
                    .push(Diagnostic::new(&codes::DEPENDENCY_CYCLE, message).at(&file.span).path(path));
                return None;
            }
            let text = self.read_compose(&name, file, path)?;
            let other = Source { name: &name, text: &text, directory: &directory, environment: &environment };
            let tree = self.file(&other, including)?;
            whole = Some(over(whole, tree));
        }
        let mut whole = whole?;
        settle_marks(&mut whole);
        relocate::tree(&mut whole, &directory);
        Some(whole)
    }

    /// The variables of an included project: those of this one, then its environment files'.
    fn environment(
        &mut self,
        include: &Node,
        directory: &str,
        source: &Source<'_>,
        path: &Path,
    ) -> Option<BTreeMap<String, String>> {
        let mut environment = source.environment.clone();
        let Some(files) = include.get("env_file").map(Node::items).filter(|files| !files.is_empty()) else {
            let own = paths::join(directory, ".env");
            if let Ok(text) = self.input.provider.read(&own) {
                self.variables(&text, &own, &mut environment)?;
            }
            return Some(environment);
        };
        for file in files {
            let written = file.as_text()?;
            if written != "/dev/null" {
                let name = paths::join(source.directory, written);
                let text = self.read(&name, file, path)?;
                self.variables(&text, &name, &mut environment)?;
            }
        }
        Some(environment)
    }

    fn variables(
        &mut self,
        text: &str,
        name: &str,
        environment: &mut BTreeMap<String, String>,
    ) -> Option<()> {
        match dotenv::parse(text, name, dotenv::Format::Compose, &|name| environment.get(name).cloned()) {
            Ok(variables) => {
                for (name, value) in variables {
                    environment.entry(name).or_insert(value);
                }
                Some(())
            }
            Err(findings) => {
                findings.into_iter().for_each(|finding| self.diagnostics.push(finding));
                None
            }
        }
    }
}

/// Adds resources to a file; one that both have is the included one with the file's own values over it.
fn import(tree: &mut Node, mut included: Node) {
    for section in SECTIONS {
        let Some(Type::Named(ty)) = ROOT.get(section) else { continue };
        let Some(from) = included.remove(section) else { continue };
        if tree.get(section).is_none() {
            tree.set(section, Node::new(from.value.span.clone(), Kind::Mapping(Vec::new())));
        }
        let Some(to) = tree.get_mut(section).and_then(Node::entries_mut) else { continue };
        let Kind::Mapping(entries) = from.value.kind else { continue };
        let places = to.iter().enumerate().map(|(place, entry)| (entry.key.value.clone(), place));
        let places: BTreeMap<String, usize> = places.collect();
        for mut entry in entries {
            match places.get(&entry.key.value).and_then(|&place| to.get_mut(place)) {
                Some(own) if entry.value.same(&own.value) => {}
                Some(own) => {
                    merge(ty, &mut entry.value, own.value.clone());
                    own.value = entry.value;
                }
                None => to.push(entry),
            }
        }
    }
}
