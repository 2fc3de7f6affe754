//! Rules between the parts of a project: what the reference checks after loading, as far as keys are supported.

use std::collections::{BTreeMap, BTreeSet};

use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{
    Dependency, DependencyCondition, HealthcheckTest, MountSource, Project, Service, VolumeMount,
};
use crate::severity::Severity;
use crate::span::Span;
use crate::text::shown;

/// Most services of a circle that are named.
const MAX_CIRCLE: usize = 10;

/// Reports every broken rule. References to `undecoded` services are left alone: those have errors already.
pub(crate) fn project(project: &Project, undecoded: &BTreeSet<String>, diagnostics: &mut Diagnostics) {
    for service in project.services.values() {
        volumes(project, service, diagnostics);
        dependencies(project, undecoded, service, diagnostics);
        single_container(service, diagnostics);
    }
    container_names(project, diagnostics);
    cycles(project, diagnostics);
}

fn finding(code: &'static Code, service: &Service, key: &str, span: &Span, message: String) -> Diagnostic {
    Diagnostic::new(code, message).at(span).path(format!("services.{}.{key}", service.name.value))
}

fn volumes(project: &Project, service: &Service, diagnostics: &mut Diagnostics) {
    for mount in &service.mounts {
        let MountSource::Volume(VolumeMount { name: Some(name), .. }) = &mount.source else { continue };
        if project.volumes.contains_key(name) {
            continue;
        }
        let volume = shown(name);
        let message = format!(
            "service {} mounts the volume {volume}, which is not declared",
            shown(&service.name.value)
        );
        let help = format!("declare it at the top level: `volumes: {{ {name}: {{}} }}`");
        diagnostics
            .push(finding(&codes::UNDEFINED_VOLUME, service, "volumes", &mount.span, message).help(help));
    }
}

fn dependencies(
    project: &Project,
    undecoded: &BTreeSet<String>,
    service: &Service,
    diagnostics: &mut Diagnostics,
) {
    for (name, dependency) in &service.depends_on {
        let fault = match project.services.get(name) {
            Some(target) => unknowable_health(target, dependency),
            None if project.disabled_services.contains_key(name) => disabled(name, dependency),
            None if undecoded.contains(name) => None,
            None => Some(undefined(project, name, diagnostics)),
        };
        if let Some((code, message, help)) = fault {
            let message = format!("service {} {message}", shown(&service.name.value));
            diagnostics.push(finding(code, service, "depends_on", &dependency.span, message).help(help));
        }
    }
}

type Fault = (&'static Code, String, String);

fn undefined(project: &Project, name: &str, diagnostics: &Diagnostics) -> Fault {
    let names = project.services.keys().map(String::as_str);
    let wanted = diagnostics.has_room(Severity::Error);
    let near = wanted.then(|| crate::suggest::nearest(name, names)).flatten();
    let help = near
        .map_or_else(|| "declare it below `services`".to_owned(), |near| format!("did you mean `{near}`?"));
    (&codes::UNDEFINED_SERVICE, format!("depends on {}, which does not exist", shown(name)), help)
}

fn disabled(name: &str, dependency: &Dependency) -> Option<Fault> {
    let message = format!("depends on {}, which no active profile enables", shown(name));
    let help = "activate its profile, or mark the dependency with `required: false`".to_owned();
    dependency.required.then_some((&codes::DISABLED_DEPENDENCY, message, help))
}

/// The check inside an image cannot be seen, so a dependency on health needs one in the file.
fn unknowable_health(target: &Service, dependency: &Dependency) -> Option<Fault> {
    let test = target.healthcheck.as_ref().map(|healthcheck| &healthcheck.value.test);
    let known = !matches!(test, None | Some(HealthcheckTest::Disabled));
    if known || dependency.condition != DependencyCondition::Healthy {
        return None;
    }
    let name = shown(&target.name.value);
    let message = format!("waits for {name} to be healthy, but {name} has no `healthcheck` in the file");
    Some((
        &codes::HEALTH_NEVER_KNOWN,
        message,
        "give it a `healthcheck`, or wait with `service_started`".to_owned(),
    ))
}

fn single_container(service: &Service, diagnostics: &mut Diagnostics) {
    if let (Some(name), Some(replicas)) = (&service.container_name, &service.replicas)
        && replicas.value > 1
    {
        let message = "a container name is unique, so the service cannot have several replicas".to_owned();
        let fault = finding(&codes::UNIQUE_CONTAINER_NAME, service, "container_name", &name.span, message);
        diagnostics.push(fault.related(&replicas.span, "the number of replicas is here"));
    }
}

fn container_names(project: &Project, diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<&str, &Span> = BTreeMap::new();
    for service in project.services.values() {
        let Some(name) = &service.container_name else { continue };
        if let Some(first) = seen.insert(&name.value, &name.span) {
            let message = format!("the container name {} is taken", shown(&name.value));
            let fault = finding(&codes::CONTAINER_NAME_CLASH, service, "container_name", &name.span, message);
            diagnostics.push(fault.related(first, "first used here"));
        }
    }
}

/// Removes services without open dependencies until none is left, or only circles and what hangs on them.
fn cycles(project: &Project, diagnostics: &mut Diagnostics) {
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    let mut dependents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, service) in &project.services {
        let open = service.depends_on.keys().filter(|dependency| project.services.contains_key(*dependency));
        let open: Vec<&String> = open.collect();
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
    if let Some(circle) = circle(project, &waiting) {
        diagnostics.push(circle);
    }
}

/// Every service that still waits leads into a circle: walk until a name comes again.
fn circle(project: &Project, waiting: &BTreeMap<&str, usize>) -> Option<Diagnostic> {
    let mut walked: Vec<&str> = Vec::new();
    let mut position: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut name, _) = waiting.first_key_value()?;
    loop {
        if let Some(&start) = position.get(name) {
            let mut names: Vec<String> = walked.get(start..)?.iter().map(|name| shown(name)).collect();
            let service = project.services.get(*name)?;
            let span =
                service.depends_on.iter().find(|(name, _)| names.contains(&shown(name)))?.1.span.clone();
            let more = names.len().saturating_sub(MAX_CIRCLE);
            names.truncate(MAX_CIRCLE);
            if more > 0 {
                names.push(format!("{more} more"));
            }
            names.push(shown(name));
            let message = format!("services depend on each other in a circle: {}", names.join(" → "));
            let fault = finding(&codes::DEPENDENCY_CYCLE, service, "depends_on", &span, message);
            return Some(fault.help("remove one of these dependencies"));
        }
        position.insert(name, walked.len());
        walked.push(name);
        let next = project
            .services
            .get(*name)?
            .depends_on
            .keys()
            .find(|next| waiting.contains_key(next.as_str()))?;
        name = waiting.get_key_value(next.as_str())?.0;
    }
}
