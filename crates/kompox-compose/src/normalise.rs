//! What the specification fills in: defaults, the implicit network, implied dependencies, names.

use std::collections::{BTreeMap, BTreeSet};

use crate::merge::merge;
use crate::paths;
use crate::schema::{CONTAINER, Type};
use crate::yaml::{Entry, Kind, Node};

/// Fills in what the files leave to the specification.
pub(crate) fn normalise(root: &mut Node, name: Option<&str>, environment: &BTreeMap<String, String>) {
    for section in ["services", "jobs"] {
        for entry in root.get_mut(section).and_then(Node::entries_mut).into_iter().flatten() {
            container(&mut entry.value, environment);
        }
    }
    default_network(root);
    for section in ["networks", "volumes", "configs", "secrets"] {
        for entry in root.get_mut(section).and_then(Node::entries_mut).into_iter().flatten() {
            resource(entry, name);
        }
    }
}

fn container(service: &mut Node, environment: &BTreeMap<String, String>) {
    if let Some(variables) = service.get_mut("environment") {
        resolve(variables, environment);
    }
    build(service, environment);
    if service.get("pull_policy").and_then(Node::as_text) == Some("if_not_present") {
        let span = service.get("pull_policy").map_or_else(|| service.span.clone(), |node| node.span.clone());
        service.set("pull_policy", Node::text(&span, "missing"));
    }
    items(service, "ports", |port| {
        fill(port, "protocol", |span| Node::text(span, "tcp"));
        fill(port, "mode", |span| Node::text(span, "ingress"));
    });
    items(service, "secrets", |secret| {
        let source = secret.get("source").and_then(Node::printed).unwrap_or_default();
        fill(secret, "target", |span| Node::text(span, format!("/run/secrets/{source}")));
    });
    items(service, "env_file", |file| fill(file, "required", |span| Node::plain(span, "true")));
    items(service, "gpus", device_request);
    let reservations = service.get_mut("deploy").and_then(|deploy| deploy.get_mut("resources"));
    if let Some(reservations) = reservations.and_then(|resources| resources.get_mut("reservations")) {
        items(reservations, "devices", device_request);
    }
    items(service, "volumes", |volume| {
        if let Some(bind) = volume.get_mut("bind") {
            fill(bind, "create_host_path", |span| Node::plain(span, "true"));
        }
        if let Some(target) = volume.get("target").filter(|target| target.as_text().is_some()).cloned() {
            let text = paths::clean(&target.printed().unwrap_or_default());
            let mut cleaned = target;
            if let Kind::Scalar(scalar) = &mut cleaned.kind {
                scalar.text = text;
            }
            volume.set("target", cleaned);
        }
    });
    dependencies(service);
    hooks(service);
}

fn items(node: &mut Node, key: &str, change: impl Fn(&mut Node)) {
    if let Some(Node { kind: Kind::Sequence(items), .. }) = node.get_mut(key) {
        items.iter_mut().for_each(change);
    }
}

/// Gives a mapping a key that it does not have.
fn fill(node: &mut Node, key: &str, value: impl Fn(&crate::Span) -> Node) {
    if matches!(node.kind, Kind::Mapping(_)) && node.get(key).is_none() {
        let value = value(&node.span).filled();
        node.set(key, value);
    }
}

fn device_request(device: &mut Node) {
    if device.get("device_ids").is_none() {
        fill(device, "count", |span| Node::plain(span, "-1"));
    }
}

/// Variables without a value take the one outside.
fn resolve(variables: &mut Node, environment: &BTreeMap<String, String>) {
    for entry in variables.entries_mut().into_iter().flatten().filter(|entry| entry.value.is_null()) {
        if let (Some(value), Kind::Scalar(scalar)) =
            (environment.get(&entry.key.value), &mut entry.value.kind)
        {
            (scalar.text, scalar.plain, scalar.substituted) = (value.clone(), false, true);
        }
    }
}

fn build(service: &mut Node, environment: &BTreeMap<String, String>) {
    let Some(build) = service.get_mut("build") else { return };
    fill(build, "context", |span| Node::text(span, "."));
    if build.get("dockerfile_inline").is_none() {
        fill(build, "dockerfile", |span| Node::text(span, "Dockerfile"));
    }
    if let Some(arguments) = build.get_mut("args") {
        resolve(arguments, environment);
        if let Some(entries) = arguments.entries_mut() {
            entries.retain(|entry| !entry.value.is_null());
        }
    }
}

/// Dependencies that other keys imply, and the defaults of those that are written.
fn dependencies(service: &mut Node) {
    let mut implied: Vec<(String, Node, bool)> = Vec::new();
    for link in service.get("links").map(Node::items).into_iter().flatten() {
        let text = link.as_text().unwrap_or_default();
        let name =
            text.split_once(':').filter(|(_, alias)| !alias.contains(':')).map_or(text, |(name, _)| name);
        implied.push((name.to_owned(), link.clone(), true));
    }
    for key in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        let Some(mode) = service.get(key) else { continue };
        if let Some(name) = mode.as_text().and_then(|text| text.strip_prefix("service:")) {
            implied.push((name.to_owned(), mode.clone(), true));
        }
    }
    for from in service.get("volumes_from").map(Node::items).into_iter().flatten() {
        let text = from.as_text().unwrap_or_default();
        if !text.starts_with("container:") {
            let name = text.split(':').next().unwrap_or(text);
            implied.push((name.to_owned(), from.clone(), false));
        }
    }
    if !implied.is_empty() {
        fill(service, "depends_on", |span| Node::new(span.clone(), Kind::Mapping(Vec::new())));
    }
    let Some(depends_on) = service.get_mut("depends_on") else { return };
    let mut known: BTreeSet<String> =
        depends_on.entries().iter().map(|entry| entry.key.value.clone()).collect();
    for (name, origin, restart) in implied {
        if !known.insert(name.clone()) {
            continue;
        }
        let mut value = Node::new(origin.span.clone(), Kind::Mapping(Vec::new())).filled();
        fill(&mut value, "condition", |span| Node::text(span, "service_started"));
        if restart {
            fill(&mut value, "restart", |span| Node::plain(span, "true"));
        }
        if let Some(entries) = depends_on.entries_mut() {
            entries.push(Entry { key: crate::Spanned::new(name, origin.span), value });
        }
    }
    for entry in depends_on.entries_mut().into_iter().flatten() {
        fill(&mut entry.value, "required", |span| Node::plain(span, "true"));
    }
}

/// A `pre_start` hook runs in a container like that of its service: it takes over what it does not say itself.
fn hooks(service: &mut Node) {
    if service.get("pre_start").is_none() {
        return;
    }
    let inherits = |entry: &&Entry| entry.key.value != "volumes" && CONTAINER.get(&entry.key.value).is_some();
    let mut inherited: Vec<Entry> = service.entries().iter().filter(inherits).cloned().collect();
    inherited.iter_mut().for_each(|entry| inherit(&mut entry.value));
    static HOOK: Type = Type::Object(&CONTAINER);
    items(service, "pre_start", |hook| {
        let mut base = Node::new(hook.span.clone(), Kind::Mapping(inherited.clone()));
        merge(&HOOK, &mut base, hook.clone());
        *hook = base;
    });
}

/// What a hook inherits is written once, at the service.
fn inherit(node: &mut Node) {
    node.origin = crate::yaml::Origin::Default;
    match &mut node.kind {
        Kind::Mapping(entries) => entries.iter_mut().for_each(|entry| inherit(&mut entry.value)),
        Kind::Sequence(items) => items.iter_mut().for_each(inherit),
        Kind::Scalar(_) => {}
    }
}

/// Services that name no network join `default`, which exists when one does.
fn default_network(root: &mut Node) {
    let mut used = None;
    for section in ["services", "jobs"] {
        for entry in root.get_mut(section).and_then(Node::entries_mut).into_iter().flatten() {
            let service = &mut entry.value;
            if !matches!(service.kind, Kind::Mapping(_)) {
                continue;
            }
            if service.get("provider").is_some() || service.get("network_mode").is_some() {
                continue;
            }
            if service.get("networks").is_none_or(|networks| networks.entries().is_empty()) {
                let mut networks = Node::new(service.span.clone(), Kind::Mapping(Vec::new())).filled();
                fill(&mut networks, "default", |span| Node::plain(span, "null"));
                service.set("networks", networks);
            }
            if service.get("networks").is_some_and(|networks| networks.get("default").is_some()) {
                used = Some(service.span.clone());
            }
        }
    }
    let Some(span) = used else { return };
    fill(root, "networks", |_| Node::new(span.clone(), Kind::Mapping(Vec::new())));
    if let Some(networks) = root.get_mut("networks") {
        fill(networks, "default", |_| Node::plain(&span, "null"));
    }
}

/// Resources have the name of their key, after that of the project unless they are external.
fn resource(entry: &mut Entry, project: Option<&str>) {
    if entry.value.is_null() {
        entry.value.kind = Kind::Mapping(Vec::new());
    }
    let external = entry.value.get("external");
    if let Some(name) = external.and_then(|external| external.get("name")).cloned()
        && entry.value.get("name").is_none()
    {
        entry.value.set("name", name);
    }
    if let Some(external) = entry.value.get_mut("external")
        && matches!(external.kind, Kind::Mapping(_))
    {
        let span = external.span.clone();
        *external = Node::plain(&span, "true");
    }
    let external = entry.value.get("external").and_then(Node::printed).as_deref() == Some("true");
    let key = entry.key.value.clone();
    let name = match project {
        Some(project) if !external => format!("{project}_{key}"),
        _ => key,
    };
    fill(&mut entry.value, "name", |span| Node::text(span, name.clone()));
}
