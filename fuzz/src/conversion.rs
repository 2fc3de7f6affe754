//! The whole conversion: an app, what it refers to, and everything that is made of them.

use crate::input::Input;
use kompox_compose::Severity;
use kompox_core::app::{Content, Facts, PodSecurity, SecretText, Settings, render, report};
use kompox_crds::KompoxApp;
use kompox_crds::v1alpha1::KompoxAppSpec;
use serde_json::{Value, json};

/// Converts an app, twice.
pub fn conversion(data: &[u8]) {
    let Some(input) = Input::of(data) else { return };
    let (app, facts) = (app(&input), facts(&input));
    let settings = Settings { image_volumes: true, ..Settings::default() };
    let rendered = render(&app, &facts, &settings);
    let validation = &rendered.validation;
    let _ = validation.problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    crate::shown(&validation.diagnostics, &input.files);
    if let Some(model) = &validation.model {
        crate::printed(model, &input.files);
        let written = model.leaves().iter().filter(|leaf| leaf.written).count();
        let report = report(model, &validation.diagnostics);
        assert_eq!(report.entries.len(), written, "each value is accounted for exactly once");
        let _ = report.to_markdown();
    }
    let Some(resources) = rendered.resources else {
        assert!(!validation.problems.is_empty(), "refused without a reason");
        return;
    };
    let errors = validation.diagnostics.iter().filter(|finding| finding.severity == Severity::Error);
    assert_eq!(errors.count(), 0, "accepted in spite of an error");
    let documents = resources.documents().expect("every object can be written");
    let again = render(&app, &facts, &settings).resources.expect("accepted a moment ago");
    assert_eq!(documents, again.documents().expect("every object can be written"), "the second time");
}

/// The app with the spec of the input, as far as that is one; what the input holds is wired to it.
fn app(input: &Input) -> KompoxApp {
    let given: Value = serde_saphyr::from_str(&input.spec).unwrap_or_default();
    let with = |given: &Value| serde_json::from_value::<KompoxAppSpec>(wired(given, input)).ok();
    let spec = with(&given).or_else(|| with(&Value::Null)).expect("the wiring alone is a spec");
    let mut app = KompoxApp::new("fuzz", spec);
    app.metadata.namespace = Some("fuzz".to_owned());
    app
}

fn wired(given: &Value, input: &Input) -> Value {
    let mut spec = given.as_object().cloned().unwrap_or_default();
    let overrides: Vec<_> = input.files.iter().skip(1).map(|file| &file.name).collect();
    let of_given = |key: &str| given.pointer(&format!("/compose/{key}")).cloned();
    spec.insert(
        "compose".to_owned(),
        json!({
            "configMapRef": { "name": "compose" },
            "overrideKeys": overrides,
            "profiles": of_given("profiles").unwrap_or_else(|| json!([])),
            "serviceNames": of_given("serviceNames").unwrap_or_else(|| json!("Reject")),
            "envFrom": [{ "secretRef": { "name": "environment" } }],
        }),
    );
    let mounts: Vec<_> = input
        .beside
        .keys()
        .map(|path| json!({ "path": path, "configMapRef": { "name": "files", "key": key(path) } }))
        .collect();
    spec.insert("files".to_owned(), json!({ "mounts": mounts }));
    spec.entry("volumes").or_insert_with(|| json!([{ "name": "default", "diskRef": { "name": "default" } }]));
    Value::Object(spec)
}

fn facts(input: &Input) -> Facts {
    let text = |text: &String| SecretText::new(text.clone().into_bytes());
    let mut compose = Content::new();
    for (index, file) in input.files.iter().enumerate() {
        let key = if index == 0 { "compose.yml".to_owned() } else { file.name.clone() };
        compose.insert(key, text(&file.text));
    }
    let files = input.beside.iter().map(|(path, content)| (key(path), text(content))).collect();
    let environment = input.environment.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let privileged = input.spec.contains("privileged");
    Facts {
        config_maps: [("compose".to_owned(), compose), ("files".to_owned(), files)].into(),
        secrets: [("environment".to_owned(), environment)].into(),
        pod_security: if privileged { PodSecurity::Privileged } else { PodSecurity::Baseline },
    }
}

/// A path as a key of a ConfigMap.
fn key(path: &str) -> String {
    path.trim_start_matches("./").replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-")
}
