//! `environment` and `env_file`.

use secrecy::ExposeSecret;

use super::{file, findings, read, refused, service};

fn variables(lines: &str) -> Vec<String> {
    let environment = service(lines).environment;
    environment.iter().map(|(name, variable)| format!("{name}={}", variable.value.expose_secret())).collect()
}

#[test]
fn forms_and_scalars() {
    let cases: &[(&str, &[&str])] = &[
        ("environment: {A: b, N: 5, T: true}", &["A=b", "N=5", "T=true"]),
        ("environment: [A=b, \"B=c=d\", C=]", &["A=b", "B=c=d", "C="]),
        ("environment: {}", &[]),
        ("environment: {SECRET: , MISSING: null}", &["SECRET=hunter2"]),
        ("environment: [SECRET, MISSING]", &["SECRET=hunter2"]),
        ("environment: {EMPTY: }", &["EMPTY="]),
        ("environment: {A: \"\", B: ''}", &["A=", "B="]),
        ("environment:\n  A: ${EMPTY}", &["A="]),
        ("environment: {A: $TAG, B: \"${TAG}\"}", &["A=1.10", "B=1.10"]),
        ("environment: {A: 1.10, B: 0444, C: 1_000, D: True}", &["A=1.1", "B=292", "C=1000", "D=true"]),
        ("environment: {A: '1.10', B: yes, C: on, D: 22:22}", &["A=1.10", "B=yes", "C=on", "D=22:22"]),
        ("environment: {A: !!str 1.10}", &["A=1.10"]),
        ("environment: {A: '$$HOME', B: $$1}", &["A=$HOME", "B=$1"]),
        ("environment:\n  A: |\n    one\n    two\n", &["A=one\ntwo\n"]),
        ("environment:\n  A: >-\n    one\n    two\n", &["A=one two"]),
    ];
    for (lines, expected) in cases {
        assert_eq!(variables(lines), *expected, "{lines}");
    }
}

#[test]
fn files_come_first_in_their_order() {
    let cases: &[(&str, &[&str])] = &[
        ("env_file: a.env", &["A=1", "B=file hunter2"]),
        ("env_file: ./a.env", &["A=1", "B=file hunter2"]),
        ("env_file: [a.env, sub/b.env]", &["A=1", "B=2", "C="]),
        ("env_file: [sub/b.env, a.env]", &["A=1", "B=file hunter2", "C="]),
        ("env_file: [{path: a.env, format: raw}]", &["A=1", "B=file $SECRET"]),
        ("env_file: [{path: none.env, required: false}, a.env]", &["A=1", "B=file hunter2"]),
        ("env_file: a.env\nenvironment: {B: own}", &["A=1", "B=own"]),
        ("env_file: sub/b.env\nenvironment: {A: own}", &["A=own", "B=2", "C=own"]),
        ("env_file: a.env\nenvironment: [A]", &["B=file hunter2"]),
    ];
    for (lines, expected) in cases {
        assert_eq!(variables(lines), *expected, "{lines}");
    }
}

#[test]
fn the_origin_of_a_variable_is_kept() {
    let environment = service("env_file: a.env\nenvironment:\n  B: own").environment;
    let origin = |name: &str| {
        let span = &environment[name].span;
        format!("{}:{}:{}", span.file, span.line, span.column)
    };
    assert_eq!((origin("A").as_str(), origin("B").as_str()), ("a.env:1:1", "compose.yml:6:7"));
}

#[test]
fn bad_environments() {
    refused(&[
        ("environment: text", "KPX7204"),
        ("environment: {A: [b]}", "KPX7204"),
        ("environment: [5]", "KPX7204"),
        ("environment: [\"=b\"]", "KPX7404"),
        ("environment: {\"A=B\": c}", "KPX7404"),
        ("environment: {\"é\": c}", "KPX7404"),
        ("environment: {A: \"a\\0b\"}", "KPX7205"),
        ("env_file: none.env", "KPX7401"),
        ("env_file: {path: a.env}", "KPX7204"),
        ("env_file: [{required: false}]", "KPX7206"),
        ("env_file: [{path: a.env, format: json}]", "KPX7205"),
        ("env_file: [{path: a.env, optional: true}]", "KPX7201"),
        ("env_file: 5", "KPX7204"),
    ]);
}

#[test]
fn notes_name_the_variable_and_no_value() {
    let cases = [
        (
            "environment: {VERSION: 1.10}",
            "KPX7209 `VERSION` is a number without quotes, and reads back as different text",
        ),
        (
            "environment: [MISSING]",
            "KPX7403 the variable `MISSING` has no value here or outside: it is left out",
        ),
        (
            "environment: {A: $MISSING}",
            "KPX7103 the variable `MISSING` is not set: nothing stands in its place",
        ),
        ("environment: [A=1, A=hunter2]", "KPX7211 `environment[1]` repeats an earlier entry"),
    ];
    for (lines, expected) in cases {
        assert_eq!(findings(lines), [expected], "{lines}");
    }
}

#[test]
fn values_never_print() {
    let texts = [
        file("environment: {A: $SECRET}"),
        file("env_file: a.env"),
        file("env_file: bad.env"),
        file("restart: $SECRET"),
        file("restart: ${MISSING:?$SECRET}"),
        file("ports: [\"${SECRET}\"]"),
        file("healthcheck: {test: a, interval: $SECRET}"),
        file("init: $SECRET"),
        file("pull_policy: $SECRET"),
        file("depends_on: {a: {condition: $SECRET}}"),
        file("environment: {A: \"${SECRET}\\0\"}"),
        file("tmpfs: /run:size=$SECRET"),
        file("deploy: {replicas: $SECRET}"),
    ];
    for text in texts {
        let parsed = read(&text);
        let plain: String =
            parsed.diagnostics.iter().map(|d| format!("{d} {:?} {}\n", d.help, d.path)).collect();
        assert!(!plain.contains("hunter2"), "{text}\n{plain}");
        assert!(!format!("{:?}", parsed.project.map(|p| p.services)).contains("hunter2"), "{text}");
    }
}
