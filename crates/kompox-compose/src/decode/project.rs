//! The whole file: <https://github.com/compose-spec/compose-spec/blob/main/03-compose-file.md>.

use std::collections::{BTreeMap, BTreeSet};

use super::cursor::{At, Fields};
use super::service::Decoded;
use super::{Context, extension, files, keys, models, networks, service};
use crate::codes;
use crate::model::{Project, Volume};
use crate::text::shown;
use crate::yaml::Node;

/// Decodes the tree of a project. Errors are reported; the project is usable when there were none.
///
/// The set holds the names of services that are in the file and could not be decoded: other services may
/// refer to them, which is not one error more.
pub(crate) fn project(
    cx: &mut Context<'_>,
    root: &Node,
    given_name: Option<&str>,
) -> Option<(Project, BTreeSet<String>)> {
    let at = At::root(root);
    let mut fields = at.fields(cx, keys::PROJECT)?;
    let own_name = fields.take("name").filter(|_| given_name.is_none());
    let name = own_name.and_then(|at| project_name(cx, &at));
    let mut project = Project {
        name: given_name.map(str::to_owned).or(name),
        services: BTreeMap::new(),
        disabled_services: BTreeMap::new(),
        volumes: declared(cx, &mut fields, "volumes", volume),
        networks: declared(cx, &mut fields, "networks", networks::network),
        configs: declared(cx, &mut fields, "configs", files::config),
        secrets: declared(cx, &mut fields, "secrets", files::secret),
    };
    if let Some(at) = fields.take("x-kompox") {
        extension::project(cx, &at);
    }
    let broken = match fields.take("services") {
        Some(at) => services(cx, &at, &mut project),
        None => no_services(cx, &fields),
    };
    fields.finish(cx);
    models::add_variables(cx, root, &mut project);
    for service in project.services.values() {
        networks::check(cx, &service.name.value, &service.networks, &project.networks);
    }
    Some((project, broken))
}

fn no_services(cx: &mut Context<'_>, fields: &Fields<'_>) -> BTreeSet<String> {
    let finding = fields.at.finding(&codes::MISSING_KEY, "the file has no `services`");
    cx.report(
        finding.help("put the services below the key `services`; the form without it is long obsolete"),
    );
    BTreeSet::new()
}

/// Decodes the services, and gives the names of those that could not be decoded.
fn services(cx: &mut Context<'_>, at: &At<'_>, project: &mut Project) -> BTreeSet<String> {
    let mut broken = BTreeSet::new();
    let entries = at.entries(cx);
    if entries.is_empty() && matches!(at.node.kind, crate::yaml::Kind::Mapping(_)) {
        cx.report(at.finding(&codes::MISSING_KEY, "`services` is empty"));
    }
    for (name, at) in entries {
        if !is_name(&name.value) {
            let message = format!("{} is no name of a service", shown(&name.value));
            let finding = crate::Diagnostic::new(&codes::INVALID_VALUE, message).at(at.key).path(&at.path);
            cx.report(finding.help("use letters, digits, `.`, `_` and `-`"));
            continue;
        }
        match service::service(cx, name, &at) {
            Decoded::Enabled(service) => {
                project.services.insert(name.value.clone(), *service);
            }
            Decoded::Disabled => {
                project.disabled_services.insert(name.value.clone(), name.span.clone());
            }
            Decoded::Broken => {
                broken.insert(name.value.clone());
            }
        }
    }
    broken
}

/// Names of services, volumes and networks: `[a-zA-Z0-9._-]+`.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn project_name(cx: &mut Context<'_>, at: &At<'_>) -> Option<String> {
    let name = at.text(cx)?.value;
    if !is_project_name(&name) {
        at.invalid(cx, "lower-case letters, digits, `-` and `_`, a letter or digit first");
        return None;
    }
    Some(name)
}

/// The specification's `^[a-z0-9][a-z0-9_-]*$`.
pub(crate) fn is_project_name(name: &str) -> bool {
    let body = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()) && name.chars().all(body)
}

/// The entries of a mapping of the file, by name.
fn declared<T>(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    key: &str,
    decode: fn(&mut Context<'_>, &At<'_>) -> Option<T>,
) -> BTreeMap<String, T> {
    let mut out = BTreeMap::new();
    let Some(at) = fields.take(key).filter(|at| !at.node.is_null()) else { return out };
    for (name, at) in at.entries(cx) {
        if !is_name(&name.value) {
            let message = format!("{} is no name that `{key}` can hold", shown(&name.value));
            let finding = crate::Diagnostic::new(&codes::INVALID_VALUE, message).at(at.key).path(&at.path);
            cx.report(finding.help("use letters, digits, `.`, `_` and `-`"));
            continue;
        }
        if let Some(value) = decode(cx, &at) {
            out.insert(name.value.clone(), value);
        }
    }
    out
}

fn volume(cx: &mut Context<'_>, at: &At<'_>) -> Option<Volume> {
    let mut volume = Volume {
        span: at.key.clone(),
        name: None,
        external: None,
        driver: None,
        driver_opts: BTreeMap::new(),
        labels: BTreeMap::new(),
    };
    if at.node.is_null() {
        return Some(volume);
    }
    let mut fields = at.fields(cx, keys::VOLUME)?;
    volume.name = fields.written_word(cx, "name");
    volume.external = fields.flag(cx, "external");
    volume.driver = fields.word(cx, "driver");
    volume.driver_opts = fields.map(cx, "driver_opts");
    volume.labels = fields.map(cx, "labels");
    fields.finish(cx);
    Some(volume)
}
