//! Examples for codes of findings, from `examples.txt`: the least text that has the finding, and what to do
//! instead. The tests of this file convert every one of them.
//!
//! An entry begins with `=== CODE`; `+++` is what `spec` of the KompoxApp must hold for it, as JSON; then comes the
//! Compose file, and `---` says the remedy. Bounds have a remedy alone: their example would be a page long.

/// An example of a finding.
#[derive(Debug)]
pub(super) struct Example {
    /// What `spec` of the KompoxApp must hold, as JSON.
    pub(super) spec: Option<&'static str>,
    /// A Compose file; empty for a bound.
    pub(super) compose: &'static str,
    /// What to do, as a sentence.
    pub(super) remedy: &'static str,
}

const EXAMPLES: &str = include_str!("examples.txt");

/// The example of a code.
pub(super) fn find(id: &str) -> Option<Example> {
    all().find(|(code, _)| *code == id).map(|(_, example)| example)
}

/// Code and example, by code.
fn all() -> impl Iterator<Item = (&'static str, Example)> {
    EXAMPLES.split("=== ").filter_map(|entry| {
        let (code, rest) = entry.split_once('\n')?;
        let (text, remedy) = rest.split_once("--- ")?;
        let (spec, compose) = match text.strip_prefix("+++ ").and_then(|text| text.split_once('\n')) {
            Some((spec, compose)) => (Some(spec), compose),
            None => (None, text),
        };
        Some((code, Example { spec, compose: compose.trim_end(), remedy: remedy.trim_end() }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose_input;
    use crate::generate::{self, ComposeText, DiskRequest, Namespace, Request};
    use kompox_compose::{Input, NoFiles, SourceFile, Variables, parse};
    use kompox_core::app::PodSecurity;
    use serde_json::Value;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn every_code_has_an_example_and_every_example_its_finding() {
        let mut failed = Vec::new();
        let ids: Vec<&str> = all().map(|(id, _)| id).collect();
        assert!(ids.is_sorted());
        let known: BTreeSet<&str> = super::super::codes().map(|code| code.id).collect();
        assert_eq!(ids.iter().copied().collect::<BTreeSet<_>>(), known);
        for (id, example) in all() {
            assert!(example.remedy.ends_with('.') && !example.remedy.contains('\n'), "{id}");
            if example.compose.is_empty() {
                continue;
            }
            let found = findings(&example);
            if !found.contains(id) {
                failed.push(format!("{id}: {found:?}\n{}", example.compose));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }

    /// The codes that an example has in any namespace, with and without a disk.
    fn findings(example: &Example) -> BTreeSet<String> {
        let files = [SourceFile { name: "compose.yml".into(), text: example.compose.into() }];
        let environment = BTreeMap::new();
        let parsed = parse(&Input {
            files: &files,
            environment: &environment,
            profiles: &[],
            provider: &NoFiles,
            project_name: None,
            variables: Variables::default(),
        });
        let mut found: BTreeSet<String> =
            parsed.diagnostics.iter().map(|found| found.code.id.to_owned()).collect();
        if compose_input::errors(&parsed.diagnostics) > 0 {
            return found;
        }
        for disk in [None, Some(DiskRequest { size: "1Gi".into(), ..DiskRequest::default() })] {
            let request = request(example, disk);
            let mut objects = generate::objects(&request);
            if let Some(spec) = example.spec {
                merge(&mut objects.app["spec"], serde_json::from_str(spec).unwrap());
            }
            for level in [PodSecurity::Baseline, PodSecurity::Privileged] {
                let rendered = crate::conversion::rendered(&request, &objects, level).unwrap();
                found.extend(rendered.validation.diagnostics.iter().map(|found| found.code.id.to_owned()));
            }
        }
        found
    }

    fn request(example: &Example, disk: Option<DiskRequest>) -> Request {
        Request {
            name: "web".into(),
            workspace: "default".into(),
            namespace: Namespace::Existing("n".into()),
            compose: ComposeText { file_name: "compose.yml".into(), text: example.compose.into() },
            overrides: Vec::new(),
            profiles: Vec::new(),
            variables: BTreeMap::new(),
            files: BTreeMap::new(),
            named: Vec::new(),
            disk,
            routes: Vec::new(),
            domain: None,
            ingress_class: None,
        }
    }

    fn merge(into: &mut Value, from: Value) {
        match (into, from) {
            (Value::Object(into), Value::Object(from)) => {
                for (key, value) in from {
                    merge(into.entry(key).or_insert(Value::Null), value);
                }
            }
            (into, from) => *into = from,
        }
    }
}
