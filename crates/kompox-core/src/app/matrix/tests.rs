//! The table against the specification, and the findings it makes.

use super::*;
use kompox_compose::{Input, NoFiles, Parsed, SourceFile, parse};
use serde_json::Value;

const SCHEMA: &str = include_str!("../../../tests/data/compose-spec.json");

/// Every property below a schema, as the place of one use of it.
fn properties(schema: &Value, root: &Value, path: &[Segment], open: &[&str], out: &mut Vec<Vec<Segment>>) {
    let reference = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    if let Some(name) = reference.filter(|name| !open.contains(name)) {
        let open: Vec<&str> = open.iter().copied().chain([name]).collect();
        properties(&root["$defs"][name], root, path, &open, out);
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        for part in schema[key].as_array().into_iter().flatten() {
            properties(part, root, path, open, out);
        }
    }
    let mut below = |segment: Segment, schema: &Value| {
        let path: Vec<Segment> = path.iter().cloned().chain([segment]).collect();
        out.push(path.clone());
        properties(schema, root, &path, open, out);
    };
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        below(Segment::Key(name.clone()), schema);
    }
    for (pattern, schema) in schema["patternProperties"].as_object().into_iter().flatten() {
        let name = if pattern == "^x-" { "x-other" } else { "any" };
        below(Segment::Key(name.to_owned()), schema);
    }
    if schema["additionalProperties"].is_object() {
        below(Segment::Key("any".to_owned()), &schema["additionalProperties"]);
    }
    if schema["items"].is_object() {
        below(Segment::Index(0), &schema["items"]);
    }
}

#[test]
fn every_property_of_the_specification_has_a_row() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut found = Vec::new();
    properties(&schema, &schema, &[], &[], &mut found);
    assert!(found.len() > 700, "the schema is not read to its end: {}", found.len());
    let missing: BTreeSet<String> = found
        .iter()
        .filter(|path| row_of(path).is_none())
        .map(|path| LeafPath::from(path.clone()).to_string())
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn rows_are_unique_and_their_outcomes_fit_their_codes() {
    let mut seen = BTreeSet::new();
    for row in rows() {
        assert!(seen.insert(row.pattern), "{} twice", row.pattern);
        assert!(!row.remark.is_empty() && !row.remark.ends_with('.'), "{}", row.pattern);
        let expected = match row.code.map(|code| code.severity) {
            Some(kompox_compose::Severity::Error) => Outcome::Refused,
            Some(_) => Outcome::Ignored,
            None => continue,
        };
        assert_eq!(row.outcome, expected, "{}", row.pattern);
        assert!(row.fields.is_empty(), "{}", row.pattern);
    }
}

#[test]
fn the_page_has_a_line_for_each_row_and_each_section_once() {
    let page = markdown();
    assert_eq!(page.matches("\n## ").count(), 2);
    assert_eq!(page.matches("\n| `").count(), rows().count());
}

#[test]
fn every_row_can_be_met() {
    for row in rows() {
        let segment = |part: Part| match part {
            Part::Key(key) => Segment::Key(key.to_owned()),
            Part::Prefix(start) => Segment::Key(format!("{start}any")),
            Part::AnyKey | Part::Below => Segment::Key("any".to_owned()),
            Part::AnyItem => Segment::Index(3),
        };
        let path: Vec<Segment> = parts(row.pattern).map(segment).collect();
        assert_eq!(row_of(&path).map(|found| found.pattern), Some(row.pattern));
    }
}

pub(in crate::app) fn read(text: &str) -> Parsed {
    let files = [SourceFile { name: "compose.yml".into(), text: text.into() }];
    let environment = BTreeMap::new();
    parse(&Input {
        files: &files,
        environment: &environment,
        profiles: &[],
        provider: &NoFiles,
        project_name: Some("app"),
        variables: kompox_compose::Variables::default(),
    })
}

fn found(text: &str) -> Vec<String> {
    let parsed = read(text);
    let project = parsed.project.unwrap_or_else(|| panic!("{text}: {:?}", parsed.diagnostics));
    let model = parsed.model.unwrap();
    constant(&model, &project).iter().map(|found| format!("{} {}", found.code.id, found.path)).collect()
}

fn of_service(lines: &str) -> Vec<String> {
    found(&format!("services: {{web: {{image: i, {lines}}}}}"))
}

#[test]
fn keys_whose_outcome_is_constant_are_found_once_each() {
    let logging = of_service("logging: {driver: json-file, options: {max-size: 1m, max-file: '3'}}");
    assert_eq!(logging, ["KPX7801 services.web.logging"]);
    assert_eq!(of_service("devices: [/dev/a, /dev/b]"), ["KPX7804 services.web.devices"]);
    assert_eq!(
        of_service("ulimits: {nofile: {soft: 1, hard: 2}, nproc: 3}"),
        ["KPX7803 services.web.ulimits"]
    );
    assert_eq!(
        of_service("attach: false, mac_address: a"),
        ["KPX7801 services.web.attach", "KPX7806 services.web.mac_address"]
    );
    assert_eq!(
        of_service("deploy: {rollback_config: {order: stop-first, delay: 1s}}"),
        ["KPX7817 services.web.deploy.rollback_config"]
    );
    assert_eq!(
        of_service("pre_start: [{command: [a], user: '5', cap_add: [A, B], read_only: true}]"),
        ["KPX7813 services.web.pre_start[0].cap_add", "KPX7813 services.web.pre_start[0].read_only"]
    );
    assert_eq!(of_service("x-other: {a: b}, command: a"), [""; 0]);
    assert_eq!(
        found("services: {a: {image: i}}\nversion: '3'\njobs: {j: {image: i, triggers: {}}}"),
        ["KPX7801 version", "KPX7812 jobs"]
    );
    assert_eq!(found("services: {a: {image: i}, b: {image: i, profiles: [p], attach: true}}"), [""; 0]);
}

#[test]
fn the_finding_points_at_the_key() {
    let parsed = read("services:\n  web:\n    image: i\n    logging:\n      driver: none\n");
    let found = constant(&parsed.model.unwrap(), &parsed.project.unwrap());
    assert_eq!(
        found[0].message,
        "`logging` has no effect: a cluster collects the logs of its containers itself"
    );
    let span = found[0].span.as_ref().unwrap();
    assert_eq!((span.line, span.column, span.end_column), (4, 5, 12));
}

#[test]
fn a_model_with_a_url_is_not_refused() {
    let served = "services: {a: {image: i, models: {llm: {model_var: M}}, x-kompox: {models: {llm: http://x}}}}\nmodels: {llm: {model: ai/x}}";
    assert_eq!(found(served), [""; 0]);
    let project = read(served).project.unwrap();
    assert_eq!(project.services["a"].environment.keys().collect::<Vec<_>>(), ["LLM_URL", "M"]);
    let without = "services: {a: {image: i, models: {llm: }}}\nmodels: {llm: {model: ai/x}}";
    assert_eq!(found(without), ["KPX7811 services.a.models", "KPX7811 models"]);
}
