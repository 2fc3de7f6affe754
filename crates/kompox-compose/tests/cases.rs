//! A table of cases per attribute, written from the Compose Specification: short and long forms, merging, extending,
//! bad values.
//!
//! Each file of `tests/cases` holds the cases of one attribute or of one feature:
//!
//! ```text
//! === what the case shows
//! <a Compose file, `compose.yml`>
//! --- override.yml          a further file: merged if its name begins with `override`, else there to be read
//! <text>
//! --- expect services.web   the JSON of this part of the model; `expect codes` for the codes of the errors
//! <JSON, or codes>
//! ```

#![expect(
    clippy::disallowed_methods,
    reason = "the parser reads no files, its tests read their data from them"
)]

use std::collections::BTreeMap;
use std::path::Path;

use kompox_compose::{Input, Severity, SourceFile, Variables, load};
use serde_json::Value;

#[derive(Default)]
struct Case {
    title: String,
    files: Vec<(String, String)>,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("=== ") {
            cases.push(Case {
                title: title.to_owned(),
                files: vec![("compose.yml".to_owned(), String::new())],
            });
        } else if let (Some(name), Some(case)) = (line.strip_prefix("--- "), cases.last_mut()) {
            case.files.push((name.trim().to_owned(), String::new()));
        } else if let Some((_, content)) = cases.last_mut().and_then(|case| case.files.last_mut()) {
            content.push_str(line);
            content.push('\n');
        }
    }
    cases
}

fn check(case: &Case) -> Result<(), String> {
    let merged = |name: &str| name == "compose.yml" || name.starts_with("override");
    let files: Vec<SourceFile> = case
        .files
        .iter()
        .filter(|(name, _)| merged(name))
        .map(|(name, text)| SourceFile { name: name.clone(), text: text.clone() })
        .collect();
    let provider: BTreeMap<String, String> = case.files.iter().cloned().collect();
    let environment = BTreeMap::from([("A".to_owned(), "a".to_owned()), ("N".to_owned(), "5".to_owned())]);
    let loaded = load(&Input {
        files: &files,
        environment: &environment,
        profiles: &[],
        provider: &provider,
        project_name: Some("app"),
        variables: Variables::Replace,
    });
    let errors = loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error);
    let codes: Vec<&str> = errors.map(|d| d.code.id).collect();
    for (name, expected) in &case.files {
        let Some(part) = name.strip_prefix("expect ") else { continue };
        if part == "codes" {
            let expected: Vec<&str> = expected.split_whitespace().collect();
            if codes != expected {
                return Err(format!("expected {expected:?}, got {:?}", loaded.diagnostics));
            }
            continue;
        }
        let Some(model) = &loaded.model else {
            let found: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
            return Err(format!("no model: {found:?}"));
        };
        let json = model.to_json();
        let found = part.split('.').try_fold(&json, |value, key| value.get(key)).unwrap_or(&Value::Null);
        let expected: Value = serde_json::from_str(expected).map_err(|error| format!("{part}: {error}"))?;
        if *found != expected {
            return Err(format!("{part}: expected {expected}, got {found}"));
        }
    }
    let asks = case.files.iter().any(|(name, _)| name.starts_with("expect "));
    if asks { Ok(()) } else { Err("expects nothing".to_owned()) }
}

#[test]
fn every_case_is_read_as_the_specification_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut faults = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the cases") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("text");
        for case in cases(&text) {
            count += 1;
            if let Err(fault) = check(&case) {
                faults.push(format!("{}: {}: {fault}", path.display(), case.title));
            }
        }
    }
    assert!(count > 50, "only {count} cases were found");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
