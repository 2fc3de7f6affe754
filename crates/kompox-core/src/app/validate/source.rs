//! Reading the Compose file: its text from a ConfigMap, its variables and files from what the spec names.

use super::Findings;
use crate::app::facts::{Carrier, Content, Facts, carrier};
use crate::app::matrix;
use crate::app::problem::Problem;
use crate::app::secret_text::SecretText;
use crate::hash::FieldHasher;
use kompox_compose::{FileError, FileProvider, Input, Project, SourceFile, parse};
use kompox_crds::v1alpha1::app::FileMount;
use kompox_crds::{KompoxApp, Reason};
use std::collections::BTreeMap;

/// The project; `None` when a finding says why not.
pub(super) fn read(app: &KompoxApp, facts: &Facts, findings: &mut Findings) -> Option<Project> {
    let before = findings.problems.len();
    let files = compose_files(app, facts, findings);
    let environment = environment(app, facts, findings);
    check_mounts(app, facts, findings);
    if findings.problems.len() > before {
        return None;
    }
    let parsed = parse(&Input {
        files: &files,
        environment: &environment,
        profiles: &app.spec.compose.profiles,
        provider: &Mounts { mounts: &app.spec.files.mounts, facts },
        project_name: None,
        variables: kompox_compose::Variables::Replace,
    });
    findings.diagnostics.extend(parsed.diagnostics);
    if let (Some(model), Some(project)) = (&parsed.model, &parsed.project) {
        findings.diagnostics.extend(matrix::constant(model, project));
    }
    findings.model = parsed.model;
    parsed.project
}

/// SHA-256 of the files' text. Variables are left out: the hash is public, their values may be secret.
pub(super) fn hash(app: &KompoxApp, facts: &Facts) -> String {
    let mut hasher = FieldHasher::default();
    let compose = &app.spec.compose;
    let content = facts.config_maps.get(&compose.config_map_ref.name);
    for key in std::iter::once(&compose.config_map_ref.key).chain(&compose.override_keys) {
        hasher.field(key).field(content.and_then(|data| data.get(key)).map_or(&[][..], SecretText::expose));
    }
    hasher.hex()
}

fn compose_files(app: &KompoxApp, facts: &Facts, findings: &mut Findings) -> Vec<SourceFile> {
    let compose = &app.spec.compose;
    let name = &compose.config_map_ref.name;
    std::iter::once((&compose.config_map_ref.key, "spec.compose.configMapRef"))
        .chain(compose.override_keys.iter().map(|key| (key, "spec.compose.overrideKeys")))
        .filter_map(|(key, field)| {
            let text = key_text(Carrier::ConfigMap, facts, name, key, field)
                .map_err(|problem| findings.problem(problem))
                .ok()?;
            Some(SourceFile { name: key.clone(), text })
        })
        .collect()
}

fn environment(app: &KompoxApp, facts: &Facts, findings: &mut Findings) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for (index, source) in app.spec.compose.env_from.iter().enumerate() {
        let field = format!("spec.compose.envFrom[{index}]");
        let found = match (&source.secret_ref, &source.config_map_ref) {
            (Some(secret), _) => object(Carrier::Secret, facts, &secret.name, &field),
            (None, Some(map)) => object(Carrier::ConfigMap, facts, &map.name, &field),
            (None, None) => continue,
        };
        match found {
            Ok(content) => variables.extend(content.iter().filter_map(|(key, value)| {
                Some((key.clone(), std::str::from_utf8(value.expose()).ok()?.to_owned()))
            })),
            Err(problem) => findings.problem(problem),
        }
    }
    variables
}

/// Every object and key that `files.mounts` names must exist, whether the file uses it or not.
fn check_mounts(app: &KompoxApp, facts: &Facts, findings: &mut Findings) {
    for mount in &app.spec.files.mounts {
        let Some((kind, reference)) = carrier(mount) else { continue };
        let field = format!("spec.files.mounts[{}]", mount.path);
        let checked = match &reference.key {
            Some(key) => key_content(kind, facts, &reference.name, key, &field).map(|_| ()),
            None => object(kind, facts, &reference.name, &field).map(|_| ()),
        };
        if let Err(problem) = checked {
            findings.problem(problem);
        }
    }
}

fn object<'a>(kind: Carrier, facts: &'a Facts, name: &str, field: &str) -> Result<&'a Content, Problem> {
    kind.content(facts, name)
        .ok_or_else(|| missing(kind, name, "", format!("does not exist ({field} names it)"), "create it"))
}

fn key_content<'a>(
    kind: Carrier,
    facts: &'a Facts,
    name: &str,
    key: &str,
    field: &str,
) -> Result<&'a SecretText, Problem> {
    object(kind, facts, name, field)?.get(key).ok_or_else(|| {
        missing(kind, name, key, format!("there is no such key ({field} names it)"), "add the key")
    })
}

fn key_text(kind: Carrier, facts: &Facts, name: &str, key: &str, field: &str) -> Result<String, Problem> {
    let content = key_content(kind, facts, name, key, field)?;
    std::str::from_utf8(content.expose()).map(str::to_owned).map_err(|_| {
        missing(kind, name, key, "the content is not UTF-8".to_owned(), "store the file as text")
    })
}

fn missing(kind: Carrier, name: &str, key: &str, message: String, remedy: &str) -> Problem {
    let reason = match kind {
        Carrier::ConfigMap => Reason::ConfigMapMissing,
        Carrier::Secret => Reason::SecretMissing,
    };
    Problem::with_object(reason, format!("{}/{name}", kind.kind()), message, remedy).at(key)
}

/// The files of `spec.files.mounts`, by the path that the Compose file writes.
struct Mounts<'a> {
    mounts: &'a [FileMount],
    facts: &'a Facts,
}

impl FileProvider for Mounts<'_> {
    fn read(&self, path: &str) -> Result<String, FileError> {
        let path = normal(path);
        let found = self.mounts.iter().find_map(|mount| {
            let (kind, reference) = carrier(mount)?;
            let key = match &reference.key {
                Some(key) => (normal(&mount.path) == path).then_some(key.as_str()),
                None => path.strip_prefix(normal(&mount.path))?.strip_prefix('/'),
            }?;
            Some((kind, reference, key))
        });
        let Some((kind, reference, key)) = found else { return Err(FileError::NotFound) };
        key_text(kind, self.facts, &reference.name, key, "spec.files.mounts")
            .map_err(|problem| FileError::Unreadable(problem.to_string()))
    }
}

/// Leading `./` and trailing `/` mean nothing.
fn normal(path: &str) -> &str {
    let mut path = path;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest;
    }
    path.trim_end_matches('/')
}
