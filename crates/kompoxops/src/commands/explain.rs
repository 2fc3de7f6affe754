//! `kompoxops explain`: what a code means and what to do about it.

mod examples;

use clap::Args;
use kompox_compose::Code;
use kompox_crds::Reason;

use crate::failure::Failure;
use crate::output;
use examples::Example;

/// Explains a code that a finding, a condition or an event has: what it means, an example and the remedy.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Code such as KPX7201, or a reason such as DiskInUse; none: all of them
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops explain KPX7301
  kompoxops explain ComposeInvalid
  kompoxops explain | grep -i volume

A code is of a finding in a Compose file, or of a reason of conditions and events; the page says which.";

/// How many near codes are named.
const NEAR: usize = 3;

/// Runs the command.
///
/// # Errors
/// When there is no such code or standard output cannot be written.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Some(code) = &arguments.code else { return output::print(&all()) };
    match page(code) {
        Some(page) => output::print(&page),
        None => Err(Failure::UnknownCode { code: code.clone(), near: near(code).join(", ") }),
    }
}

fn codes() -> impl Iterator<Item = &'static Code> {
    kompox_compose::codes::ALL.iter().chain(kompox_core::app::codes::ALL)
}

/// All that has this code or word.
fn page(word: &str) -> Option<String> {
    let is_meant = |reason: &&Reason| {
        reason.as_str().eq_ignore_ascii_case(word) || reason.code().eq_ignore_ascii_case(word)
    };
    let reasons = Reason::ALL.iter().filter(is_meant).map(|reason| {
        format!(
            "{} {} (reason of conditions and events)\n\n{}\n\nRemedy: {}\n",
            reason.code(),
            reason.as_str(),
            reason.summary(),
            reason.remedy()
        )
    });
    let findings = codes().filter(|code| code.id.eq_ignore_ascii_case(word)).map(finding);
    let pages: Vec<String> = reasons.chain(findings).collect();
    (!pages.is_empty()).then(|| pages.join("\n"))
}

fn finding(code: &Code) -> String {
    let mut out = format!("{} ({} in a Compose file)\n\n{}\n", code.id, code.severity, code.summary);
    if let Some(example) = examples::find(code.id) {
        out.push_str(&shown(&example));
    }
    let keys: Vec<_> = kompox_core::app::matrix::rows()
        .filter(|row| row.code.is_some_and(|own| own.id == code.id))
        .map(|row| format!("  {}: {}\n", row.pattern, row.remark))
        .collect();
    if !keys.is_empty() {
        out.push_str(&format!("\nKeys:\n{}", keys.concat()));
    }
    out.push_str("\n`kompoxops check` names the place in the file and what to write instead.\n");
    out
}

fn shown(example: &Example) -> String {
    let lines: String = example.compose.lines().map(|line| format!("  {line}\n")).collect();
    let compose = if lines.is_empty() { lines } else { format!("\nExample:\n{lines}") };
    let spec = example.spec.map(|spec| format!("with `spec` of the KompoxApp:\n  {spec}\n"));
    format!("{compose}{}\nRemedy: {}\n", spec.unwrap_or_default(), example.remedy)
}

fn all() -> String {
    let reasons = Reason::ALL.iter().map(|reason| {
        let line = format!("{} {}: {}\n", reason.code(), reason.as_str(), reason.summary());
        (reason.code(), line)
    });
    let findings =
        codes().map(|code| (code.id, format!("{} {}: {}\n", code.id, code.severity, code.summary)));
    let mut lines: Vec<_> = reasons.chain(findings).collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

/// The codes and reasons that look most like a word: codes by their number, words by their beginning.
fn near(word: &str) -> Vec<&'static str> {
    let number =
        |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>().parse::<i64>().ok();
    let Some(wanted) = number(word) else {
        let common = |name: &str| {
            let pairs = name.chars().zip(word.chars());
            pairs.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
        };
        let mut words: Vec<&'static str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        words.sort_by_key(|name| std::cmp::Reverse(common(name)));
        words.truncate(NEAR);
        return words;
    };
    let ids = Reason::ALL.iter().map(|reason| reason.code()).chain(codes().map(|code| code.id));
    let mut ids: Vec<(i64, &'static str)> =
        ids.filter_map(|id| Some(((number(id)? - wanted).abs(), id))).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().take(NEAR).map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_has_a_page_with_its_meaning() {
        for code in codes() {
            assert!(page(&code.id.to_lowercase()).unwrap().contains(code.summary), "{}", code.id);
        }
        for reason in Reason::ALL {
            assert!(page(reason.as_str()).unwrap().contains(reason.remedy()));
            assert!(page(reason.code()).unwrap().contains(reason.remedy()));
        }
        assert_eq!(page("KPX9998"), None);
        let ids = codes().map(|code| code.id).chain(Reason::ALL.iter().map(|reason| reason.code()));
        let ids: BTreeSet<_> = ids.collect();
        assert_eq!(ids.len(), codes().count() + Reason::ALL.len(), "two meanings have one code");
        assert_eq!(all().lines().count(), codes().count() + Reason::ALL.len());
    }

    #[test]
    fn an_unknown_code_leads_to_the_nearest() {
        assert_eq!(near("KPX7200"), ["KPX7201", "KPX7203", "KPX7204"]);
        assert!(near("composeinvald").contains(&"ComposeInvalid"), "{:?}", near("composeinvald"));
    }
}
