//! Every written leaf is accounted for exactly once, and by what was found about it.

#![expect(
    clippy::disallowed_methods,
    reason = "the core reads no files, its tests read their cases from them"
)]

use super::*;
use crate::app::matrix::tests::read;
use kompox_compose::{Input, NoFiles, SourceFile, parse};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn account(text: &str) -> (Vec<String>, Report) {
    let parsed = read(text);
    let Some(model) = parsed.model else { return (Vec::new(), Report { entries: Vec::new() }) };
    let mut diagnostics = parsed.diagnostics;
    if let Some(project) = &parsed.project {
        diagnostics.extend(matrix::constant(&model, project));
    }
    let written = model.leaves().into_iter().filter(|leaf| leaf.written);
    (written.map(|leaf| leaf.path.to_string()).collect(), report(&model, &diagnostics))
}

/// The invariant; paths whose keys hold dots can look alike, so positions count too.
fn holds(text: &str) {
    let (leaves, report) = account(text);
    let paths: Vec<String> = report.entries.iter().map(|entry| entry.path.clone()).collect();
    assert_eq!(paths, leaves, "{text}");
    let at = |entry: &Entry| (entry.path.clone(), entry.line, entry.column);
    let distinct: BTreeSet<_> = report.entries.iter().map(at).collect();
    assert_eq!(distinct.len(), report.entries.len(), "{text}");
}

fn outcome(report: &Report, path: &str) -> (Outcome, Option<&'static str>) {
    let entry = report
        .entries
        .iter()
        .find(|entry| entry.path == path)
        .unwrap_or_else(|| panic!("{path} {report:#?}"));
    (entry.outcome, entry.code)
}

#[test]
fn findings_decide_about_the_values_they_are_about() {
    let (_, report) = account(
        "services:
  web:
    image: nginx
    logging: {driver: json-file, options: {max-size: 1m}}
    devices: [/dev/a]
    init: yes
    healthcheck: {}
  off: {image: i, profiles: [p]}
x-note: text
",
    );
    assert_eq!(outcome(&report, "services.web.image"), (Outcome::Mapped, None));
    assert_eq!(outcome(&report, "services.web.logging.driver"), (Outcome::Ignored, Some("KPX7801")));
    assert_eq!(
        outcome(&report, "services.web.logging.options.max-size"),
        (Outcome::Ignored, Some("KPX7801"))
    );
    assert!(
        report
            .entries
            .iter()
            .any(|entry| entry.path.starts_with("services.web.devices[0]")
                && entry.outcome == Outcome::Refused)
    );
    assert_eq!(outcome(&report, "services.web.init"), (Outcome::Approximated, Some("KPX7208")));
    assert_eq!(outcome(&report, "services.off.image"), (Outcome::Ignored, None));
    assert_eq!(outcome(&report, "x-note"), (Outcome::Ignored, None));
    let page = report.to_markdown();
    assert!(
        page.contains(
            "| `services.web.image` | compose.yml:3:12 | mapped | `containers[].image` | verbatim |"
        ),
        "{page}"
    );
}

#[test]
fn values_are_never_shown() {
    let text = "services: {web: {image: i, environment: {PASSWORD: hunter2}, labels: {a: hunter2}}}";
    let (_, report) = account(text);
    assert!(!serde_json::to_string(&report).unwrap().contains("hunter2"));
    assert!(!report.to_markdown().contains("hunter2"));
}

fn compose_files(directory: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            compose_files(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml") {
            out.push(path);
        }
    }
}

/// Over the repository's own files, and over a corpus where `KOMPOX_CORPUS` names one.
#[test]
fn real_files_are_accounted_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    compose_files(&root.join("tests/app"), &mut files);
    compose_files(&root.join("../../examples"), &mut files);
    assert!(files.len() > 15, "the files are not where they should be");
    if let Some(corpus) = std::env::var_os("KOMPOX_CORPUS") {
        compose_files(Path::new(&corpus), &mut files);
    }
    for file in files {
        holds(&std::fs::read_to_string(&file).unwrap_or_default());
    }
}

const KEYS: &[&str] = &[
    "image: i",
    "build: {context: ., args: {A: b}}",
    "environment: {A: b, C: }",
    "environment: [A=b, C]",
    "ports: ['80', '81:82/udp']",
    "ports: [{target: 80, published: '8080', mode: host}]",
    "volumes: ['data:/d:ro', './x:/x', {type: tmpfs, target: /t, tmpfs: {size: 1m}}]",
    "deploy: {resources: {limits: {cpus: '1'}}, placement: {}, update_config: {monitor: 1s}}",
    "healthcheck: {test: [CMD, a], interval: 1s}",
    "ulimits: {nofile: 5}",
    "logging: {driver: x}",
    "x-own: {a: [b, {c: d}]}",
    "networks: {default: {priority: 5, aliases: [a]}}",
    "labels: {a.b.c: d, a: {}}",
    "unknown: 5",
    "command: a && b",
    "depends_on: [other]",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn each_leaf_exactly_once(
        keys in proptest::sample::subsequence(KEYS.to_vec(), 0..KEYS.len()).prop_shuffle(),
        second in proptest::sample::subsequence(KEYS.to_vec(), 0..4),
        profiles in any::<bool>(),
    ) {
        let lines = |keys: &[&str]| keys.iter().map(|key| format!("    {key}\n")).collect::<String>();
        let off = if profiles { "    profiles: [p]\n" } else { "" };
        let text = format!(
            "services:\n  web:\n    restart: always\n{}  other:\n    tty: true\n{}{off}volumes: {{data: }}\nx-a: 1\n",
            lines(&keys), lines(&second),
        );
        holds(&text);
    }
}

#[test]
fn a_file_that_cannot_be_read_has_nothing_to_account_for() {
    let environment = BTreeMap::new();
    let files = [SourceFile { name: "c".into(), text: "a: [".into() }];
    let input = Input {
        files: &files,
        environment: &environment,
        profiles: &[],
        provider: &NoFiles,
        project_name: None,
        variables: kompox_compose::Variables::default(),
    };
    assert!(parse(&input).model.is_none());
}
