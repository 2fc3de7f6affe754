//! How registries are reached, set by longest prefix: private certificate authorities, plain HTTP, mirrors. There
//! is no switch for all registries at once: a test registry must not open the others. Pure.

use crate::reference::{Reference, ReferenceError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What holds for the registries of an operator or a user; one that is not named is reached over https, with the
/// public certificate authorities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registries {
    /// One entry a prefix; the order does not matter.
    #[serde(default)]
    pub registries: Vec<Registry>,
}

/// What holds for the references below a prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registry {
    /// A registry (`ghcr.io`, `registry.example:5000`) or a path in one (`ghcr.io/acme`). Of several that fit, the
    /// longest counts.
    pub prefix: String,
    /// Speak plain HTTP. Credentials then travel unencrypted: for registries on a private network.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain_http: bool,
    /// Certificates (PEM) of authorities that are trusted for this registry beside the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// Prefixes that stand for this one and are asked first, in this order, such as `mirror.example/ghcr`. How each
    /// is reached is said by an entry of its own. Only pulls go to mirrors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mirrors: Vec<String>,
}

/// Why a configuration is not taken.
#[derive(Debug, thiserror::Error)]
pub enum RegistriesError {
    /// Nobody could say which one holds.
    #[error("`registries`: the prefix `{0}` is there twice; keep one")]
    Twice(String),
    /// It is no place in a registry.
    #[error("`registries`: `{prefix}` is no registry or path in one: {source}")]
    Prefix {
        /// What was read.
        prefix: String,
        /// What is wrong.
        source: ReferenceError,
    },
    /// It would be useless.
    #[error(
        "`registries`: `{0}` has both `plainHttp` and `ca`; a certificate is not looked at without TLS, remove one"
    )]
    Useless(String),
}

/// Where to ask for an artifact, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) reference: Reference,
    pub(crate) plain_http: bool,
    pub(crate) ca: Option<String>,
}

impl Registries {
    /// Checks what serde cannot.
    ///
    /// # Errors
    /// The entry that is wrong, and why.
    pub fn check(&self) -> Result<(), RegistriesError> {
        let mut seen = BTreeSet::new();
        for entry in &self.registries {
            if !seen.insert(entry.prefix.trim_end_matches('/')) {
                return Err(RegistriesError::Twice(entry.prefix.clone()));
            }
            if entry.plain_http && entry.ca.is_some() {
                return Err(RegistriesError::Useless(entry.prefix.clone()));
            }
            for prefix in entry.mirrors.iter().chain([&entry.prefix]) {
                let probe: Result<Reference, _> = format!("{}/probe", prefix.trim_end_matches('/')).parse();
                probe.map_err(|source| RegistriesError::Prefix { prefix: prefix.clone(), source })?;
            }
        }
        Ok(())
    }

    /// Where to pull from: the mirrors in their order, then the registry itself.
    pub(crate) fn places(&self, reference: &Reference) -> Result<Vec<Place>, ReferenceError> {
        let entry = self.entry(reference);
        let mirrors = entry.into_iter().flat_map(|entry| entry.mirrors.iter().map(move |to| (entry, to)));
        let moved = mirrors.map(|(entry, to)| reference.moved(&entry.prefix, to).map(|at| self.place(at)));
        moved.chain([Ok(self.origin(reference))]).collect()
    }

    /// The registry itself, past all mirrors.
    pub(crate) fn origin(&self, reference: &Reference) -> Place {
        self.place(reference.clone())
    }

    fn place(&self, reference: Reference) -> Place {
        let entry = self.entry(&reference);
        Place {
            plain_http: entry.is_some_and(|entry| entry.plain_http),
            ca: entry.and_then(|entry| entry.ca.clone()),
            reference,
        }
    }

    fn entry(&self, reference: &Reference) -> Option<&Registry> {
        let fits = self.registries.iter().filter(|entry| reference.is_under(&entry.prefix));
        fits.max_by_key(|entry| entry.prefix.trim_end_matches('/').len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: serde_json::Value) -> Registries {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_longest_prefix_counts_and_mirrors_have_entries_of_their_own() {
        let registries = read(serde_json::json!({ "registries": [
            { "prefix": "ghcr.io", "mirrors": ["mirror:5000/ghcr", "second.example"] },
            { "prefix": "ghcr.io/acme", "ca": "PEM" },
            { "prefix": "mirror:5000", "plainHttp": true },
        ]}));
        registries.check().unwrap();
        let places = |text: &str| {
            let places = registries.places(&text.parse().unwrap()).unwrap();
            let of = |place: Place| (place.reference.to_string(), place.plain_http, place.ca.is_some());
            places.into_iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(
            places("ghcr.io/other/driver:1"),
            [
                ("mirror:5000/ghcr/other/driver:1".to_owned(), true, false),
                ("second.example/other/driver:1".to_owned(), false, false),
                ("ghcr.io/other/driver:1".to_owned(), false, false),
            ]
        );
        assert_eq!(places("ghcr.io/acme/driver:1"), [("ghcr.io/acme/driver:1".to_owned(), false, true)]);
        assert_eq!(places("quay.io/a/b:1"), [("quay.io/a/b:1".to_owned(), false, false)]);
    }

    #[test]
    fn a_configuration_that_cannot_be_meant_is_refused() {
        for (json, expected) in [
            (serde_json::json!([{ "prefix": "ghcr.io" }, { "prefix": "ghcr.io/" }]), "twice"),
            (serde_json::json!([{ "prefix": "https://ghcr.io" }]), "no registry"),
            (serde_json::json!([{ "prefix": "ghcr.io", "mirrors": ["a b"] }]), "`a b`"),
            (serde_json::json!([{ "prefix": "ghcr.io", "plainHttp": true, "ca": "x" }]), "remove one"),
        ] {
            let error = read(serde_json::json!({ "registries": json })).check().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let global = serde_json::json!({ "plainHttp": true });
        assert!(serde_json::from_value::<Registries>(global).is_err(), "there is no switch for all");
    }
}
