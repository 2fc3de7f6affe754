//! Step headings with times, and the summary of a run of many parts. Writes to standard error only.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// How a part ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It ran and found nothing; the text says how much it looked at.
    Passed(String),
    /// It ran and found faults, or could not run.
    Failed(String),
    /// An optional tool is not installed; the text names it and the remedy.
    NotInstalled(String),
}

/// One line of the summary.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// What ran so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    parts: Vec<Part>,
}

impl Report {
    /// Runs one part under a heading and remembers how it ended; a failure does not stop the run.
    pub(crate) fn part(&mut self, name: &'static str, work: impl FnOnce() -> anyhow::Result<Outcome>) {
        heading(name);
        let started = Instant::now();
        let outcome = work().unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        let part = Part { name, outcome, took: started.elapsed() };
        eprintln!("{}", line(&part));
        self.parts.push(part);
    }

    /// Prints every part's result.
    ///
    /// # Errors
    /// When a part failed; the message names the failed ones.
    pub(crate) fn finish(&self) -> anyhow::Result<()> {
        heading("summary");
        for part in &self.parts {
            eprintln!("{}", line(part));
        }
        let failed: Vec<_> =
            self.parts.iter().filter(|part| part.is_failure()).map(|part| part.name).collect();
        if failed.is_empty() {
            return Ok(());
        }
        anyhow::bail!("failed: {}", failed.join(", "))
    }
}

impl Part {
    fn is_failure(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }
}

/// Runs one step under a heading and says how long it took; for tasks that end at the first failure.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    heading(name);
    let started = Instant::now();
    let value = work()?;
    eprintln!("    {name}: done in {}", seconds(started.elapsed()));
    Ok(value)
}

fn heading(name: &str) {
    // Colour only for people: logs and pipes get plain text (https://no-color.org).
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if std::io::stderr().is_terminal() && !plain {
        eprintln!("\x1b[1;36m==> {name}\x1b[0m");
    } else {
        eprintln!("==> {name}");
    }
}

fn line(part: &Part) -> String {
    let (mark, text) = match &part.outcome {
        Outcome::Passed(text) => ("ok", text),
        Outcome::Failed(text) => ("FAILED", text),
        Outcome::NotInstalled(text) => ("not run", text),
    };
    let separator = if text.is_empty() { "" } else { " - " };
    format!("    {mark:<8}{:<18}{:>9}{separator}{text}", part.name, seconds(part.took))
}

fn seconds(time: Duration) -> String {
    let whole = time.as_secs();
    if whole < 60 {
        return format!("{:.1} s", time.as_secs_f64());
    }
    format!("{} min {:02} s", whole / 60, whole % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_part_fails_the_report_and_is_named() {
        let mut report = Report::default();
        report.part("good", || Ok(Outcome::Passed(String::new())));
        report.part("tool", || Ok(Outcome::NotInstalled("cargo-deny".into())));
        assert!(report.finish().is_ok());
        report.part("bad", || anyhow::bail!("broken"));
        assert_eq!(report.finish().unwrap_err().to_string(), "failed: bad");
    }

    #[test]
    fn times_read_well() {
        assert_eq!(seconds(Duration::from_millis(1_540)), "1.5 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
    }
}
