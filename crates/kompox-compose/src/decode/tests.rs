//! A table of cases per key: short form, long form, bad values. The left side is what stands under
//! `services.web` (beside an image), the right side what comes of it.

mod environment;
mod keys;
mod model;
mod mounts;
mod ports;
mod rules;

use std::collections::BTreeMap;

use crate::model::Service;
use crate::{Input, Parsed, Project, SourceFile, parse};

/// Reads a whole file with a few variables and environment files at hand.
pub(super) fn read(text: &str) -> Parsed {
    read_with(text, &[])
}

pub(super) fn read_with(text: &str, profiles: &[&str]) -> Parsed {
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let environment =
        map(&[("TAG", "1.10"), ("EMPTY", ""), ("SECRET", "hunter2"), ("YES", "yes"), ("PORT", "81")]);
    let files = map(&[
        ("a.env", "A=1\nB=file $SECRET\n"),
        ("sub/b.env", "B='2'\nC=$A\n"),
        ("bad.env", "A='hunter2\n"),
    ]);
    let profiles: Vec<String> = profiles.iter().map(ToString::to_string).collect();
    let source = [SourceFile { name: "compose.yml".into(), text: text.into() }];
    parse(&Input {
        files: &source,
        environment: &environment,
        profiles: &profiles,
        provider: &files,
        project_name: Some("app"),
        variables: crate::Variables::Replace,
    })
}

/// A file with one service, the given lines below its image, and two declared volumes.
pub(super) fn file(lines: &str) -> String {
    let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    format!("services:\n  web:\n    image: nginx:1.27\n{lines}volumes:\n  data: {{}}\n  other:\n")
}

pub(super) fn project(text: &str) -> Project {
    let parsed = read(text);
    let lines: Vec<String> = parsed.diagnostics.iter().map(ToString::to_string).collect();
    parsed.project.unwrap_or_else(|| panic!("{text}\n{lines:#?}"))
}

/// The service of [`file`], which must be free of errors.
pub(super) fn service(lines: &str) -> Service {
    project(&file(lines)).services.remove("web").expect("the service")
}

/// The one-line forms of everything that is found in [`file`].
pub(super) fn findings(lines: &str) -> Vec<String> {
    read(&file(lines)).diagnostics.iter().map(|d| format!("{} {}", d.code.id, d.message)).collect()
}

/// Checks that each case is refused with the code alone.
pub(super) fn refused(cases: &[(&str, &str)]) {
    for (lines, code) in cases {
        let parsed = read(&file(lines));
        assert_eq!(parsed.project, None, "{lines}");
        let codes: Vec<&str> = parsed.diagnostics.iter().map(|d| d.code.id).collect();
        assert_eq!(codes, [*code], "{lines}\n{:#?}", findings(lines));
        let span = parsed.diagnostics[0].span.as_ref().expect("a place");
        assert!(span.line > 2, "{lines}: {span:?}");
    }
}
