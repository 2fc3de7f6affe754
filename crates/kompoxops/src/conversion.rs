//! What the operator would make of an app, computed here by the same code: findings before anything is sent,
//! and the objects themselves for `render`. No cluster is asked.

use std::collections::BTreeMap;

use kompox_compose::{Color, Severity, SourceFile};
use kompox_core::app::{AppResources, Content, Facts, Problem, SecretText, Settings, Validation, render};
use kompox_core::resources::Prepared;
use kompox_crds::{KompoxApp, Reason};

use crate::console::note;
use crate::failure::Failure;
use crate::generate::{Objects, Request};
use crate::naming;

/// Converts an app, showing what was found on standard error.
///
/// # Errors
/// When the operator could not make the app run as it is: a finding in the Compose file or a problem with the
/// options; all of them have been printed.
pub fn convert(request: &Request, objects: &Objects) -> Result<AppResources<Prepared>, Failure> {
    let app: KompoxApp = serde_json::from_value(objects.app.clone())
        .map_err(|error| Failure::Output(format!("the KompoxApp does not fit its type: {error}")))?;
    let rendered = render(&app, &facts(request), &Settings::default());
    let errors = show(request, &rendered.validation);
    rendered.resources.ok_or(Failure::Compose { errors })
}

/// The content that would be read from the cluster.
fn facts(request: &Request) -> Facts {
    let content = |pairs: BTreeMap<String, &String>| -> Content {
        pairs.into_iter().map(|(key, text)| (key, SecretText::new(text.as_bytes()))).collect()
    };
    let compose = &request.compose;
    let compose = content(BTreeMap::from([(naming::key_of_path(&compose.file_name), &compose.text)]));
    let variables = request.variables.iter().map(|(name, value)| (name.clone(), value)).collect();
    let files = request.files.iter().map(|(path, text)| (naming::key_of_path(path), text)).collect();
    Facts {
        config_maps: BTreeMap::from([(naming::compose_map(&request.name), compose)]),
        secrets: BTreeMap::from([
            (naming::variables_secret(&request.name), content(variables)),
            (naming::files_secret(&request.name), content(files)),
        ]),
    }
}

/// Prints all findings; gives the number of those that stand in the way.
fn show(request: &Request, validation: &Validation) -> usize {
    let compose = &request.compose;
    let sources = [SourceFile { name: naming::key_of_path(&compose.file_name), text: compose.text.clone() }];
    if !validation.diagnostics.is_empty() {
        // The stream takes the colours out where nobody sees them.
        note(kompox_compose::render(&validation.diagnostics, &sources[..], Color::Always).trim_end());
    }
    // The summary of what was just shown in full.
    let is_shown = |problem: &&Problem| problem.reason == Reason::ComposeInvalid;
    let problems: Vec<_> = validation.problems.iter().filter(|problem| !is_shown(problem)).collect();
    problems.iter().for_each(|problem| note(format!("error: {problem}")));
    validation.shortfalls.iter().for_each(|problem| note(format!("warning: {problem}")));
    let in_file = validation.diagnostics.iter().filter(|finding| finding.severity == Severity::Error).count();
    in_file + problems.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{self, ComposeText, DiskRequest, Namespace, Route};

    fn request(text: &str) -> Request {
        Request {
            name: "web".into(),
            workspace: "default".into(),
            namespace: Namespace::Existing("n".into()),
            compose: ComposeText { file_name: "compose.yml".into(), text: text.into() },
            profiles: Vec::new(),
            variables: BTreeMap::from([("TAG".into(), "1.27".into())]),
            files: BTreeMap::from([("./web.env".into(), "A=b\n".into())]),
            disk: Some(DiskRequest { size: "1Gi".into(), ..DiskRequest::default() }),
            routes: vec![Route { host: "web.example.com".into(), port: 8080 }],
            domain: None,
            ingress_class: None,
        }
    }

    fn kinds(request: &Request) -> Result<Vec<String>, Failure> {
        let documents = convert(request, &generate::objects(request))?.documents().unwrap_or_default();
        Ok(documents.iter().map(|object| object["kind"].to_string().replace('"', "")).collect())
    }

    #[test]
    fn variables_files_volumes_and_routes_reach_the_conversion() {
        let text = "services:\n  web:\n    image: nginx:${TAG:?}\n    env_file: ./web.env\n    ports: [\"8080:80\"]\n    volumes: [\"data:/data\"]\nvolumes:\n  data: {}\n";
        let kinds = kinds(&request(text)).unwrap();
        for kind in ["Secret", "Service", "StatefulSet", "Ingress"] {
            assert!(kinds.iter().any(|found| found == kind), "{kind} is not in {kinds:?}");
        }
    }

    #[test]
    fn every_error_counts() {
        let text = "services:\n  web:\n    image: nginx\n    privilegedd: true\n    porst: []\n";
        assert!(matches!(kinds(&request(text)), Err(Failure::Compose { errors: 2 })));
    }
}
