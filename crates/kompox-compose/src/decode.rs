//! From the tree to the model. A function per key; whatever no function takes is an error.

mod command;
mod cursor;
mod depends_on;
mod deploy;
mod environment;
mod extension;
mod files;
mod healthcheck;
mod hooks;
mod keys;
mod lists;
mod models;
mod mounts;
mod namespaces;
mod networks;
mod ports;
mod project;
mod resources;
mod service;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub(crate) use keys::FOREIGN;
pub(crate) use project::{is_project_name, project};

use crate::FileProvider;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::span::Span;

/// What decoding needs besides the tree, and where it reports.
pub(crate) struct Context<'a> {
    pub(crate) environment: &'a BTreeMap<String, String>,
    pub(crate) files: &'a dyn FileProvider,
    pub(crate) profiles: &'a [String],
    pub(crate) diagnostics: &'a mut Diagnostics,
    /// What is left of [`crate::limits::MAX_PRODUCED_BYTES`].
    pub(crate) budget: &'a mut usize,
}

impl Context<'_> {
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Takes from the budget; `false` when it does not reach, after which nothing is left.
    pub(crate) fn spend(&mut self, bytes: usize) -> bool {
        let left = self.budget.checked_sub(bytes);
        *self.budget = left.unwrap_or(0);
        left.is_some()
    }

    /// Whether one of the active profiles (`*` stands for all) enables a service with these profiles.
    pub(crate) fn enabled(&self, profiles: &[crate::Spanned<String>]) -> bool {
        profiles.is_empty()
            || self.profiles.iter().any(|active| active == "*")
            || profiles.iter().any(|profile| self.profiles.contains(&profile.value))
    }
}

/// Joins a value with the place of the value that it was read from.
fn spanned<T>(value: Option<T>, span: &Span) -> Option<crate::Spanned<T>> {
    value.map(|value| crate::Spanned::new(value, span.clone()))
}
