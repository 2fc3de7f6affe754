//! The reader as a whole: what its output looks like, and what holds for any input.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::{Color, Input, NoFiles, Parsed, SourceFile, dotenv, parse, render};

fn read(text: &str) -> (Vec<SourceFile>, Parsed) {
    let files = vec![SourceFile { name: "compose.yml".into(), text: text.into() }];
    let environment: BTreeMap<String, String> = [("A".to_owned(), "value".to_owned())].into();
    let parsed = parse(&Input {
        files: &files,
        environment: &environment,
        profiles: &[],
        provider: &NoFiles,
        project_name: None,
        variables: crate::Variables::Replace,
    });
    (files, parsed)
}

fn rendered(text: &str) -> String {
    let (files, parsed) = read(text);
    render(&parsed.diagnostics, files.as_slice(), Color::Never)
}

/// A file with one fault of many kinds.
const FAULTY: &str = "\
version: \"3\"
services:
  web:
    image: nginx:${TAG}
    enviroment:
      A: b
    command: a && b
    ports:
      - 8080:http
    privileged: true
  db:
    image: postgres
    image: mysql
    volumes:
      - data:/var/lib
";

#[test]
fn errors_look_like_those_of_a_compiler() {
    insta::assert_snapshot!(rendered(FAULTY), @r#"
    warning[KPX7103]: the variable `TAG` is not set: nothing stands in its place
     --> compose.yml:4:18
      |
    4 |     image: nginx:${TAG}
      |                  ^^^^^^
      |
      = help: set it, or write a default: `${TAG:-default}`; a literal dollar sign is `$$`

    error[KPX7201]: unknown key `enviroment`
     --> compose.yml:5:5
      |
    5 |     enviroment:
      |     ^^^^^^^^^^
      |
      = help: did you mean `environment`?

    error[KPX7301]: `command` has an unquoted `&`, but no shell reads it
     --> compose.yml:7:14
      |
    7 |     command: a && b
      |              ^^^^^^
      |
      = help: start a shell: `["sh", "-c", "…"]`; or put the operator in quotes

    error[KPX7205]: `8080:http` is no valid value of `ports[0]`
     --> compose.yml:9:9
      |
    9 |       - 8080:http
      |         ^^^^^^^^^
      |
      = help: write `[[HOST_IP:]PUBLISHED:]CONTAINER[/PROTOCOL]` with ports from 1 to 65535

    error[KPX7004]: the key `image` is given twice
      --> compose.yml:13:5
       |
    12 |     image: postgres
       |     ----- first given here
    13 |     image: mysql
       |     ^^^^^

    error[KPX7502]: service `db` mounts the volume `data`, which is not declared
      --> compose.yml:15:9
       |
    15 |       - data:/var/lib
       |         ^^^^^^^^^^^^^
       |
       = help: declare it at the top level: `volumes: { data: {} }`
    "#);
}

#[test]
fn the_short_form_is_one_line() {
    let (_, parsed) = read("services:\n  web:\n    imgae: x\n    image: y\n");
    let lines: Vec<String> = parsed.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["compose.yml:3:5: error KPX7201: unknown key `imgae`"]);
}

#[test]
fn diagnostics_serialise_for_machines() {
    let (_, parsed) = read("services:\n  web:\n    imgae: x\n    image: y\n");
    insta::assert_snapshot!(serde_json::to_string_pretty(&parsed.diagnostics).expect("JSON"), @r#"
    [
      {
        "code": "KPX7201",
        "severity": "error",
        "path": "services.web.imgae",
        "span": {
          "file": "compose.yml",
          "start": 21,
          "end": 26,
          "line": 3,
          "column": 5,
          "end_line": 3,
          "end_column": 10
        },
        "message": "unknown key `imgae`",
        "help": "did you mean `image`?"
      }
    ]
    "#);
}

#[test]
fn a_file_that_is_not_at_hand_is_named_without_its_lines() {
    let (_, parsed) = read("services: 5");
    let none: &[SourceFile] = &[];
    insta::assert_snapshot!(render(&parsed.diagnostics, none, Color::Never), @r"
    error[KPX7204]: `services` must be a mapping, not a number
    --> compose.yml:1:11
    ");
}

#[test]
fn colours_are_escape_sequences() {
    let (files, parsed) = read("services: 5");
    assert!(render(&parsed.diagnostics, files.as_slice(), Color::Always).contains("\u{1b}["));
}

fn files(texts: &[(&str, &str)]) -> Parsed {
    let file = |(name, text): &(&str, &str)| SourceFile { name: (*name).into(), text: (*text).into() };
    let files: Vec<SourceFile> = texts.iter().map(file).collect();
    parse(&Input {
        files: &files,
        environment: &BTreeMap::new(),
        profiles: &[],
        provider: &NoFiles,
        project_name: None,
        variables: crate::Variables::Replace,
    })
}

#[test]
fn no_file_is_an_error_and_several_are_merged() {
    assert_eq!(files(&[]).diagnostics[0].code.id, "KPX7010");
    let merged = files(&[
        ("a.yml", "services: {a: {image: b}}"),
        ("b.yml", "services: {a: {image: c}, d: {image: e}}"),
    ]);
    let services = merged.project.expect("a project").services;
    assert_eq!(services.keys().collect::<Vec<_>>(), ["a", "d"]);
    assert_eq!(&*services["a"].image.as_ref().expect("an image").span.file, "b.yml");
}

#[test]
fn documents_of_one_file_are_merged_like_files() {
    let text = "x-a: &a {image: b}\nservices: {a: *a, c: {extends: a}}\n---\n---\nservices: {a: {image: !reset null, build: .}, d: {image: e}}\n---\n";
    let merged = files(&[("a.yml", text)]);
    let model = merged.model.expect("a model").to_json();
    let of = |service: &str| model["services"][service].to_string();
    assert!(of("a").contains("build") && !of("a").contains("image"), "{}", of("a"));
    assert!(of("c").contains(r#""image":"b""#) && of("d").contains(r#""image":"e""#), "{model}");
    let other = files(&[("a.yml", "services: {a: {image: b}}\n---\n[1]")]);
    assert_eq!(other.diagnostics[0].code.id, "KPX7204");
    let anchors =
        files(&[("a.yml", "x-a: &a b\nservices: {a: {image: b}}\n---\nservices: {c: {image: *a}}")]);
    assert_eq!(anchors.diagnostics[0].code.id, "KPX7002");
}

#[test]
fn many_findings_are_cut_and_counted() {
    let text: String = (0..2000).map(|n| format!("k{n}: $V{n}\n")).collect();
    let (_, parsed) = read(&text);
    assert_eq!(parsed.diagnostics.len(), crate::limits::MAX_DIAGNOSTICS + 2);
    let last: Vec<&str> = parsed.diagnostics.iter().rev().take(2).map(|d| d.code.id).collect();
    assert_eq!(last, ["KPX7098", "KPX7099"]);
}

/// Pieces of Compose files: text made of them gets further than random characters.
fn fragments() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("services:\n"),
        Just("  web:\n"),
        Just("    image: a\n"),
        Just("    ports:\n"),
        Just("      - "),
        Just("80:80"),
        Just("8000-8010:80-90/udp\n"),
        Just("    environment:\n"),
        Just("      A: "),
        Just("${A}\n"),
        Just("${B:-${C:?x}}\n"),
        Just("    volumes: [data:/d]\n"),
        Just("volumes: {data: }\n"),
        Just("&a "),
        Just("*a\n"),
        Just("<<: *a\n"),
        Just("\n"),
        Just("  "),
        Just("\t"),
        Just("!!str "),
        Just("!reset "),
        Just("|\n"),
        Just(">-\n"),
        Just("'"),
        Just("\""),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(", "),
        Just(": "),
        Just("? "),
        Just("- "),
        Just("# é\n"),
        Just("\r\n"),
        Just("---\n"),
        Just("\u{feff}"),
        Just("🦀"),
        Just("    depends_on: [web]\n"),
        Just("    healthcheck: {test: [CMD, a], interval: 5s}\n"),
        Just("\0"),
        Just("    command: a 'b c' && d\n"),
        Just("    env_file: x\n"),
        Just("    tmpfs: /x:size=5\n"),
        Just("    deploy: {replicas: 2}\n"),
        Just("    networks: {n: }\n"),
        Just("    expose: [1-9]\n"),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// What must hold for every input.
fn check(text: &str) {
    let (files, parsed) = read(text);
    let errors = parsed.diagnostics.iter().any(|d| d.severity == crate::Severity::Error);
    assert_eq!(parsed.project.is_none(), errors, "{text:?}");
    for diagnostic in &parsed.diagnostics {
        if let Some(span) = &diagnostic.span {
            assert!(text.get(span.range()).is_some(), "{text:?} {span:?}");
            let before = text.get(..span.range().start).expect("a boundary");
            let newlines = before.matches('\n').count() + before.replace("\r\n", "").matches('\r').count();
            assert_eq!(span.line as usize, newlines + 1, "{text:?} {span:?}");
        }
    }
    assert!(render(&parsed.diagnostics, files.as_slice(), Color::Never).len() >= parsed.diagnostics.len());
    assert_eq!(read(text).1, parsed);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC*|[\\s\\S]{0,60}") {
        check(&text);
    }

    #[test]
    fn any_mixture_of_fragments_is_read_without_panic(text in fragments()) {
        check(&text);
    }

    #[test]
    fn any_environment_file_is_read_without_panic(text in "[A-Z=:'\"$\\\\{}#\\s\\-0-9é]{0,60}") {
        for format in [dotenv::Format::Compose, dotenv::Format::Raw] {
            let outcome = dotenv::parse(&text, "x.env", format, &|name| Some(name.to_lowercase()));
            for error in outcome.err().into_iter().flatten() {
                let span = error.span.expect("a place");
                prop_assert!(text.get(span.range()).is_some());
            }
        }
    }

    /// The order of a mapping's keys means nothing.
    #[test]
    fn the_order_of_keys_does_not_matter(order in Just(KEYS.to_vec()).prop_shuffle()) {
        let text: String = order.iter().map(|key| format!("    {key}\n")).collect();
        let (_, parsed) = read(&format!("services:\n  web:\n{text}volumes: {{data: }}\n"));
        let service = parsed.project.expect("a project").services.remove("web").expect("a service");
        prop_assert_eq!(service.image.expect("an image").value, "nginx");
        prop_assert_eq!(service.mounts.len(), 2);
        prop_assert_eq!(service.environment.len(), 1);
        prop_assert_eq!(service.ports.len(), 1);
    }
}

const KEYS: &[&str] = &[
    "image: nginx",
    "volumes: [data:/d]",
    "environment: {A: b}",
    "ports: [80]",
    "restart: always",
    "tmpfs: /run",
];
