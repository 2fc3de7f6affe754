//! YAML traps: what other readers lose, and what hostile files try.

use super::{Kind, Node, parse};
use crate::diagnostic::Diagnostics;
use crate::limits;
use crate::span::Text;

/// Code, line and column of a finding.
type Found = (&'static str, u32, u32);

fn read(text: &str) -> (Option<Node>, Vec<Found>) {
    let mut diagnostics = Diagnostics::default();
    let node = parse(&Text::new("f.yml", text), &mut diagnostics).into_iter().next();
    let found = diagnostics.into_sorted();
    let place = |d: &crate::Diagnostic| d.span.as_ref().map_or((0, 0), |span| (span.line, span.column));
    (node, found.iter().map(|d| (d.code.id, place(d).0, place(d).1)).collect())
}

/// A compact form of the tree: plain scalars bare, others in quotes.
fn shown(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.plain => scalar.text.clone(),
        Kind::Scalar(scalar) => format!("{:?}", scalar.text),
        Kind::Sequence(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Kind::Mapping(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|e| format!("{}: {}", e.key.value, shown(&e.value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

#[test]
fn text_and_style_survive() {
    let cases = [
        ("a: 1.10", "{a: 1.10}"),
        ("a: 0444", "{a: 0444}"),
        ("a: yes", "{a: yes}"),
        ("a: '1.10'", "{a: \"1.10\"}"),
        ("a: \"x\\ty\"", "{a: \"x\\ty\"}"),
        ("a: !!str 5", "{a: \"5\"}"),
        ("a: !!int 5", "{a: 5}"),
        ("a: |\n  x\n  y\n", "{a: \"x\\ny\\n\"}"),
        ("a: |\n  x", "{a: \"x\"}"),
        ("a: >-\n  x\n  y\n", "{a: \"x y\"}"),
        ("a:\nb: ~", "{a: ~, b: ~}"),
        ("1: x\ntrue: y", "{1: x, true: y}"),
        ("a: x # comment\n# more", "{a: x}"),
        ("a: http://x:80/#y", "{a: http://x:80/#y}"),
        ("\u{feff}a: x", "{a: x}"),
        ("a: x\r\nb: y\r\n", "{a: x, b: y}"),
        ("%YAML 1.2\n---\na: x\n...\n", "{a: x}"),
    ];
    for (text, expected) in cases {
        let (node, found) = read(text);
        assert_eq!(
            (node.as_ref().map(shown).as_deref(), found.as_slice()),
            (Some(expected), &[][..]),
            "{text:?}"
        );
    }
}

#[test]
fn anchors_and_merge_keys() {
    let cases = [
        ("a: &x {k: 1}\nb: *x", "{a: {k: 1}, b: {k: 1}}"),
        ("a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}", "{a: {k: 1, l: 2}, b: {l: 3, k: 1}}"),
        (
            "a: &x {k: 1}\nc: &y {k: 2, m: 4}\nb: {<<: [*x, *y]}",
            "{a: {k: 1}, c: {k: 2, m: 4}, b: {k: 1, m: 4}}",
        ),
        ("b: {k: 1, <<: {k: 2, l: 3}}", "{b: {k: 1, l: 3}}"),
        ("b: {\"<<\": {k: 2}}", "{b: {<<: {k: 2}}}"),
        ("a: &x 1\nb: [*x, &x 2, *x]", "{a: 1, b: [1, 2, 2]}"),
    ];
    for (text, expected) in cases {
        let (node, found) = read(text);
        assert_eq!(
            (node.as_ref().map(shown).as_deref(), found.as_slice()),
            (Some(expected), &[][..]),
            "{text:?}"
        );
    }
}

#[test]
fn faults_have_a_place() {
    let cases: &[(&str, &[Found])] = &[
        ("a: 1\nb: 2\na: 3", &[("KPX7004", 3, 1)]),
        ("a: {b: 1, b: 2}", &[("KPX7004", 1, 11)]),
        ("a: &x {k: 1}\nb: {<<: 5}", &[("KPX7006", 2, 9)]),
        ("b: {<<: [{k: 1}, 5]}", &[("KPX7006", 1, 9)]),
        ("a: !secret x", &[("KPX7007", 1, 12)]),
        ("a: !reset null", &[]),
        ("a: !override {b: c}", &[]),
        ("? [a]\n: b", &[("KPX7008", 1, 3)]),
        ("~: b", &[("KPX7008", 1, 1)]),
        ("a: *nowhere", &[("KPX7002", 1, 4)]),
        ("a: [1, 2", &[("KPX7002", 1, 4)]),
        ("a: \"x", &[("KPX7002", 1, 4)]),
        ("a:\n\t- b", &[("KPX7002", 2, 2)]),
        ("a: &x [*x]", &[("KPX7002", 1, 8)]),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text).1, *expected, "{text:?}");
    }
}

#[test]
fn spans_cover_what_was_written() {
    let text = "services:\n  web:\n    ports:\n      - \"80:80\"\n      - 81\nend: [a,\n  b]\n";
    let (node, _) = read(text);
    let node = node.expect("a tree");
    let slice = |node: &Node| text.get(node.span.range()).expect("inside the text").to_owned();
    let ports = node.get("services").and_then(|n| n.get("web")).and_then(|n| n.get("ports")).expect("ports");
    assert_eq!(slice(ports), "- \"80:80\"\n      - 81");
    let Kind::Sequence(items) = &ports.kind else { panic!("a list") };
    assert_eq!(items.iter().map(slice).collect::<Vec<_>>(), ["\"80:80\"", "81"]);
    assert_eq!(slice(node.get("end").expect("end")), "[a,\n  b]");
}

#[test]
fn bombs_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let alias = format!("*a{}, ", n - 1).repeat(9);
        bomb.push_str(&format!("a{n}: &a{n} [{}]\n", alias.trim_end_matches(", ")));
    }
    let deep_block: String = (0..200).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    let mut chain = String::from("a0: &a0 [[[[[[[[x]]]]]]]]\n");
    for n in 1..20 {
        chain.push_str(&format!("a{n}: &a{n} [[[[[[[[*a{}]]]]]]]]\n", n - 1));
    }
    let long = format!("a: {}", "x".repeat(limits::MAX_FILE_BYTES));
    let scalar = format!("a: &x {}\nb: [{}]", "x".repeat(500_000), "*x, ".repeat(1000));
    for (text, code) in [
        (bomb, "KPX7005"),
        (chain, "KPX7005"),
        (scalar, "KPX7005"),
        (long, "KPX7001"),
        ("[".repeat(100_000), "KPX7002"),
        (deep_block, "KPX7002"),
    ] {
        let (node, found) = read(&text);
        assert_eq!(node, None);
        assert_eq!(found.iter().map(|found| found.0).collect::<Vec<_>>(), [code]);
    }
}
