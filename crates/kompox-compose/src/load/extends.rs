//! `extends`: a service that begins as a copy of another one.
//!
//! <https://github.com/compose-spec/compose-spec/blob/main/05-services.md#extends>

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Loader, Source, over, relocate};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::merge::merge;
use crate::path::Path;
use crate::paths;
use crate::schema::{ROOT, Type};
use crate::text::shown;
use crate::yaml::{Entry, Kind, Node};

/// Longest chain of services that extend one another.
const MAX_CHAIN: usize = 64;

/// Services by name.
pub(super) type Services = BTreeMap<String, Node>;

fn by_name(services: Node) -> Services {
    let Kind::Mapping(entries) = services.kind else { return Services::new() };
    entries.into_iter().map(|entry| (entry.key.value, entry.value)).collect()
}

/// Where services are looked up.
struct Scope<'s> {
    services: &'s Services,
    file: &'s str,
    source: &'s Source<'s>,
}

impl Loader<'_> {
    /// Resolves `extends` of every service of the file.
    pub(super) fn extended(&mut self, tree: &mut Node, source: &Source<'_>) {
        for section in ["services", "jobs"] {
            let Some(tree) = tree.get_mut(section) else { continue };
            let extends = |entry: &Entry| entry.value.get("extends").is_some();
            if !tree.entries().iter().any(extends) {
                continue;
            }
            let services = by_name(tree.clone());
            let scope = Scope { services: &services, file: source.name, source };
            for entry in tree.entries_mut().into_iter().flatten().filter(|entry| extends(entry)) {
                let path = Path::default().key(section).key(&entry.key.value).key("extends");
                if let Some(service) = self.resolve(&scope, &entry.key.value, &path, &mut Vec::new()) {
                    entry.value = service;
                }
            }
        }
    }

    fn resolve(
        &mut self,
        scope: &Scope<'_>,
        name: &str,
        path: &Path,
        chain: &mut Vec<(String, String)>,
    ) -> Option<Node> {
        let written = scope.services.get(name)?;
        if !self.afford(written) {
            return None;
        }
        let mut service = written.clone();
        let Some(extends) = service.remove("extends").map(|entry| entry.value) else { return Some(service) };
        let link = (scope.file.to_owned(), name.to_owned());
        if chain.contains(&link) || chain.len() >= MAX_CHAIN {
            self.circle(&extends, path, chain);
            return None;
        }
        chain.push(link);
        let base = self.base(scope, &extends, path, chain);
        chain.pop();
        let mut merged = base?;
        if let Some(Type::Named(ty)) = ROOT.get("services") {
            merge(ty, &mut merged, service);
        }
        Some(merged)
    }

    /// The service that another one begins with.
    fn base(
        &mut self,
        scope: &Scope<'_>,
        extends: &Node,
        path: &Path,
        chain: &mut Vec<(String, String)>,
    ) -> Option<Node> {
        let reference = extends.get("service")?;
        let name = reference.as_text()?;
        let Some(file) = extends.get("file").and_then(|file| Some((file, file.as_text()?))) else {
            if scope.services.get(name).is_none() {
                self.absent(reference, name, scope.file, path);
            }
            return self.resolve(scope, name, path, chain);
        };
        let (node, file) = file;
        let services = self.services_of(file, node, scope.source, path)?;
        if services.get(name).is_none() {
            self.absent(reference, name, file, path);
        }
        let directory = paths::directory(file);
        let source = Source { directory: &directory, ..*scope.source };
        let scope = Scope { services: &services, file, source: &source };
        self.resolve(&scope, name, path, chain)
    }

    /// The services of another file, their paths relative to the project.
    fn services_of(
        &mut self,
        file: &str,
        node: &Node,
        source: &Source<'_>,
        path: &Path,
    ) -> Option<Rc<Services>> {
        let key = paths::clean(file);
        if let Some(known) = self.bases.get(&key) {
            return Some(Rc::clone(known));
        }
        let text = self.read_compose(file, node, path)?;
        let directory = paths::directory(file);
        let other =
            Source { name: file, text: &text, directory: &directory, environment: source.environment };
        let mut tree =
            self.documents(&other)?.into_iter().fold(None, |whole, tree| Some(over(whole, tree)))?;
        relocate::tree(&mut tree, &directory);
        let Some(services) = tree.remove("services").map(|entry| entry.value) else {
            let message = format!("{} has no services to extend", shown(file));
            self.diagnostics
                .push(Diagnostic::new(&codes::UNDEFINED_SERVICE, message).at(&node.span).path(path));
            return None;
        };
        let services = Rc::new(by_name(services));
        self.bases.insert(key, Rc::clone(&services));
        Some(services)
    }

    fn absent(&mut self, reference: &Node, name: &str, file: &str, path: &Path) {
        let message = format!("there is no service {} in {} to extend", shown(name), shown(file));
        self.diagnostics
            .push(Diagnostic::new(&codes::UNDEFINED_SERVICE, message).at(&reference.span).path(path));
    }

    fn circle(&mut self, extends: &Node, path: &Path, chain: &[(String, String)]) {
        let names: Vec<String> = chain.iter().take(10).map(|(_, name)| shown(name)).collect();
        let message = format!("services extend each other in a circle: {}", names.join(" → "));
        self.diagnostics
            .push(Diagnostic::new(&codes::DEPENDENCY_CYCLE, message).at(&extends.span).path(path));
    }
}
