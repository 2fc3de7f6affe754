//! What the operator would make of an app, computed here by the same code: findings before anything is sent,
//! and the objects themselves for `render`. No cluster is asked.

use std::collections::BTreeMap;

use kompox_compose::{Color, Severity, SourceFile};
use kompox_core::app::{
    AppResources, Content, Facts, PodSecurity, Problem, Rendered, SecretText, Settings, Validation, render,
};
use kompox_core::resources::Prepared;
use kompox_crds::{KompoxApp, Reason};

use crate::console::note;
use crate::failure::Failure;
use crate::generate::{Objects, Request};
use crate::naming;

/// The objects, after showing on standard error what was found.
///
/// # Errors
/// When the operator could not make the app run as it is: a finding in the Compose file or a problem with the
/// options; all of them have been printed.
pub fn accepted(request: &Request, rendered: Rendered) -> Result<AppResources<Prepared>, Failure> {
    let errors = show(request, &rendered.validation);
    rendered.resources.ok_or(Failure::Compose { errors })
}

/// Converts an app without showing anything.
///
/// # Errors
/// When the objects do not fit their types.
pub fn rendered(
    request: &Request,
    objects: &Objects,
    pod_security: PodSecurity,
) -> Result<Rendered, Failure> {
    let app: KompoxApp = serde_json::from_value(objects.app.clone())
        .map_err(|error| Failure::Output(format!("the KompoxApp does not fit its type: {error}")))?;
    Ok(render(&app, &Facts { pod_security, ..facts(request) }, &Settings::default()))
}

/// The Compose files under the names that findings give them.
pub fn sources(request: &Request) -> Vec<SourceFile> {
    let files = std::iter::once(&request.compose).chain(&request.overrides);
    let given = files.map(|file| SourceFile { name: file.key(), text: file.text.clone() });
    given.chain(request.named.iter().cloned()).collect()
}

/// Problems that are not findings in the Compose file, which are shown in full already.
pub fn problems(validation: &Validation) -> impl Iterator<Item = &Problem> {
    validation.problems.iter().filter(|problem| problem.reason != Reason::ComposeInvalid)
}

/// The content that would be read from the cluster.
fn facts(request: &Request) -> Facts {
    let content = |pairs: BTreeMap<String, &String>| -> Content {
        pairs.into_iter().map(|(key, text)| (key, SecretText::new(text.as_bytes()))).collect()
    };
    let files = std::iter::once(&request.compose).chain(&request.overrides);
    let compose = content(files.map(|file| (file.key(), &file.text)).collect());
    let variables = request.variables.iter().map(|(name, value)| (name.clone(), value)).collect();
    let files = request.files.iter().map(|(path, text)| (naming::key_of_path(path), text)).collect();
    Facts {
        config_maps: BTreeMap::from([(naming::compose_map(&request.name), compose)]),
        secrets: BTreeMap::from([
            (naming::variables_secret(&request.name), content(variables)),
            (naming::files_secret(&request.name), content(files)),
        ]),
        ..Facts::default()
    }
}

/// Prints all findings; gives the number of those that stand in the way.
fn show(request: &Request, validation: &Validation) -> usize {
    let sources = sources(request);
    if !validation.diagnostics.is_empty() {
        // The stream takes the colours out where nobody sees them.
        note(kompox_compose::render(&validation.diagnostics, &sources[..], Color::Always).trim_end());
    }
    let problems: Vec<_> = problems(validation).collect();
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
            overrides: Vec::new(),
            profiles: Vec::new(),
            variables: BTreeMap::from([("TAG".into(), "1.27".into())]),
            files: BTreeMap::from([("./web.env".into(), "A=b\n".into())]),
            named: Vec::new(),
            disk: Some(DiskRequest { size: "1Gi".into(), ..DiskRequest::default() }),
            routes: vec![Route { host: "web.example.com".into(), port: 8080 }],
            domain: None,
            ingress_class: None,
        }
    }

    fn kinds(request: &Request) -> Result<Vec<String>, Failure> {
        let documents =
            accepted(request, rendered(request, &generate::objects(request), PodSecurity::Baseline)?)?
                .documents()
                .unwrap_or_default();
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
