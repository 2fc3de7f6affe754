//! What a signature must be about: one manifest in one repository.
//!
//! It reads names only; it does not know registries.

use std::fmt;

/// Length of a SHA-256 in hex digits.
const HEX: usize = 64;

/// The registry that go-containerregistry, and so cosign, writes for names without one.
const DEFAULT_REGISTRY: &str = "index.docker.io";

/// What a signature must be about: the manifest that was asked for, and the repository it was asked from.
///
/// With a mirror the repository is the one that the reference names, not the mirror: it is what was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    repository: String,
    hex: String,
}

/// The subject cannot be written down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubjectError {
    /// The digest is not a SHA-256.
    #[error("failed to read the digest `{0}`: it takes `sha256:` and 64 lower-case hex digits")]
    Digest(String),
    /// There is no repository.
    #[error("failed to read the repository `{0}`: it takes a name such as `ghcr.io/acme/driver`")]
    Repository(String),
}

impl Subject {
    /// The manifest with `manifest_digest` (`sha256:` and 64 lower-case hex digits) in `repository`, such as
    /// `ghcr.io/acme/driver`. A tag or digest behind the repository is left out.
    ///
    /// # Errors
    /// Repository or digest are not of these forms.
    pub fn new(repository: &str, manifest_digest: &str) -> Result<Self, SubjectError> {
        let hex = sha256_hex(manifest_digest).ok_or_else(|| SubjectError::Digest(shown(manifest_digest)))?;
        let name = repository_of(repository);
        if !is_repository(&name) {
            return Err(SubjectError::Repository(shown(repository)));
        }
        Ok(Self { repository: name, hex: hex.to_owned() })
    }

    /// The repository with its registry, without tag and digest: `index.docker.io/library/busybox` for `busybox`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// `sha256:` and 64 lower-case hex digits.
    #[must_use]
    pub fn manifest_digest(&self) -> String {
        format!("sha256:{}", self.hex)
    }

    /// The tag under which cosign keeps signatures of the first form: `sha256-<hex>.sig`.
    #[must_use]
    pub fn signature_tag(&self) -> String {
        format!("sha256-{}.sig", self.hex)
    }

    /// The 64 hex digits, as an in-toto statement has them.
    pub(crate) fn hex(&self) -> &str {
        &self.hex
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@sha256:{}", self.repository, self.hex)
    }
}

/// The hex digits of a `sha256:` digest.
fn sha256_hex(digest: &str) -> Option<&str> {
    let hex = digest.strip_prefix("sha256:")?;
    let digits = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (hex.len() == HEX && digits).then_some(hex)
}

/// The repository of a reference in one spelling: with a registry, without tag and digest.
///
/// Docker's rule: the first part is a registry when it has a dot or a port, or is `localhost`.
pub(crate) fn repository_of(reference: &str) -> String {
    let named = reference.split_once('@').map_or(reference, |(name, _)| name);
    let name = match named.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => named,
    };
    let (registry, path) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
        _ => (DEFAULT_REGISTRY, name),
    };
    match registry {
        DEFAULT_REGISTRY | "docker.io" if path.is_empty() => String::new(),
        DEFAULT_REGISTRY | "docker.io" if !path.contains('/') => format!("{DEFAULT_REGISTRY}/library/{path}"),
        "docker.io" => format!("{DEFAULT_REGISTRY}/{path}"),
        registry => format!("{registry}/{path}"),
    }
}

/// Whether the name is a registry and a path of at least one part, in the characters of OCI's distribution
/// specification (and upper case, which some registries take).
fn is_repository(name: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let Some((registry, path)) = name.split_once('/') else { return false };
    // An address of IPv6 has brackets and colons.
    let registry = registry.bytes().all(|byte| valid(byte) || b"[]:".contains(&byte)) && !registry.is_empty();
    registry && path.split('/').all(|part| !part.is_empty() && part.bytes().all(valid))
}

/// A foreign text that may stand in a message: printable and short.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    text.chars().take(LONGEST).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
impl Subject {
    pub(crate) fn for_tests() -> Self {
        Self::new("registry.example/acme/driver", &format!("sha256:{}", "0".repeat(HEX))).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_has_one_spelling() {
        let digest = format!("sha256:{}", "0".repeat(HEX));
        for (written, repository) in [
            ("busybox", "index.docker.io/library/busybox"),
            ("acme/driver:1.0", "index.docker.io/acme/driver"),
            ("docker.io/busybox", "index.docker.io/library/busybox"),
            ("docker.io/acme/driver", "index.docker.io/acme/driver"),
            ("localhost/driver", "localhost/driver"),
            ("localhost:5000/driver:1.0", "localhost:5000/driver"),
            ("ghcr.io/acme/driver", "ghcr.io/acme/driver"),
            ("ghcr.io/acme/driver:1.0@sha256:00", "ghcr.io/acme/driver"),
            ("[::1]:5000/acme/driver", "[::1]:5000/acme/driver"),
        ] {
            assert_eq!(Subject::new(written, &digest).unwrap().repository(), repository);
        }
    }

    #[test]
    fn what_is_no_repository_or_digest_is_refused() {
        let digest = format!("sha256:{}", "0".repeat(HEX));
        for repository in ["", "::", "ghcr.io/", "ghcr.io//driver", "ghcr.io/a b", "ghcr.io/x\n"] {
            let refused = Subject::new(repository, &digest);
            assert!(matches!(refused, Err(SubjectError::Repository(_))), "{repository}");
        }
        for digest in ["", "sha256:", &digest[1..], &format!("{digest}0"), &digest.replace('0', "A")] {
            assert!(matches!(Subject::new("ghcr.io/a/b", digest), Err(SubjectError::Digest(_))), "{digest}");
        }
    }
}
