//! Names of services that Kubernetes cannot carry: with `spec.compose.serviceNames: Rename` they get
//! another one, and everything that refers to them follows. Values of variables are never touched.

use super::Findings;
use crate::app::codes;
use crate::naming::{MAX_LABEL, PUBLISH_SUFFIX, is_service_name, slug};
use kompox_compose::model::{NetworkMode, Service, SharedNamespace};
use kompox_compose::{Diagnostic, Project, Spanned};
use secrecy::ExposeSecret as _;
use std::collections::BTreeMap;

/// New name → name in the Compose file.
pub(super) type Renames = BTreeMap<String, String>;

/// The longest name of a service: one with published ports has a Service with a suffix.
const MAX_NAME: usize = MAX_LABEL - PUBLISH_SUFFIX.len();

/// Renames what has to be renamed.
pub(super) fn apply(project: &mut Project, findings: &mut Findings) -> Renames {
    let old_to_new: BTreeMap<String, String> = project
        .services
        .values()
        .filter(|service| check_name(service).is_some())
        .map(|service| (service.name.value.clone(), new_name(&service.name.value)))
        // A name that is taken stays wrong, and is refused as such.
        .filter(|(_, new)| !project.services.contains_key(new))
        .collect();
    if old_to_new.is_empty() {
        return Renames::new();
    }
    for service in project.services.values() {
        note(service, &old_to_new, findings);
    }
    let services = std::mem::take(&mut project.services);
    for (name, mut service) in services {
        rewrite(&mut service, &old_to_new);
        project.services.insert(old_to_new.get(&name).cloned().unwrap_or(name), service);
    }
    old_to_new.into_iter().map(|(old, new)| (new, old)).collect()
}

/// The longest that the name may be; `None` when nothing is wrong with it.
pub(super) fn check_name(service: &Service) -> Option<usize> {
    let name = &service.name.value;
    let limit = if service.ports.is_empty() { MAX_LABEL } else { MAX_LABEL - PUBLISH_SUFFIX.len() };
    (!is_service_name(name) || name.len() > limit).then_some(limit)
}

/// The beginning of the name as a DNS label, and a hash of the whole.
fn new_name(old: &str) -> String {
    let name = slug(old, MAX_NAME);
    if name.starts_with(|c: char| c.is_ascii_lowercase()) {
        name
    } else {
        slug(&format!("s-{old}"), MAX_NAME)
    }
}

fn note(service: &Service, old_to_new: &BTreeMap<String, String>, findings: &mut Findings) {
    let name = &service.name.value;
    if let Some(new) = old_to_new.get(name) {
        let message = format!("the service is called `{new}` in the cluster");
        findings.diagnose(
            Diagnostic::new(&codes::RENAMED, message)
                .at(&service.name.span)
                .path(format!("services.{name}"))
                .help("rename it in the file to choose the name"),
        );
    }
    for (variable, value) in &service.environment {
        let text = value.value.expose_secret();
        for old in old_to_new.keys().filter(|old| mentions(text, old)) {
            let message = format!("the value contains `{old}`, which is the old name of a service");
            findings.diagnose(
                Diagnostic::new(&codes::OLD_NAME_MENTIONED, message)
                    .at(&value.span)
                    .path(format!("services.{name}.environment.{variable}"))
                    .help("if it is meant as a host name, use the new name"),
            );
        }
    }
}

/// Whether the name stands in the text, not as part of a longer one.
fn mentions(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    text.match_indices(name).any(|(start, _)| {
        let before = text.get(..start).and_then(|text| text.chars().next_back());
        let after = text.get(start + name.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

fn rewrite(service: &mut Service, old_to_new: &BTreeMap<String, String>) {
    let change = |name: &mut String| {
        if let Some(new) = old_to_new.get(name) {
            new.clone_into(name);
        }
    };
    change(&mut service.name.value);
    let dependencies = std::mem::take(&mut service.depends_on);
    for (mut name, dependency) in dependencies {
        change(&mut name);
        service.depends_on.insert(name, dependency);
    }
    for link in &mut service.links {
        // Without an alias the old name is what the service uses.
        change(&mut link.value.0);
    }
    service.volumes_from.iter_mut().for_each(|from| change(&mut from.service));
    if let Some(NetworkMode::Service(name)) = service.network_mode.as_mut().map(|mode| &mut mode.value) {
        change(name);
    }
    for mode in [&mut service.pid, &mut service.ipc] {
        if let Some(Spanned { value: SharedNamespace::Service(name), .. }) = mode {
            change(name);
        }
    }
}

/// Puts the names of the file back into the places of findings.
pub(super) fn restore_path(path: &mut String, renames: &Renames) {
    let Some(rest) = path.strip_prefix("services.") else { return };
    let new = rest.split('.').next().unwrap_or_default();
    if let Some(old) = renames.get(new) {
        *path = format!("services.{old}{}", rest.get(new.len()..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::{mentions, new_name};

    #[test]
    fn new_names_are_labels_and_stay_apart() {
        let names: Vec<_> =
            ["my_db", "My-db", "9front", "a.b", &"x".repeat(70), "_"].into_iter().map(new_name).collect();
        for name in &names {
            assert!(super::is_service_name(name) && name.len() <= super::MAX_NAME, "{name}");
        }
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len());
        assert!(new_name("my_db").starts_with("my-db-"));
    }

    #[test]
    fn a_name_is_mentioned_only_as_a_whole() {
        let cases = [
            ("http://my_db:80", true),
            ("my_db", true),
            ("my_db_old", false),
            ("xmy_db", false),
            ("my_db.my_db2", true),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(mentions(text, "my_db"), expected, "{text}");
        }
    }
}
