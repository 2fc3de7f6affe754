//! The table as a page for people.

use super::{Row, rows};
use std::fmt::Write as _;

const HEAD: &str = "\
# What becomes of a Compose file

<!-- Generated from the converter's own table by `cargo xtask gen`: do not edit. -->

Every key of the [Compose Specification](https://github.com/compose-spec/compose-spec) and what the operator
makes of it. *Mapped*: the cluster does what the key says. *Approximated*: it does something near it.
*Ignored*: nothing is done, and the app runs without it. *Refused*: the file is not accepted with the key. A
value can have another outcome than its key as a rule; `kompoxops check` says so with place and code, and
`kompoxops render --report md` accounts for every value of a file.

In keys, `*` stands for any name, `[]` for an item of a list, and `**` for everything below. Fields of
Kubernetes without a kind are those of the pod. `kompoxops explain CODE` tells more about a finding.
";

/// The page `docs/compose.md`: the same bytes for the same table.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from(HEAD);
    let mut section = "";
    for row in rows() {
        let next = section_of(row.pattern);
        if next != section {
            section = next;
            let _ =
                write!(out, "\n## {section}\n\n| Key | Outcome | Kubernetes | Remark |\n|---|---|---|---|\n");
        }
        line(&mut out, row);
    }
    out
}

/// The rows come in the order of the sections.
fn section_of(pattern: &str) -> &'static str {
    match pattern.split('.').next().unwrap_or(pattern) {
        "services" if pattern.matches('.').count() > 1 => "Services",
        _ => "The file",
    }
}

fn line(out: &mut String, row: &Row) {
    let fields: Vec<String> = row.fields.iter().map(|field| format!("`{field}`")).collect();
    let code = row.code.map(|code| format!(" ({})", code.id)).unwrap_or_default();
    let remark = row.remark.replace('|', "\\|");
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "| `{}` | {} | {} | {remark}{code} |",
        row.pattern,
        row.outcome.as_str(),
        fields.join(", ")
    );
}
