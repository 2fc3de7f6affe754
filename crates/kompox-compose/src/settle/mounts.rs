//! The short forms of volumes and devices.

use super::scalars::replace;
use super::{At, Settler, mapping};
use crate::codes;
use crate::paths;
use crate::span::Spanned;
use crate::yaml::{Entry, Kind, Node};

const PROPAGATIONS: [&str; 6] = ["rprivate", "private", "rshared", "shared", "rslave", "slave"];

impl Settler<'_> {
    /// `[SOURCE:]TARGET[:OPTIONS]`; a source that begins like a path is a bind.
    pub(super) fn volume(&mut self, spec: &str, node: &mut Node, at: At<'_>) {
        let sections = sections(spec);
        if sections.iter().any(String::is_empty) || sections.len() > 3 {
            return self.invalid(node, at, "`[SOURCE:]TARGET[:OPTIONS]` without empty sections");
        }
        let part = |text: &str| part(node, text);
        let (source, target, options) = match sections.as_slice() {
            [target] => (None, target, None),
            [source, target] => (Some(source), target, None),
            [source, target, options] => (Some(source), target, Some(options)),
            _ => return,
        };
        let bind = source.is_some_and(|source| paths::is_path(source));
        let mut entries = vec![entry(node, "type", part(if bind { "bind" } else { "volume" }))];
        entries.extend(source.map(|source| entry(node, "source", part(source))));
        entries.push(entry(node, "target", part(&paths::clean(target))));
        let (mut detail, mut bind_detail) = (Vec::new(), Vec::new());
        for option in options.map(|options| options.split(',')).into_iter().flatten() {
            match option {
                "ro" | "rw" => {
                    entries.retain(|entry| entry.key.value != "read_only");
                    if option == "ro" {
                        entries.push(entry(node, "read_only", Node::plain(&node.span, "true")));
                    }
                }
                "nocopy" => detail = vec![entry(node, "nocopy", Node::plain(&node.span, "true"))],
                "z" | "Z" => bind_detail.push(entry(node, "selinux", part(option))),
                _ if PROPAGATIONS.contains(&option) => {
                    bind_detail.push(entry(node, "propagation", part(option)));
                }
                _ => {
                    let message =
                        format!("{} has an option that means nothing", crate::text::shown(&at.1.name()));
                    let finding = self.finding(&codes::IGNORED_OPTION, node, at, message);
                    self.diagnostics
                        .push(finding.help("the options are ro, rw, z, Z, nocopy and propagations"));
                }
            }
        }
        let section = |detail: Vec<Entry>, written: bool| {
            let section = Node::new(node.span.clone(), Kind::Mapping(detail));
            if written { section } else { section.filled() }
        };
        let bound = !bind_detail.is_empty();
        if bind {
            bind_detail.push(entry(node, "create_host_path", Node::plain(&node.span, "true").filled()));
        }
        if bind || !bind_detail.is_empty() {
            entries.push(entry(node, "bind", section(bind_detail, bound)));
        }
        // The reference gives targets of one or two characters no details.
        if !detail.is_empty() || (!bind && spec.len() > 2) {
            let written = !detail.is_empty();
            entries.push(entry(node, "volume", section(detail, written)));
        }
        node.kind = Kind::Mapping(entries);
    }

    /// `SOURCE[:TARGET[:PERMISSIONS]]`.
    pub(super) fn device(&mut self, spec: &str, node: &mut Node, at: At<'_>) {
        let parts: Vec<&str> = spec.split(':').collect();
        let (source, target, permissions) = match parts.as_slice() {
            [source] => (*source, "", None),
            [source, target] => (*source, *target, None),
            [source, target, permissions] => (*source, *target, Some(*permissions)),
            _ => return self.invalid(node, at, "`SOURCE[:TARGET[:PERMISSIONS]]`"),
        };
        let target = if target.is_empty() { source } else { target };
        let permissions = permissions.map_or_else(|| part(node, "rwm").filled(), |text| part(node, text));
        let entries =
            [("source", part(node, source)), ("target", part(node, target)), ("permissions", permissions)];
        node.kind = mapping(entries, &node.span);
    }
}

/// A part of a short form; like the whole it may hold a variable's value.
fn part(whole: &Node, text: &str) -> Node {
    let mut node = Node { mark: None, ..whole.clone() };
    replace(&mut node, text.to_owned(), false);
    node
}

fn entry(node: &Node, key: &str, value: Node) -> Entry {
    Entry { key: Spanned::new(key.to_owned(), node.span.clone()), value }
}

/// The sections between colons; a drive letter and `${…}` keep theirs.
fn sections(spec: &str) -> Vec<String> {
    if spec.len() <= 2 && !spec.is_empty() {
        return vec![spec.to_owned()];
    }
    let mut sections = vec![String::new()];
    let mut depth = 0_usize;
    let mut characters = spec.chars().peekable();
    while let Some(c) = characters.next() {
        let next = characters.peek().copied();
        let Some(section) = sections.last_mut() else { break };
        if c == '$' && next == Some('{') {
            depth += 1;
        } else if c == '}' {
            depth = depth.saturating_sub(1);
        }
        let drive = section.len() == 1 && section.starts_with(|c: char| c.is_ascii_alphabetic());
        if c == ':' && depth == 0 && !drive {
            sections.push(String::new());
        } else {
            section.push(c);
        }
    }
    sections
}
