//! Compose files to objects: how long, and how it grows. Needs no control plane. The numbers of repetitions are
//! fixed and medians are printed.
//!
//! That the API server takes the objects is not measured here: the tests dry-run all that real files come to.

mod library;
mod process;
mod synthetic;

use anyhow::Result;
use kompox_tests::corpus::Corpus;
use std::time::{Duration, Instant};

/// Measures and prints.
///
/// # Errors
/// When a file cannot be read, or a program not be started.
pub(crate) fn run() -> Result<()> {
    match Corpus::find()? {
        Some(corpus) => {
            process::real_files(&corpus)?;
            library::real_files(&corpus)?;
        }
        None => println!("real files: not measured, KOMPOX_CORPUS is not set"),
    }
    synthetic::growth()
}

/// The median of several runs.
fn median_of(repetitions: usize, mut run: impl FnMut() -> Result<()>) -> Result<Duration> {
    let mut times = Vec::with_capacity(repetitions);
    for _ in 0..repetitions {
        let started = Instant::now();
        run()?;
        times.push(started.elapsed().as_secs_f64());
    }
    Ok(Duration::from_secs_f64(percentile(&mut times, 50)))
}

/// The value below which so many of a hundred lie; 0 for none at all.
fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get(last * percent / 100).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
