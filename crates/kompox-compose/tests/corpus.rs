//! The model of 299 real files must be the one that compose-go 2.16.2, the reference implementation, makes.
//!
//! `KOMPOX_CORPUS` names the folder: `apps/` with the files, `compose-go.json` with what the reference makes of
//! each in an empty environment, `compose-go-filled.json` the same with the environment given there. Without the
//! variable nothing is compared, and the test says so.

#![allow(clippy::expect_used, reason = "helpers of a test")]
#![expect(
    clippy::disallowed_methods,
    reason = "the parser reads no files, its tests read their data from them"
)]

use std::collections::BTreeMap;
use std::path::Path;

use kompox_compose::{Input, NoFiles, SourceFile, Variables, load};
use serde_json::Value;

/// Differences that stay: set, file, path of the difference, reason. An entry that no longer differs fails the test.
const KNOWN: &[(&str, &str, &str, &str)] = &[
    ("compose-go.json", BACKREST, "model", SUBPATH),
    ("compose-go-filled.json", BACKREST, "model", SUBPATH),
];

const BACKREST: &str = "dokploy-templates/blueprints/backrest/docker-compose.yml";
const SUBPATH: &str = "`backrest/data:/data` is a directory of the declared volume `backrest` here";

#[test]
fn models_equal_those_of_the_reference() {
    let Some(folder) = std::env::var_os("KOMPOX_CORPUS") else {
        eprintln!("not run: KOMPOX_CORPUS is not set");
        return;
    };
    let folder = Path::new(&folder);
    let mut lines = Vec::new();
    let mut met = Vec::new();
    for (set, models) in [("compose-go.json", 286), ("compose-go-filled.json", 298)] {
        let text = std::fs::read_to_string(folder.join(set)).expect("the reference's models");
        let expected: BTreeMap<String, Value> = serde_json::from_str(&text).expect("JSON");
        assert_eq!(expected.values().filter(|entry| entry.get("project").is_some()).count(), models, "{set}");
        for (file, entry) in &expected {
            for (path, what) in differences(folder, file, entry) {
                let known = KNOWN.iter().position(|k| (k.0, k.1, k.2) == (set, file.as_str(), path.as_str()));
                met.extend(known);
                if known.is_none() {
                    lines.push(format!("{set}: {file}: {path}: {what}"));
                }
            }
        }
    }
    let stale = KNOWN.iter().enumerate().filter(|(index, _)| !met.contains(index));
    lines.extend(
        stale.map(|(_, known)| format!("{}: {}: {}: does not differ any more", known.0, known.1, known.2)),
    );
    assert!(lines.is_empty(), "{} differences\n{}", lines.len(), lines.join("\n"));
}

fn differences(folder: &Path, file: &str, expected: &Value) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(folder.join("apps").join(file)).expect(file);
    let files = [SourceFile { name: file.to_owned(), text }];
    let environment: BTreeMap<String, String> = expected
        .get("environment")
        .map(|environment| serde_json::from_value(environment.clone()).expect("an environment"))
        .unwrap_or_default();
    let loaded = load(&Input {
        files: &files,
        environment: &environment,
        profiles: &["*".to_owned()],
        provider: &NoFiles,
        project_name: Some("app"),
        variables: Variables::Replace,
    });
    let mut found = Vec::new();
    match (expected.get("project"), &loaded.model) {
        (Some(project), Some(model)) => compare("", project, &model.to_json(), &mut found),
        (None, None) => {}
        (Some(_), None) => {
            let all: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
            let errors: Vec<&String> = all.iter().filter(|line| line.contains("error")).collect();
            found.push(("model".to_owned(), format!("refused here only: {errors:?}")));
        }
        (None, Some(_)) => {
            found.push(("model".to_owned(), format!("refused there only: {}", expected["error"])));
        }
    }
    found
}

fn compare(path: &str, expected: &Value, actual: &Value, found: &mut Vec<(String, String)>) {
    match (expected, actual) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let path = format!("{path}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => compare(&path, a, b, found),
                    (a, b) => found.push((path, format!("expected {a:?}, got {b:?}"))),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{index}]"), a, b, found);
            }
        }
        (a, b) if a == b || (a.is_number() && a.as_f64() == b.as_f64()) => {}
        (a, b) => found.push((path.to_owned(), format!("expected {a}, got {b}"))),
    }
}
