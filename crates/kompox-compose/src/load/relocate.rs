//! Paths of a file in another directory, made relative to the directory of the project.

use crate::paths;
use crate::yaml::{Kind, Node};

/// Changes every path of the tree. Paths of the project's own directory stay as they are written.
pub(super) fn tree(root: &mut Node, directory: &str) {
    if directory == "." {
        return;
    }
    for section in ["services", "jobs"] {
        for entry in root.get_mut(section).and_then(Node::entries_mut).into_iter().flatten() {
            service(&mut entry.value, directory);
        }
    }
    for section in ["configs", "secrets"] {
        for entry in root.get_mut(section).and_then(Node::entries_mut).into_iter().flatten() {
            at(&mut entry.value, "file", directory);
        }
    }
    for entry in root.get_mut("volumes").and_then(Node::entries_mut).into_iter().flatten() {
        let local = entry.value.get("driver").and_then(Node::as_text) == Some("local");
        if let Some(options) = entry.value.get_mut("driver_opts").filter(|_| local)
            && options.get("o").and_then(Node::as_text) == Some("bind")
        {
            at(options, "device", directory);
        }
    }
}

fn service(service: &mut Node, directory: &str) {
    if let Some(extends) = service.get_mut("extends") {
        at(extends, "file", directory);
    }
    if let Some(build) = service.get_mut("build") {
        if let Some(context) = build.get_mut("context") {
            unless_remote(context, directory);
        }
        let contexts = build.get_mut("additional_contexts").and_then(Node::entries_mut);
        contexts.into_iter().flatten().for_each(|entry| unless_remote(&mut entry.value, directory));
    }
    if let Some(watch) = service.get_mut("develop").and_then(|develop| develop.get_mut("watch")) {
        items(watch, |item| at(item, "path", directory));
    }
    container(service, directory);
    if let Some(hooks) = service.get_mut("pre_start") {
        items(hooks, |hook| container(hook, directory));
    }
}

fn container(container: &mut Node, directory: &str) {
    if let Some(files) = container.get_mut("env_file") {
        items(files, |file| at(file, "path", directory));
    }
    if let Some(files) = container.get_mut("label_file") {
        items(files, |file| join(file, directory));
    }
    if let Some(volumes) = container.get_mut("volumes") {
        items(volumes, |volume| {
            if volume.get("type").and_then(Node::as_text) == Some("bind") {
                at(volume, "source", directory);
            }
        });
    }
}

fn items(node: &mut Node, change: impl Fn(&mut Node)) {
    if let Kind::Sequence(items) = &mut node.kind {
        items.iter_mut().for_each(change);
    }
}

fn at(node: &mut Node, key: &str, directory: &str) {
    if let Some(value) = node.get_mut(key) {
        join(value, directory);
    }
}

fn unless_remote(node: &mut Node, directory: &str) {
    let elsewhere = |text: &str| paths::is_remote(text) || text.starts_with("service:");
    if node.as_text().is_some_and(|text| !elsewhere(text)) {
        join(node, directory);
    }
}

fn join(node: &mut Node, directory: &str) {
    let Some(text) = node.as_text().filter(|text| !text.is_empty()).map(str::to_owned) else { return };
    if let Kind::Scalar(scalar) = &mut node.kind {
        scalar.text = paths::join(directory, &text);
    }
}
