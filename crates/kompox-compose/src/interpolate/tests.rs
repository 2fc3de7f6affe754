//! The interpolation grammar as a table, and its bounds.

use super::*;
use crate::limits;

fn lookup(name: &str) -> Option<String> {
    match name {
        "SET" => Some("value".into()),
        "EMPTY" => Some(String::new()),
        "DOLLAR" => Some("$SET ${SET}".into()),
        "_u1" => Some("under".into()),
        _ => None,
    }
}

fn expand(template: &str) -> (Result<String, Fault>, Vec<String>) {
    let mut budget = limits::MAX_PRODUCED_BYTES;
    let mut expander = Expander::new(&lookup, &mut budget);
    let result = expander.expand(template);
    (result, expander.unset.into_iter().map(|(name, _)| name).collect())
}

#[test]
fn templates_expand() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("plain", "plain", &[]),
        ("$SET", "value", &[]),
        ("${SET}", "value", &[]),
        ("a$SET-b", "avalue-b", &[]),
        ("$_u1", "under", &[]),
        ("$SETTER", "", &["SETTER"]),
        ("$$SET", "$SET", &[]),
        ("$$$SET", "$value", &[]),
        ("$$${SET}", "$value", &[]),
        ("$${SET}", "${SET}", &[]),
        ("$(date) $1 $ 5$", "$(date) $1 $ 5$", &[]),
        ("^[a-z]+$", "^[a-z]+$", &[]),
        ("${UNSET}", "", &["UNSET"]),
        ("${SET:-d}", "value", &[]),
        ("${EMPTY:-d}", "d", &[]),
        ("${UNSET:-d}", "d", &[]),
        ("${EMPTY-d}", "", &[]),
        ("${UNSET-d}", "d", &[]),
        ("${UNSET:-}", "", &[]),
        ("${SET:+r}", "r", &[]),
        ("${EMPTY:+r}", "", &[]),
        ("${UNSET:+r}", "", &[]),
        ("${SET+r}", "r", &[]),
        ("${EMPTY+r}", "r", &[]),
        ("${UNSET+r}", "", &[]),
        ("${SET:?no}", "value", &[]),
        ("${EMPTY?no}", "", &[]),
        ("${UNSET:-${SET}}", "value", &[]),
        ("${UNSET:-${ALSO_UNSET:-deep}}/x", "deep/x", &[]),
        ("${UNSET:-$SET}", "value", &[]),
        ("${UNSET:-${NEITHER}}", "", &["NEITHER"]),
        ("${SET:+${EMPTY:-in}}", "in", &[]),
        ("${UNSET:-a:-b?c+d}", "a:-b?c+d", &[]),
        ("${UNSET:-{\"a\":{\"b\":1}}}", "{\"a\":{\"b\":1}}", &[]),
        ("${UNSET:-{}", "{", &[]),
        ("${UNSET:-$$}", "$", &[]),
        ("${UNSET:-a}${SET}", "avalue", &[]),
        ("${UNSET:-http://h:1/p?q=1}", "http://h:1/p?q=1", &[]),
        ("${SET}}", "value}", &[]),
        ("é${SET}é", "évalueé", &[]),
        ("${DOLLAR}", "$SET ${SET}", &[]),
        ("line\n${SET}\n$", "line\nvalue\n$", &[]),
    ];
    for (template, expected, unset) in cases {
        let (result, names) = expand(template);
        assert_eq!(result.as_deref(), Ok(*expected), "{template}");
        assert_eq!(names, *unset, "{template}");
    }
}

#[test]
fn malformed_templates_are_faults() {
    for template in
        ["${", "${}", "${1}", "${SET", "${SET!x}", "${SET:x}", "${A B}", "${UNSET:-a\nb}", "${-x}", "x ${é}"]
    {
        let (result, _) = expand(template);
        assert_eq!(result.map_err(|fault| fault.kind), Err(FaultKind::Malformed), "{template}");
    }
}

#[test]
fn operands_that_are_not_needed_are_not_read() {
    assert_eq!(expand("${SET:-${}").0.as_deref(), Ok("value"));
}

#[test]
fn required_variables_name_themselves_and_never_a_value() {
    let (result, _) = expand("a ${UNSET:?give me one}");
    let fault = result.unwrap_err();
    assert_eq!(fault.range, 2..23);
    let reason = Some("give me one".to_owned());
    assert_eq!(fault.kind, FaultKind::Required { name: "UNSET".into(), reason });
    let (result, _) = expand("${EMPTY:?because $SET}");
    assert_eq!(result.unwrap_err().kind, FaultKind::Required { name: "EMPTY".into(), reason: None });
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = format!("{}x{}", "${A:-".repeat(1000), "}".repeat(1000));
    assert_eq!(expand(&deep).0.unwrap_err().kind, FaultKind::TooDeep);
    let long = |_: &str| Some("x".repeat(1 << 20));
    let mut budget = limits::MAX_PRODUCED_BYTES;
    let result = Expander::new(&long, &mut budget).expand(&"$A".repeat(100));
    assert_eq!(result.unwrap_err().kind, FaultKind::TooMuch);
}
