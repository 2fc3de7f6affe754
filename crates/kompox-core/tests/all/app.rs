//! Golden tests of the app conversion: `tests/app/<case>/` holds `app.yaml`, `compose.yml`, further
//! content as `configmap.<name>.yaml` and `secret.<name>.yaml` (key to text), and what is expected in
//! `expected/`. `KOMPOX_UPDATE_GOLDENS=1 cargo test -p kompox-core` writes the expectations anew.

use kompox_core::app::{Facts, PodSecurity, SecretText, Settings, build, validate};
use kompox_crds::KompoxApp;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Files = BTreeMap<String, String>;

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/app");
    let mut cases: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 12, "the cases are not where they should be");
    cases
}

/// A case's inputs.
struct Case {
    app: KompoxApp,
    facts: Facts,
    finished: BTreeSet<String>,
}

fn read(case: &Path) -> Case {
    let text = |name: &str| fs::read_to_string(case.join(name)).unwrap();
    let app: KompoxApp = serde_saphyr::from_str(&text("app.yaml")).unwrap();
    let mut facts = Facts::default();
    for entry in fs::read_dir(case).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let (kind, rest) = name.split_once('.').unwrap_or_default();
        let objects = match kind {
            "configmap" => &mut facts.config_maps,
            "secret" => &mut facts.secrets,
            _ => continue,
        };
        let data: BTreeMap<String, String> = serde_saphyr::from_str(&text(&name)).unwrap();
        let content = data.into_iter().map(|(key, value)| (key, SecretText::new(value))).collect();
        objects.insert(rest.trim_end_matches(".yaml").to_owned(), content);
    }
    let compose = &app.spec.compose.config_map_ref;
    if case.join("compose.yml").exists() {
        let content = facts.config_maps.entry(compose.name.clone()).or_default();
        content.insert(compose.key.clone(), SecretText::new(text("compose.yml")));
    }
    if case.join("privileged").exists() {
        facts.pod_security = PodSecurity::Privileged;
    }
    let finished = fs::read_to_string(case.join("finished")).unwrap_or_default();
    Case { app, facts, finished: finished.lines().map(str::to_owned).collect() }
}

/// What a case comes to, by file name.
fn actual(case: &Case) -> Files {
    let validation = validate(&case.app, &case.facts, &Settings::default());
    let mut files = Files::new();
    let lines = |list: Vec<String>| list.into_iter().map(|line| line + "\n").collect::<String>();
    let findings = validation
        .problems
        .iter()
        .map(|problem| format!("{} {problem}", problem.reason.as_str()))
        .chain(validation.shortfalls.iter().map(|problem| format!("shortfall: {problem}")))
        .chain(validation.diagnostics.iter().map(ToString::to_string))
        .collect();
    files.insert("findings.txt".to_owned(), lines(findings));
    if let Some(app) = &validation.app {
        for document in build(app, &case.finished).documents().unwrap() {
            let name = format!(
                "{}-{}.yaml",
                document["kind"].as_str().unwrap().to_lowercase(),
                document["metadata"]["name"].as_str().unwrap()
            );
            let yaml = serde_saphyr::to_string(&document).unwrap();
            assert!(files.insert(name.clone(), yaml).is_none(), "{name} twice");
        }
    }
    files
}

fn expected(directory: &Path) -> Files {
    let Ok(entries) = fs::read_dir(directory) else { return Files::new() };
    entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
        .collect()
}

fn update(directory: &Path, files: &Files) {
    let _ = fs::remove_dir_all(directory);
    fs::create_dir_all(directory).unwrap();
    for (name, text) in files {
        fs::write(directory.join(name), text).unwrap();
    }
}

#[test]
fn every_case_gives_the_expected_bytes() {
    let writes = std::env::var_os("KOMPOX_UPDATE_GOLDENS").is_some();
    let mut wrong = Vec::new();
    for path in cases() {
        let actual = actual(&read(&path));
        let directory = path.join("expected");
        if writes {
            update(&directory, &actual);
        }
        let expected = expected(&directory);
        let names: BTreeSet<_> = actual.keys().chain(expected.keys()).collect();
        for name in names.into_iter().filter(|name| actual.get(*name) != expected.get(*name)) {
            let show =
                |files: &Files| files.get(name).cloned().unwrap_or_else(|| "(no such file)".to_owned());
            wrong.push(format!(
                "--- {}/{name}\nexpected:\n{}\nactual:\n{}",
                path.display(),
                show(&expected),
                show(&actual)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Input maps and lists without order may come in any order; the objects stay the same to the byte.
mod any_order {
    use super::*;
    use proptest::prelude::*;

    const LINES: [&str; 6] = [
        "      A: \"1\"",
        "      B: $$x",
        "      C: \"\"",
        "      D_E: long value",
        "      F: \"true\"",
        "      G: é",
    ];
    const SERVICES: [&str; 3] = [
        "  web:\n    image: web:1\n    ports: [\"80:80\"]\n    volumes: [\"data:/data\"]\n    environment:\n",
        "  db:\n    image: db:1\n    volumes: [\"data:/db\"]\n    environment:\n",
        "  job:\n    image: job:1\n    restart: \"no\"\n    environment:\n",
    ];
    const VOLUMES: [&str; 3] = ["other", "data", "default"];

    fn documents(services: &[&str], lines: &[&str], volumes: &[&str]) -> String {
        let body: String =
            services.iter().map(|service| format!("{service}{}\n", lines.join("\n"))).collect();
        let compose = format!("services:\n{body}volumes:\n  data:\n");
        let volumes: Vec<_> = volumes
            .iter()
            .map(|name| serde_json::json!({ "name": name, "diskRef": { "name": format!("disk-{name}") } }))
            .collect();
        let app: KompoxApp = serde_json::from_value(serde_json::json!({
            "apiVersion": "k8s.kompox.dev/v1alpha1",
            "kind": "KompoxApp",
            "metadata": { "name": "a", "namespace": "n", "uid": "u" },
            "spec": { "compose": { "configMapRef": { "name": "c" } }, "volumes": volumes },
        }))
        .unwrap();
        let mut facts = Facts::default();
        let content = BTreeMap::from([("compose.yml".to_owned(), SecretText::new(compose))]);
        facts.config_maps.insert("c".to_owned(), content);
        let validation = validate(&app, &facts, &Settings::default());
        assert_eq!(validation.problems, []);
        let resources = build(&validation.app.unwrap(), &BTreeSet::new());
        serde_json::to_string(&resources.documents().unwrap()).unwrap()
    }

    proptest! {
        #[test]
        fn gives_the_same_bytes(
            services in Just(SERVICES.to_vec()).prop_shuffle(),
            lines in Just(LINES.to_vec()).prop_shuffle(),
            volumes in Just(VOLUMES.to_vec()).prop_shuffle(),
        ) {
            prop_assert_eq!(documents(&services, &lines, &volumes), documents(&SERVICES, &LINES, &VOLUMES));
        }
    }
}
