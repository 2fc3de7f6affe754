//! What each fuzz target does with its bytes, and what must hold for all of them. Only public functions of the
//! product are called. A panic here is a finding: of the product, or that one of these rules is broken.

mod conversion;
mod input;

pub use conversion::conversion;

use input::Input;
use kompox_compose::{Color, Diagnostic, Model, SourceFile, Variables, dotenv, limits, load, render};
use std::collections::{BTreeMap, BTreeSet};

/// Reads Compose files with their variables kept, prints what was read, and shows what was found.
pub fn yaml(data: &[u8]) {
    let Some(input) = Input::of(data) else { return };
    let loaded = input.load(Variables::Keep);
    shown(&loaded.diagnostics, &input.files);
    if let Some(model) = &loaded.model {
        printed(model, &input.files);
    }
}

/// Interpolates one value: the first line names the variables, the rest is the value.
pub fn interpolation(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (variables, value) = text.split_once('\n').unwrap_or(("", text));
    let environment: BTreeMap<String, String> = variables
        .split(' ')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    // As JSON the value is YAML, whatever it holds.
    let value = serde_json::Value::from(value);
    let file = format!("services: {{web: {{image: a, labels: {{v: {value}}}}}}}");
    let files = [SourceFile { name: "compose.yml".to_owned(), text: file }];
    let loaded = load(&kompox_compose::Input {
        files: &files,
        environment: &environment,
        profiles: &[],
        provider: &kompox_compose::NoFiles,
        project_name: None,
        variables: Variables::Replace,
    });
    shown(&loaded.diagnostics, &files);
    let Some(model) = &loaded.model else { return };
    let model = model.to_json();
    let result = model.pointer("/services/web/labels/v").and_then(|value| value.as_str()).unwrap_or_default();
    assert!(result.len() <= limits::MAX_PRODUCED_BYTES, "{} bytes produced", result.len());
    let value = value.as_str().unwrap_or_default();
    assert!(value.contains('$') || value == result, "{value:?} became {result:?}");
}

/// Reads an environment file in both formats.
pub fn dotenv(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lookup = |name: &str| (name.len() == 1).then(|| "value".to_owned());
    for format in [dotenv::Format::Compose, dotenv::Format::Raw] {
        match dotenv::parse(text, ".env", format, &lookup) {
            Ok(variables) => {
                let names: BTreeSet<_> = variables.iter().map(|(name, _)| name).collect();
                assert_eq!(names.len(), variables.len(), "a name is there twice");
                let produced: usize = variables.iter().map(|(_, value)| value.len()).sum();
                assert!(produced <= limits::MAX_PRODUCED_BYTES + text.len(), "{produced} bytes produced");
            }
            Err(findings) => {
                assert!(!findings.is_empty(), "refused without a reason");
                let source = SourceFile { name: ".env".to_owned(), text: text.to_owned() };
                shown(&findings, std::slice::from_ref(&source));
            }
        }
    }
}

/// What holds for every list of findings: it is bounded, its places are in the files, and it can be shown.
fn shown(diagnostics: &[Diagnostic], files: &[SourceFile]) {
    assert!(diagnostics.len() <= limits::MAX_DIAGNOSTICS + 2, "{} findings", diagnostics.len());
    for span in diagnostics.iter().filter_map(|diagnostic| diagnostic.span.as_ref()) {
        inside(span, files);
    }
    let _ = render(diagnostics, files, Color::Never);
}

/// What holds for every model: each leaf has its place in the files, and it can be printed.
fn printed(model: &Model, files: &[SourceFile]) {
    for leaf in model.leaves() {
        inside(&leaf.span, files);
        inside(&leaf.key_span, files);
    }
    let _ = model.to_json();
    model.to_yaml().expect("every model can be printed as YAML");
}

fn inside(span: &kompox_compose::Span, files: &[SourceFile]) {
    if let Some(file) = files.iter().find(|file| *file.name == *span.file) {
        assert!(file.text.get(span.range()).is_some(), "{span:?} is not in its file");
    }
}
