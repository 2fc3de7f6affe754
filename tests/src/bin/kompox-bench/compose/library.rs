//! The conversion as a function, against a bare parse of the same bytes.

use super::median_of;
use anyhow::{Context as _, Result, ensure};
use kompox_core::app::{Facts, PodSecurity, Settings, render};
use kompox_crds::KompoxApp;
use kompox_tests::corpus::{Corpus, Placing};
use std::hint::black_box;

/// Rounds over all files.
const ROUNDS: usize = 15;

/// An app with all it refers to.
pub(super) struct Case {
    pub(super) text: String,
    pub(super) app: KompoxApp,
    pub(super) facts: Facts,
}

impl Case {
    /// Makes the objects.
    ///
    /// # Errors
    /// When the app is refused.
    pub(super) fn convert(&self) -> Result<()> {
        let rendered = render(&self.app, &self.facts, &Settings::default());
        let first = rendered.validation.problems.first().map(ToString::to_string).unwrap_or_default();
        black_box(rendered.resources.context(first)?);
        Ok(())
    }

    /// Parses the file and does nothing with it.
    ///
    /// # Errors
    /// When it is no YAML for the other reader.
    pub(super) fn parse(&self) -> Result<()> {
        black_box(serde_saphyr::from_str::<serde_json::Value>(&self.text)?);
        Ok(())
    }
}

/// The real files that are accepted with what their users give them.
pub(super) fn real_files(corpus: &Corpus) -> Result<()> {
    let mut cases = Vec::new();
    for expected in &corpus.expected {
        let recipe = corpus.recipe(&expected.name())?;
        let placing = Placing::Deployed;
        let (app, facts) = (recipe.app(placing)?, recipe.facts(placing, PodSecurity::Privileged));
        let case = Case { text: recipe.text, app, facts };
        if case.convert().is_ok() && case.parse().is_ok() {
            cases.push(case);
        }
    }
    ensure!(!cases.is_empty(), "no file of the corpus is accepted");
    let converting = median_of(ROUNDS, || cases.iter().try_for_each(Case::convert))?;
    let parsing = median_of(ROUNDS, || cases.iter().try_for_each(Case::parse))?;
    let per_second = |time: std::time::Duration| cases.len() as f64 / time.as_secs_f64();
    println!("\nlibrary, {} real files, median of {ROUNDS} rounds", cases.len());
    println!("conversions:      {:>9.0} files/s", per_second(converting));
    println!("bare YAML parses: {:>9.0} files/s", per_second(parsing));
    println!("a conversion takes {:.2} bare parses", converting.as_secs_f64() / parsing.as_secs_f64());
    Ok(())
}
