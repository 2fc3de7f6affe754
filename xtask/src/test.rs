//! Every check and every test, in one go. Nothing may be skipped: a skipped test is a failed one.

use std::io::{BufRead as _, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::report::{Outcome, Report, step};
use crate::shell::{self, Profile};
use crate::workspace::Workspace;
use crate::{check, drivers, images, setup};

/// Sets up, builds, checks, tests; all parts run, also after a failure, and are listed at the end.
///
/// # Errors
/// When the machine cannot be set up, a part failed, or a test was ignored.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let prepared = setup::run(workspace)?;
    let drivers = drivers::run(workspace, Profile::Debug)?;
    // End-to-end tests start the executables; `cargo test` alone does not build other members' ones. With the
    // tests, since without them dependencies have other features, and would be built twice.
    step("build", || {
        shell::run(shell::cargo(&workspace.root).args(["build", "--workspace", "--all-targets"]))
    })?;
    let images = images::where_containers_run(workspace)?;
    let mut report = Report::default();
    check::parts(workspace, &mut report);
    let mut counts = Counts::default();
    report.part("tests", || {
        let mut command = shell::cargo(&workspace.root);
        command
            .args(["test", "--workspace", "--no-fail-fast"])
            .env("KOMPOX_VENV", &prepared.venv)
            .env("KOMPOX_DRIVERS_DIR", &drivers)
            .env("KOMPOX_BIN_DIR", workspace.output(Profile::Debug));
        if let Some(images) = &images {
            command.env("KOMPOX_IMAGES_DIR", images);
        }
        counts = run_tests(&mut command, &mut std::io::stdout())?;
        counts.judge()
    });
    // The workspace has the feature on, since the operator has: what is left without it is tested by itself.
    report.part("tests without the feature `keyless`", || {
        let mut command = shell::cargo(&workspace.root);
        command.args(["test", "-p", "kompox-signature"]);
        run_tests(&mut command, &mut std::io::stdout())?.judge()
    });
    let result = report.finish();
    eprintln!("{}", counts.text());
    result
}

/// Sums over all test binaries of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
    /// `cargo test` ended with 0.
    clean_exit: bool,
}

impl Counts {
    fn text(&self) -> String {
        format!("tests: {} passed, {} failed, {} skipped", self.passed, self.failed, self.ignored)
    }

    /// Reads libtest's closing line: `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some(rest) = line.trim_start().strip_prefix("test result: ") else { return };
        let numbers = rest.split_once(". ").map_or(rest, |(_, numbers)| numbers);
        for (count, word) in numbers.split(';').filter_map(|item| item.trim().split_once(' ')) {
            let count: u64 = count.parse().unwrap_or(0);
            match word {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }

    fn judge(&self) -> anyhow::Result<Outcome> {
        if !self.clean_exit || self.failed > 0 {
            bail!("{}", self.text());
        }
        if self.ignored > 0 {
            bail!("{}: a test may not be ignored", self.text());
        }
        if self.passed == 0 {
            bail!("no test ran");
        }
        Ok(Outcome::Passed(self.text()))
    }
}

/// Runs `cargo test`, passing its output on line by line while counting.
fn run_tests(command: &mut Command, output: &mut impl Write) -> anyhow::Result<Counts> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("failed to start `cargo test`")?;
    let pipe = child.stdout.take().context("`cargo test` has no output")?;
    let mut counts = Counts::default();
    for line in BufReader::new(pipe).split(b'\n') {
        let line = line.context("failed to read what `cargo test` wrote")?;
        output.write_all(&line).and_then(|()| output.write_all(b"\n")).context("failed to pass output on")?;
        counts.add(&String::from_utf8_lossy(&line));
    }
    counts.clean_exit = child.wait().context("failed to wait for `cargo test`")?.success();
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_summed_and_other_lines_are_not() {
        let mut counts = Counts::default();
        counts.add("running 4 tests");
        counts.add(
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.01s",
        );
        counts.add("test result: FAILED. 1 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out");
        assert_eq!(counts, Counts { passed: 4, failed: 2, ignored: 1, clean_exit: false });
    }

    #[test]
    fn only_a_clean_run_without_skips_passes() {
        let good = Counts { passed: 3, failed: 0, ignored: 0, clean_exit: true };
        assert_eq!(good.judge().unwrap(), Outcome::Passed("tests: 3 passed, 0 failed, 0 skipped".into()));
        assert!(Counts { ignored: 1, ..good }.judge().is_err());
        assert!(Counts { failed: 1, ..good }.judge().is_err());
        assert!(Counts { clean_exit: false, ..good }.judge().is_err());
        assert!(Counts { passed: 0, ..good }.judge().is_err());
    }

    #[test]
    fn output_is_read_to_the_end_and_the_exit_code_counts() {
        let script = "echo 'test result: ok. 5 passed; 0 failed; 0 ignored'; echo more; exit 101";
        let mut output = Vec::new();
        let counts = run_tests(Command::new("sh").args(["-c", script]), &mut output).unwrap();
        assert_eq!(counts, Counts { passed: 5, failed: 0, ignored: 0, clean_exit: false });
        assert_eq!(output, b"test result: ok. 5 passed; 0 failed; 0 ignored\nmore\n");
    }
}
