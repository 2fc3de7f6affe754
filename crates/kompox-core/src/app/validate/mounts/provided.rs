//! The files of `spec.files.mounts`, found by the path that the Compose file writes.

use crate::app::facts::{Facts, carrier};
use crate::app::secret_text::SecretText;
use crate::app::validated::FileSource;
use kompox_crds::KompoxApp;
use std::collections::BTreeMap;

/// What the spec supplies for a path.
pub(super) enum Provided {
    /// A file.
    File(FileSource),
    /// A directory: relative path → file.
    Directory(Vec<(String, FileSource)>),
}

/// What the spec supplies for `path`; `None`: nothing.
pub(super) fn find(app: &KompoxApp, facts: &Facts, path: &str) -> Option<Provided> {
    let path = normal(path);
    let mut below = BTreeMap::new();
    for (own, source) in all(app, facts) {
        if own == path {
            return Some(Provided::File(source));
        }
        let rest = match path.as_str() {
            "" => Some(own.as_str()),
            _ => own.strip_prefix(path.as_str()).and_then(|rest| rest.strip_prefix('/')),
        };
        if let Some(rest) = rest.filter(|rest| !rest.starts_with('/') && !rest.starts_with("..")) {
            below.entry(rest.to_owned()).or_insert(source);
        }
    }
    (!below.is_empty()).then(|| Provided::Directory(below.into_iter().collect()))
}

/// The content behind a key.
pub(super) fn content<'a>(facts: &'a Facts, source: &FileSource) -> Option<&'a SecretText> {
    source.carrier.content(facts, &source.object)?.get(&source.key)
}

/// Every file with its path; an entry without a key has a file per key.
fn all<'a>(app: &'a KompoxApp, facts: &'a Facts) -> impl Iterator<Item = (String, FileSource)> + 'a {
    app.spec.files.mounts.iter().flat_map(move |mount| {
        let path = normal(&mount.path);
        let Some((carrier, reference)) = carrier(mount) else { return Vec::new() };
        let source = |key: &str| FileSource { carrier, object: reference.name.clone(), key: key.to_owned() };
        match &reference.key {
            Some(key) => vec![(path, source(key))],
            None => carrier
                .content(facts, &reference.name)
                .into_iter()
                .flat_map(|content| content.keys())
                .map(|key| (format!("{path}/{key}"), source(key)))
                .collect(),
        }
    })
}

/// `./a/./b/` and `a//b` mean `a/b`; `..` stays.
pub(super) fn normal(path: &str) -> String {
    let parts: Vec<_> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}
