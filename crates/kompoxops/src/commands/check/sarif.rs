//! Findings as SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).

use std::collections::BTreeMap;

use kompox_compose::{Code, Diagnostic, Severity, Span};
use serde_json::{Value, json};

/// One run with a rule for each code that was met and a result for each finding.
pub(super) fn document(diagnostics: &[Diagnostic]) -> Value {
    let rules: BTreeMap<&str, &Code> = diagnostics.iter().map(|found| (found.code.id, found.code)).collect();
    let index: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(index, id)| (*id, index)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "kompoxops",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.values().map(|code| rule(code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": diagnostics.iter().map(|found| result(found, &index)).collect::<Vec<_>>(),
        }],
    })
}

fn rule(code: &Code) -> Value {
    json!({
        "id": code.id,
        "shortDescription": {"text": code.summary},
        "defaultConfiguration": {"level": level(code.severity)},
    })
}

fn result(found: &Diagnostic, index: &BTreeMap<&str, usize>) -> Value {
    let help = found.help.as_ref().map(|help| format!(". Help: {help}")).unwrap_or_default();
    let mut result = json!({
        "ruleId": found.code.id,
        "ruleIndex": index.get(found.code.id),
        "level": level(found.severity),
        "message": {"text": format!("{}{help}", found.message)},
    });
    if let (Some(span), Some(members)) = (&found.span, result.as_object_mut()) {
        let mut place = location(span);
        if let (false, Some(place)) = (found.path.is_empty(), place.as_object_mut()) {
            place.insert("logicalLocations".to_owned(), json!([{"fullyQualifiedName": found.path}]));
        }
        members.insert("locations".to_owned(), json!([place]));
        let related: Vec<Value> =
            found.related.iter().map(|related| related_location(&related.span, &related.label)).collect();
        if !related.is_empty() {
            members.insert("relatedLocations".to_owned(), json!(related));
        }
    }
    result
}

fn related_location(span: &Span, label: &str) -> Value {
    let mut place = location(span);
    if let Some(place) = place.as_object_mut() {
        place.insert("message".to_owned(), json!({"text": label}));
    }
    place
}

fn location(span: &Span) -> Value {
    json!({"physicalLocation": {
        "artifactLocation": {"uri": span.file.replace(' ', "%20")},
        "region": {
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
        },
    }})
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}
