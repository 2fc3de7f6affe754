//! Several files out of one text. A line `--- NAME` begins the file NAME, as in the tables of cases that the seeds
//! are made of; what comes before the first is `compose.yml`.

use kompox_compose::{Loaded, SourceFile, Variables, load};
use std::collections::BTreeMap;

/// The spec of a KompoxApp, in YAML.
const SPEC: &str = "spec";

/// Variables, `NAME=value` on each line.
const ENVIRONMENT: &str = "environment";

/// The files of a project.
pub(crate) struct Input {
    /// `compose.yml`, and those whose name begins with `override`.
    pub(crate) files: Vec<SourceFile>,
    /// All others, by name.
    pub(crate) beside: BTreeMap<String, String>,
    /// Variables for interpolation.
    pub(crate) environment: BTreeMap<String, String>,
    /// The spec of a KompoxApp.
    pub(crate) spec: String,
}

impl Input {
    /// `None` if the bytes are not UTF-8: nothing in the product takes anything else.
    pub(crate) fn of(data: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(data).ok()?;
        let mut parts = vec![("compose.yml", String::new())];
        for line in text.split_inclusive('\n') {
            let name = line.strip_prefix("--- ").map(str::trim).filter(|name| !name.is_empty());
            match (name, parts.last_mut()) {
                (Some(name), _) => parts.push((name, String::new())),
                (None, Some((_, text))) => text.push_str(line),
                (None, None) => {}
            }
        }
        let mut input = Self {
            files: Vec::new(),
            beside: BTreeMap::new(),
            environment: BTreeMap::new(),
            spec: String::new(),
        };
        parts.into_iter().for_each(|(name, text)| input.add(name, text));
        Some(input)
    }

    fn add(&mut self, name: &str, text: String) {
        match name {
            SPEC => self.spec = text,
            ENVIRONMENT => self.environment.extend(text.lines().filter_map(|line| {
                let (name, value) = line.split_once('=')?;
                Some((name.to_owned(), value.to_owned()))
            })),
            name if name.starts_with("override") || self.files.is_empty() => {
                let name = match self.files.len() {
                    0 => name.to_owned(),
                    number => format!("{name}-{number}"),
                };
                self.files.push(SourceFile { name, text });
            }
            name => {
                self.beside.insert(name.to_owned(), text);
            }
        }
    }

    /// Reads the files with all profiles active.
    pub(crate) fn load(&self, variables: Variables) -> Loaded {
        load(&kompox_compose::Input {
            files: &self.files,
            environment: &self.environment,
            profiles: &["*".to_owned()],
            provider: &self.beside,
            project_name: None,
            variables,
        })
    }
}
