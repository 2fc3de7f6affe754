//! Circles of dependencies between services.

use std::collections::{BTreeMap, BTreeSet};

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::text::shown;
use crate::yaml::{Entry, Node};

/// Most services of a circle that are named.
const MAX_CIRCLE: usize = 10;

/// Reports a circle if there is one.
///
/// Removes services without open dependencies until none is left, or only circles and what hangs on them.
pub(crate) fn check(root: &Node, disabled: &BTreeSet<String>, diagnostics: &mut Diagnostics) {
    let services: BTreeMap<&str, &Entry> = root
        .get("services")
        .map(Node::entries)
        .unwrap_or_default()
        .iter()
        .filter(|entry| !disabled.contains(&entry.key.value))
        .map(|entry| (entry.key.value.as_str(), entry))
        .collect();
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    let mut dependents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, service) in &services {
        let open: Vec<&str> =
            dependencies(service).map(|(name, _)| name).filter(|name| services.contains_key(name)).collect();
        waiting.insert(name, open.len());
        for dependency in open {
            dependents.entry(dependency).or_default().push(name);
        }
    }
    let mut ready: Vec<&str> =
        waiting.iter().filter(|(_, open)| **open == 0).map(|(name, _)| *name).collect();
    while let Some(name) = ready.pop() {
        waiting.remove(name);
        for dependent in dependents.get(name).into_iter().flatten() {
            if let Some(open) = waiting.get_mut(dependent) {
                *open -= 1;
                if *open == 0 {
                    ready.push(dependent);
                }
            }
        }
    }
    if let Some(circle) = circle(&services, &waiting) {
        diagnostics.push(circle);
    }
}

fn dependencies<'n>(service: &&'n Entry) -> impl Iterator<Item = (&'n str, &'n Entry)> + use<'n> {
    let depends_on = service.value.get("depends_on").map(Node::entries).unwrap_or_default();
    depends_on.iter().map(|entry| (entry.key.value.as_str(), entry))
}

/// Every service that still waits leads into a circle: walk until a name comes again.
fn circle(services: &BTreeMap<&str, &Entry>, waiting: &BTreeMap<&str, usize>) -> Option<Diagnostic> {
    let mut walked: Vec<&str> = Vec::new();
    let mut position: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut name, _) = waiting.first_key_value()?;
    loop {
        if let Some(&start) = position.get(name) {
            let members = walked.get(start..)?;
            let service = services.get(name)?;
            let (_, entry) = dependencies(service).find(|(name, _)| members.contains(name))?;
            let mut names: Vec<String> = members.iter().map(|name| shown(name)).collect();
            let more = names.len().saturating_sub(MAX_CIRCLE);
            names.truncate(MAX_CIRCLE);
            if more > 0 {
                names.push(format!("{more} more"));
            }
            names.push(shown(name));
            let message = format!("services depend on each other in a circle: {}", names.join(" → "));
            let path = format!("services.{name}.depends_on");
            let finding = Diagnostic::new(&codes::DEPENDENCY_CYCLE, message).at(&entry.key.span).path(path);
            return Some(finding.help("remove one of these dependencies"));
        }
        position.insert(name, walked.len());
        walked.push(name);
        let (next, _) = dependencies(services.get(name)?).find(|(next, _)| waiting.contains_key(next))?;
        name = waiting.get_key_value(next)?.0;
    }
}
