//! What the canonical form of single values is; whole files are in `tests/cases`.

use super::{Mode, file};
use crate::diagnostic::Diagnostics;
use crate::span::Text;
use crate::yaml;

fn settled(service: &str) -> (String, Vec<&'static str>) {
    let text = format!("services:\n  web:\n    {service}\n");
    let source = Text::new("compose.yml", &text);
    let mut diagnostics = Diagnostics::default();
    let mut root = yaml::parse(&source, &mut diagnostics).pop().expect("a tree");
    file(&mut root, Mode::Interpolated, &mut diagnostics, &mut 1_000_000);
    let model = crate::Model::new(root, None, std::collections::BTreeSet::new());
    let value = model.to_json();
    let codes = diagnostics.into_sorted().iter().map(|diagnostic| diagnostic.code.id).collect();
    (value["services"]["web"].to_string(), codes)
}

#[test]
fn scalars_have_one_notation() {
    let cases = [
        ("stop_grace_period: 90s", r#""stop_grace_period":"1m30s""#),
        ("mem_limit: 1gb", r#""mem_limit":"1073741824""#),
        ("cpus: '0.5'", r#""cpus":0.5"#),
        ("privileged: 'yes'", r#""privileged":true"#),
        ("extra_hosts: {b: '[::1]', a: 1.2.3.4}", r#""extra_hosts":["a=1.2.3.4","b=::1"]"#),
        ("expose: [80, '81/udp']", r#""expose":["80","81/udp"]"#),
        ("gpus: all", r#""gpus":[{"count":-1}]"#),
    ];
    for (service, expected) in cases {
        let (json, _) = settled(service);
        assert!(json.contains(expected), "{service}: {json}");
    }
}

#[test]
fn what_is_not_of_the_type_is_an_error() {
    let cases = [
        ("image: 5", "KPX7204"),
        ("mem_limit: lots", "KPX7205"),
        ("privileged: perhaps", "KPX7204"),
        ("ports: ['80:x']", "KPX7205"),
        ("volumes: [':/x/y']", "KPX7205"),
        ("enviroment: {}", "KPX7201"),
        ("healthcheck: null", "KPX7204"),
        ("cgroup: none", "KPX7205"),
        ("ulimits: {nofile: {soft: 1}}", "KPX7206"),
        ("command: a && b", "KPX7301"),
    ];
    for (service, code) in cases {
        assert_eq!(settled(service).1, [code], "{service}");
    }
}

fn loaded(text: &str, variables: crate::Variables) -> crate::Loaded {
    let files = [crate::SourceFile { name: "compose.yml".into(), text: text.into() }];
    crate::load(&crate::Input {
        files: &files,
        environment: &std::collections::BTreeMap::new(),
        profiles: &[],
        provider: &crate::NoFiles,
        project_name: Some("app"),
        variables,
    })
}

#[test]
fn variables_can_be_kept() {
    let text = "services: {web: {image: \"a:${TAG}\", ports: [\"${PORT}:80\"], mem_limit: \"${M}\"}}";
    let loaded = loaded(text, crate::Variables::Keep);
    assert_eq!(loaded.diagnostics, []);
    let json = loaded.model.expect("a model").to_json();
    let web = &json["services"]["web"];
    assert_eq!(
        (web["image"].as_str(), web["ports"][0].as_str(), web["mem_limit"].as_str()),
        (Some("a:${TAG}"), Some("${PORT}:80"), Some("${M}"))
    );
}

#[test]
fn yaml_reads_back_as_the_same_model() {
    let text = "services:\n  web:\n    image: a\n    x-own: {b: 1}\n    environment: {A: 'yes', B: '1.10', C: }\n    \
                env_file: e.env\n    volumes: [./a:/b]\n    stop_grace_period: 90s\n    command: [a, '']\n";
    let first = loaded(text, crate::Variables::Replace).model.expect("a model");
    let yaml = first.to_yaml().expect("YAML");
    assert!(yaml.contains("x-own") && yaml.contains("create_host_path: true"), "{yaml}");
    let second = loaded(&yaml, crate::Variables::Replace);
    assert_eq!(
        second.model.map(|model| model.to_json()),
        Some(first.to_json()),
        "{yaml}\n{:?}",
        second.diagnostics
    );
}

#[test]
fn a_shell_operator_is_an_error_and_the_model_is_that_of_the_reference() {
    let loaded = loaded("services: {web: {image: a, command: 'b c && d'}}", crate::Variables::Replace);
    assert_eq!(loaded.diagnostics.len(), 1);
    let json = loaded.model.expect("a model").to_json();
    assert_eq!(json["services"]["web"]["command"], serde_json::json!(["b", "c"]));
}
