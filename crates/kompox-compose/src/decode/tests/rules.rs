//! The file as a whole, and the rules between its parts.

use super::{project, read};

fn codes(text: &str) -> Vec<&'static str> {
    read(text).diagnostics.iter().map(|d| d.code.id).collect()
}

#[test]
fn the_name_given_wins() {
    assert_eq!(project("name: other\nservices: {a: {image: b}}").name.as_deref(), Some("app"));
}

#[test]
fn the_project_name_is_a_variable() {
    let services = project("services: {a: {image: \"r/$COMPOSE_PROJECT_NAME\"}}").services;
    assert_eq!(services["a"].image.as_ref().expect("an image").value, "r/app");
}

#[test]
fn bad_files() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["KPX7009"]),
        ("# nothing\n", &["KPX7009"]),
        ("---\n", &["KPX7009"]),
        ("text", &["KPX7204"]),
        ("[a]", &["KPX7204"]),
        ("name: x", &["KPX7206"]),
        ("services: {}", &["KPX7206"]),
        ("services:", &["KPX7204"]),
        ("services: [a]", &["KPX7204"]),
        ("services: {a: }", &["KPX7204"]),
        ("services: {a: {}}", &["KPX7501"]),
        ("services: {a: {image: \"\"}}", &["KPX7501"]),
        ("services: {a: {build: .}}", &[]),
        ("services: {a: {provider: {type: x}}}", &[]),
        ("services: {\"a b\": {image: c}}", &["KPX7205"]),
        ("web: {image: a}", &["KPX7201", "KPX7206"]),
        ("services: {a: {image: b}}\nsecrets: {}", &[]),
        ("services: {a: {image: b}}\nservice: {}", &["KPX7201"]),
        ("services: {a: {image: b}}\nx-kompox: {any: key}", &["KPX7201"]),
        ("services: {a: {image: b}}\nx-other: {}\nversion: '3'", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(codes(text), *expected, "{text:?}");
    }
}

#[test]
fn cycles_are_named_in_full() {
    let text = "services:
  a: {image: i, depends_on: [b]}
  b: {image: i, depends_on: [c]}
  c: {image: i, depends_on: [a]}
  d: {image: i, depends_on: [a]}
";
    let parsed = read(text);
    assert_eq!(parsed.diagnostics.len(), 1, "{:#?}", parsed.diagnostics);
    let message = &parsed.diagnostics[0].message;
    assert_eq!(message, "services depend on each other in a circle: `a` → `b` → `c` → `a`");
}

#[test]
fn references_between_services() {
    let cases: &[(&str, &[&str])] = &[
        ("{a: {image: i, depends_on: [b]}, b: {image: i, profiles: [p]}}", &["KPX7504"]),
        ("{a: {image: i, depends_on: {b: {condition: service_healthy}}}, b: {image: i}}", &["KPX7509"]),
        ("{a: {image: i, depends_on: [b]}, b: {}}", &["KPX7501"]),
        ("{a: {image: i, container_name: same}, b: {image: i, container_name: same}}", &["KPX7510"]),
        ("{a: {image: i, depends_on: [aa]}, ab: {image: i}}", &["KPX7503"]),
    ];
    for (services, expected) in cases {
        assert_eq!(codes(&format!("services: {services}")), *expected, "{services}");
    }
}

#[test]
fn a_long_chain_of_dependencies_is_no_cycle() {
    let mut text = String::from("services:\n  s0: {image: i}\n");
    for n in 1..5000 {
        text.push_str(&format!("  s{n}: {{image: i, depends_on: [s{}]}}\n", n - 1));
    }
    assert_eq!(project(&text).services.len(), 5000);
}
