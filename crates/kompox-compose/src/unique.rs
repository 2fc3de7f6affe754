//! Lists whose items stand for things: one item for each, the last one counts. And what must be complete in the
//! end: required keys, lists without repetitions.

use std::collections::BTreeMap;

use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::path::Path;
use crate::schema::{Keys, ROOT, Type, Unique};
use crate::span::Span;
use crate::text::shown;
use crate::yaml::{Kind, Node};

/// Keeps the last item for each thing, at the place of the first.
pub(crate) fn last_counts(ty: &Type, node: &mut Node) -> Vec<(usize, Node, Span)> {
    // The index of the later item as written, the earlier item, the place of the later one.
    let mut dropped = Vec::new();
    let Kind::Sequence(items) = &mut node.kind else { return dropped };
    let mut kept: Vec<Node> = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (index, item) in std::mem::take(items).into_iter().enumerate() {
        let Some(key) = key(ty, &item) else {
            kept.push(item);
            continue;
        };
        match seen.get(&key).and_then(|&first| kept.get_mut(first)) {
            Some(first) => {
                let span = item.span.clone();
                dropped.push((index, std::mem::replace(first, item), span));
            }
            None => {
                seen.insert(key, kept.len());
                kept.push(item);
            }
        }
    }
    *items = kept;
    dropped
}

/// What the item stands for; `None` when it stands for itself alone.
fn key(ty: &Type, item: &Node) -> Option<String> {
    let field = |name: &str| item.get(name).and_then(Node::printed);
    match ty {
        Type::Ports => {
            let part = |name, default: &str| field(name).unwrap_or_else(|| default.to_owned());
            let (host, published) = (part("host_ip", "0.0.0.0"), part("published", ""));
            Some(format!("{host}:{published}:{}/{}", field("target")?, part("protocol", "tcp")))
        }
        Type::List(_, unique) => match unique {
            Unique::No | Unique::Required | Unique::Subnet => None,
            Unique::Equal => item.printed(),
            Unique::Name => item.as_text().map(|text| text.split('=').next().unwrap_or(text).to_owned()),
            Unique::Target => field("target"),
            Unique::Path => field("path"),
            Unique::Below(directory) => {
                field("target").or_else(|| Some(format!("{directory}/{}", field("source")?)))
            }
        },
        Type::Texts => item.printed(),
        _ => None,
    }
}

/// Walks the whole tree: repetitions go, what is missing is reported.
pub(crate) fn complete(root: &mut Node, diagnostics: &mut Diagnostics) {
    let span = root.span.clone();
    object(&ROOT, root, &span, &Path::default(), diagnostics);
}

fn object(keys: &'static Keys, node: &mut Node, key: &Span, path: &Path, diagnostics: &mut Diagnostics) {
    for required in keys.required {
        if matches!(node.kind, Kind::Mapping(_)) && node.get(required).is_none() {
            let message = format!("{} lacks the key `{required}`", shown(&path.name()));
            diagnostics.push(Diagnostic::new(&codes::MISSING_KEY, message).at(key).path(path));
        }
    }
    for entry in node.entries_mut().into_iter().flatten() {
        if let Some(ty) = keys.get(&entry.key.value) {
            value(ty, &mut entry.value, &entry.key.span, &path.key(&entry.key.value), diagnostics);
        }
    }
}

fn value(ty: &'static Type, node: &mut Node, key: &Span, path: &Path, diagnostics: &mut Diagnostics) {
    for (index, earlier, later) in last_counts(ty, node) {
        let path = path.index(index);
        let message = format!("{} repeats an earlier entry", shown(&path.name()));
        if earlier.span.file == later.file && earlier.span != later {
            let finding = Diagnostic::new(&codes::REPEATED_ENTRY, message).at(&later).path(path);
            diagnostics.push(
                finding
                    .related(&earlier.span, "the earlier entry is here")
                    .help("remove one of them: the last one counts"),
            );
        }
    }
    match ty {
        Type::Object(keys) | Type::Struct(keys) | Type::Nullable(keys) | Type::Long(keys, _) => {
            object(keys, node, key, path, diagnostics);
        }
        Type::Named(item) | Type::Listed(item, _) => {
            for entry in node.entries_mut().into_iter().flatten() {
                value(item, &mut entry.value, &entry.key.span, &path.key(&entry.key.value), diagnostics);
            }
        }
        Type::List(item, unique) => {
            if *unique == Unique::Required {
                differ(node, path, diagnostics);
            }
            if let Kind::Sequence(items) = &mut node.kind {
                for (index, entry) in items.iter_mut().enumerate() {
                    let span = entry.span.clone();
                    value(item, entry, &span, &path.index(index), diagnostics);
                }
            }
        }
        _ => {}
    }
}

fn differ(node: &Node, path: &Path, diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<String, &Span> = BTreeMap::new();
    for (index, item) in node.items().iter().enumerate() {
        let Some(text) = item.printed() else { continue };
        if let Some(first) = seen.insert(text, &item.span) {
            let message = format!("{} holds the same item twice", shown(&path.name()));
            let finding =
                Diagnostic::new(&codes::INVALID_VALUE, message).at(&item.span).path(path.index(index));
            diagnostics.push(finding.related(first, "first given here").help("remove one of them"));
        }
    }
}
