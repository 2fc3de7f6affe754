//! References such as `ghcr.io/acme/driver:1.2.0` or `ghcr.io/acme/driver@sha256:…`. Pure.

use crate::digest::{Digest, NoDigest};
use oci_spec::distribution::{ParseError, Reference as Parsed};
use std::{fmt, str::FromStr};

/// Longest text that is looked at.
const MAX_LENGTH: usize = 512;

/// The API of Docker Hub is not served where its references point.
const HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// Where an artifact is: a registry, a repository in it, and a tag, a digest, or both. With both the digest
/// counts and the tag is for people.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Reference(Parsed);

/// Why a text is no reference.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// It is not written as one.
    #[error("`{text}` is no reference ({source}): write it as `ghcr.io/acme/driver:1.2.0`")]
    Malformed {
        /// What was read.
        text: String,
        /// What is wrong.
        source: ParseError,
    },
    /// It is pinned in a way that is not taken.
    #[error("`{text}` is no reference: {source}")]
    Digest {
        /// What was read.
        text: String,
        /// What is wrong.
        source: NoDigest,
    },
    /// It is longer than any registry takes.
    #[error("the reference is longer than {MAX_LENGTH} characters")]
    TooLong,
}

impl Reference {
    /// The registry's host, with its port where one is given.
    #[must_use]
    pub fn registry(&self) -> &str {
        self.0.registry()
    }

    /// The repository in the registry, such as `acme/driver`.
    #[must_use]
    pub fn repository(&self) -> &str {
        self.0.repository()
    }

    /// Registry and repository, without tag and digest.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry(), self.repository())
    }

    /// The tag. A reference without tag and digest has the tag `latest`.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.0.tag()
    }

    /// The digest of the manifest that it is pinned to.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.0.digest().and_then(|digest| digest.parse().ok())
    }

    /// The manifest with this digest in the same repository.
    #[must_use]
    pub fn at(&self, digest: &Digest) -> Self {
        Self(self.0.clone_with_digest(digest.to_string()))
    }

    /// The tag in the same repository.
    #[must_use]
    pub fn tagged(&self, tag: &str) -> Self {
        Self(Parsed::with_tag(self.registry().to_owned(), self.repository().to_owned(), tag.to_owned()))
    }

    /// What the registry is asked for: the digest, else the tag.
    pub(crate) fn identifier(&self) -> &str {
        self.0.digest().or(self.0.tag()).unwrap_or("latest")
    }

    /// Host (and port) that serves the registry's API.
    pub(crate) fn api_host(&self) -> &str {
        let (name, api) = HUB;
        if self.registry() == name { api } else { self.registry() }
    }

    /// Whether registry and repository are below `prefix`, path segment by path segment.
    pub(crate) fn is_under(&self, prefix: &str) -> bool {
        let name = self.name();
        let rest = name.strip_prefix(prefix.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The same artifact with `prefix` replaced by `other`.
    pub(crate) fn moved(&self, prefix: &str, other: &str) -> Result<Self, ReferenceError> {
        let name = self.name();
        let rest = name.strip_prefix(prefix.trim_end_matches('/')).unwrap_or_default();
        let tag = self.tag().map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = self.0.digest().map(|digest| format!("@{digest}")).unwrap_or_default();
        format!("{}{rest}{tag}{digest}", other.trim_end_matches('/')).parse()
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.len() > MAX_LENGTH {
            return Err(ReferenceError::TooLong);
        }
        let parsed: Parsed =
            text.parse().map_err(|source| ReferenceError::Malformed { text: text.to_owned(), source })?;
        if let Some(digest) = parsed.digest() {
            digest
                .parse::<Digest>()
                .map_err(|source| ReferenceError::Digest { text: text.to_owned(), source })?;
        }
        Ok(Self(parsed))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Reference {
        text.parse().unwrap()
    }

    #[test]
    fn references_are_read_and_printed() {
        let pin = format!("sha256:{}", "a".repeat(64));
        for (text, registry, repository, tag, pinned) in [
            ("ghcr.io/acme/driver:1.2.0", "ghcr.io", "acme/driver", Some("1.2.0"), false),
            ("localhost:5000/driver:1", "localhost:5000", "driver", Some("1"), false),
            ("127.0.0.1:5000/a/b/c", "127.0.0.1:5000", "a/b/c", Some("latest"), false),
            (&format!("ghcr.io/acme/driver@{pin}"), "ghcr.io", "acme/driver", None, true),
            (&format!("ghcr.io/acme/driver:1@{pin}"), "ghcr.io", "acme/driver", Some("1"), true),
        ] {
            let reference = read(text);
            assert_eq!((reference.registry(), reference.repository()), (registry, repository));
            assert_eq!((reference.tag(), reference.digest().is_some()), (tag, pinned), "{text}");
            assert_eq!(read(&reference.to_string()), reference);
        }
    }

    #[test]
    fn what_is_no_reference_says_how_one_looks() {
        let sha512 = format!("ghcr.io/a@sha512:{}", "a".repeat(128));
        for (text, expected) in [
            ("ghcr.io/Acme/driver", "ghcr.io/acme/driver:1.2.0"),
            ("https://ghcr.io/acme/driver", "ghcr.io/acme/driver:1.2.0"),
            ("ghcr.io/acme/driver@sha256:12", "no reference"),
            (&sha512, "sha256"),
            (&"a".repeat(513), "longer than 512"),
        ] {
            let error = text.parse::<Reference>().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn prefixes_end_at_path_segments() {
        let reference = read("ghcr.io/acme/driver:1");
        for (prefix, under) in [
            ("ghcr.io", true),
            ("ghcr.io/", true),
            ("ghcr.io/acme", true),
            ("ghcr.io/acme/driver", true),
            ("ghcr.io/ac", false),
            ("ghcr.io.example", false),
            ("ghcr", false),
        ] {
            assert_eq!(reference.is_under(prefix), under, "{prefix}");
        }
    }

    #[test]
    fn a_mirror_keeps_repository_tag_and_digest() {
        let pin = format!("@sha256:{}", "b".repeat(64));
        for (from, prefix, to, expected) in [
            ("ghcr.io/acme/driver:1", "ghcr.io", "mirror:5000/hub", "mirror:5000/hub/acme/driver:1"),
            ("ghcr.io/acme/driver:1", "ghcr.io/acme", "m.example/x/", "m.example/x/driver:1"),
            (&format!("ghcr.io/a/b{pin}"), "ghcr.io", "m.example", &format!("m.example/a/b{pin}")),
        ] {
            assert_eq!(read(from).moved(prefix, to).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn docker_hub_is_asked_where_it_answers() {
        assert_eq!(read("docker.io/acme/driver:1").api_host(), "registry-1.docker.io");
        assert_eq!(read("ghcr.io/acme/driver:1").api_host(), "ghcr.io");
    }
}
