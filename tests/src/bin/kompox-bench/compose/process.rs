//! Whole processes, their start included: `kompoxops render` and `kompose convert` on the same file.

use super::{median_of, milliseconds, percentile};
use anyhow::{Context as _, Result};
use kompox_tests::corpus::{Corpus, Placing};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

/// Runs of each program for each file.
const REPETITIONS: usize = 5;

/// A converter and how it is called.
pub(super) struct Converter {
    program: PathBuf,
    before: &'static [&'static str],
    after: &'static [&'static str],
}

impl Converter {
    /// `kompoxops`, built before.
    ///
    /// # Errors
    /// When nobody says where it is.
    pub(super) fn ours() -> Result<Self> {
        let folder =
            std::env::var_os("KOMPOX_BIN_DIR").context("KOMPOX_BIN_DIR is set by `cargo xtask bench`")?;
        let program = Path::new(&folder).join(format!("kompoxops{}", std::env::consts::EXE_SUFFIX));
        Ok(Self { program, before: &["render", "--pod-security", "privileged"], after: &[] })
    }

    /// kompose from `KOMPOSE` or the PATH; `None`: there is none.
    pub(super) fn kompose() -> Option<Self> {
        let program = PathBuf::from(std::env::var_os("KOMPOSE").unwrap_or_else(|| OsString::from("kompose")));
        let mut version = Command::new(&program);
        version.arg("version").stdin(Stdio::null()).stderr(Stdio::null());
        let version = version.output().ok().filter(|output| output.status.success())?;
        println!("kompose {}", String::from_utf8_lossy(&version.stdout).trim());
        Some(Self { program, before: &["convert"], after: &["--stdout"] })
    }

    /// Converts one file with these variables and no others; whether it was accepted.
    fn run(&self, file: &Path, environment: &BTreeMap<String, String>) -> Result<bool> {
        let mut command = Command::new(&self.program);
        command.args(self.before).arg("-f").arg(file).args(self.after).env_clear().envs(environment);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status =
            command.status().with_context(|| format!("failed to start {}", self.program.display()))?;
        Ok(status.success())
    }

    /// Median of the time that a file takes.
    pub(super) fn time(&self, file: &Path, environment: &BTreeMap<String, String>) -> Result<Duration> {
        median_of(REPETITIONS, || self.run(file, environment).map(drop))
    }
}

/// The real files that both accept.
pub(super) fn real_files(corpus: &Corpus) -> Result<()> {
    let (ours, kompose) = (Converter::ours()?, Converter::kompose());
    let (mut times, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for expected in &corpus.expected {
        let name = expected.name();
        let (file, environment) = (corpus.path(&name), corpus.recipe(&name)?.environment(Placing::Plain));
        let accepted = ours.run(&file, &environment)?
            && kompose.as_ref().map_or(Ok(true), |kompose| kompose.run(&file, &environment))?;
        if !accepted {
            continue;
        }
        let own = milliseconds(ours.time(&file, &environment)?);
        times.push(own);
        if let Some(kompose) = &kompose {
            let other = milliseconds(kompose.time(&file, &environment)?);
            theirs.push(other);
            ratios.push((own / other, name));
        }
    }
    println!("\nprocess per file, median of {REPETITIONS} runs, {} files accepted by all", times.len());
    println!("{:<10} {:>10} {:>10} {:>10} {:>10}", "ms", "median", "p90", "max", "sum");
    line("kompoxops", &mut times);
    if kompose.is_none() {
        println!("kompose    not measured: neither $KOMPOSE nor on the PATH");
        return Ok(());
    }
    line("kompose", &mut theirs);
    println!("ratio of the sums: {:.3}", times.iter().sum::<f64>() / theirs.iter().sum::<f64>());
    let mut per_file: Vec<f64> = ratios.iter().map(|(ratio, _)| *ratio).collect();
    let worst = ratios.iter().max_by(|a, b| a.0.total_cmp(&b.0)).context("no file is accepted by both")?;
    let (middle, high) = (percentile(&mut per_file, 50), percentile(&mut per_file, 90));
    println!("ratio per file: median {middle:.3}, p90 {high:.3}, max {:.3} ({})", worst.0, worst.1);
    Ok(())
}

fn line(who: &str, times: &mut [f64]) {
    let [middle, high, most] = [50, 90, 100].map(|percent| percentile(times, percent));
    println!("{who:<10} {middle:>10.2} {high:>10.2} {most:>10.2} {:>10.1}", times.iter().sum::<f64>());
}
