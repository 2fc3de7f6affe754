//! Credentials of registries, from the JSON that Docker and Kubernetes (`kubernetes.io/dockerconfigjson`) share.
//! Nothing here can print a secret.

mod user;

pub use user::{UserConfig, UserConfigError};

use crate::reference::Reference;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::SecretString;
use serde::Deserialize;
use std::{collections::BTreeMap, fmt};

/// Most bytes of a configuration: the bound of a Secret.
const MAX_BYTES: usize = 1 << 20;

/// Credentials by prefix; the longest that a reference is below counts.
#[derive(Clone, Default)]
pub struct Credentials(BTreeMap<String, Credential>);

/// How to sign in.
#[derive(Clone)]
pub enum Credential {
    /// A user and a password or access token.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// A refresh token, which the registry's token server takes instead of a password.
    IdentityToken(SecretString),
    /// A token that the registry itself takes.
    RegistryToken(SecretString),
}

/// Why there are no credentials. Never shows what was read.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// It is no such JSON.
    #[error(
        "failed to read the credentials: line {line}, column {column} is not as in `.dockerconfigjson`; make the Secret with \
         `kubectl create secret docker-registry`"
    )]
    Malformed {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1.
        column: usize,
    },
    /// There is too much.
    #[error("failed to read the credentials: there are more than {MAX_BYTES} bytes")]
    TooLarge,
    /// One entry says nothing.
    #[error("failed to read the credentials: the entry of `{0}` has no user and password, nor a token")]
    Empty(String),
    /// The joined form is broken.
    #[error("failed to read the credentials: `auth` of `{0}` is not the base64 of `user:password`")]
    Auth(String),
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    username: Option<String>,
    password: Option<SecretString>,
    auth: Option<SecretString>,
    identitytoken: Option<SecretString>,
    registrytoken: Option<SecretString>,
}

impl Credentials {
    /// No credentials: every registry is asked without.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// One credential, for everything below `prefix`.
    #[must_use]
    pub fn single(prefix: &str, credential: Credential) -> Self {
        Self([(normal(prefix), credential)].into())
    }

    /// From the bytes of `.dockerconfigjson`.
    ///
    /// # Errors
    /// They are not of that form; the message tells where, and shows nothing of them.
    pub fn from_docker_config(json: &[u8]) -> Result<Self, CredentialsError> {
        if json.len() > MAX_BYTES {
            return Err(CredentialsError::TooLarge);
        }
        let document: Document = serde_json::from_slice(json)
            .map_err(|error| CredentialsError::Malformed { line: error.line(), column: error.column() })?;
        let entries = document.auths.into_iter().map(|(key, entry)| {
            let credential = credential(&key, entry)?;
            Ok((normal(&key), credential))
        });
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// The credential for a reference.
    #[must_use]
    pub fn of(&self, reference: &Reference) -> Option<&Credential> {
        let fits = self.0.iter().filter(|(prefix, _)| covers(prefix, reference));
        fits.max_by_key(|(prefix, _)| prefix.len()).map(|(_, credential)| credential)
    }

    /// What there are credentials for, sorted.
    #[must_use]
    pub fn prefixes(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credentials").field(&self.prefixes()).finish()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic",
            Self::IdentityToken(_) => "IdentityToken",
            Self::RegistryToken(_) => "RegistryToken",
        })
    }
}

fn credential(key: &str, entry: Entry) -> Result<Credential, CredentialsError> {
    use secrecy::ExposeSecret as _;
    let set = |secret: Option<SecretString>| secret.filter(|secret| !secret.expose_secret().is_empty());
    if let Some(token) = set(entry.registrytoken) {
        return Ok(Credential::RegistryToken(token));
    }
    if let Some(token) = set(entry.identitytoken) {
        return Ok(Credential::IdentityToken(token));
    }
    if let Some(joined) = set(entry.auth) {
        return split(joined.expose_secret()).ok_or_else(|| CredentialsError::Auth(key.to_owned()));
    }
    match (entry.username.filter(|user| !user.is_empty()), entry.password) {
        (Some(user), Some(password)) => Ok(Credential::Basic { user, password }),
        _ => Err(CredentialsError::Empty(key.to_owned())),
    }
}

fn split(joined: &str) -> Option<Credential> {
    let decoded = String::from_utf8(STANDARD.decode(joined.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    // Docker pads passwords with NUL.
    let password = SecretString::from(password.trim_matches('\0').to_owned());
    Some(Credential::Basic { user: user.to_owned(), password })
}

/// Docker writes keys as `https://index.docker.io/v1/`, others as a plain host or a path.
fn normal(key: &str) -> String {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest).trim_end_matches('/');
    let rest = rest.strip_suffix("/v1").or_else(|| rest.strip_suffix("/v2")).unwrap_or(rest);
    let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
    let host = if matches!(host, "index.docker.io" | "registry-1.docker.io") { "docker.io" } else { host };
    if path.is_empty() { host.to_owned() } else { format!("{host}/{path}") }
}

/// As Kubernetes matches: a `*` in the host stands for one label or a part of one.
fn covers(prefix: &str, reference: &Reference) -> bool {
    let (host, path) = prefix.split_once('/').map_or((prefix, ""), |(host, path)| (host, path));
    if !host.contains('*') {
        return reference.is_under(prefix);
    }
    let labels: Vec<&str> = host.split('.').collect();
    let given: Vec<&str> = reference.registry().split('.').collect();
    let same_host = labels.len() == given.len()
        && labels.iter().zip(&given).all(|(pattern, label)| label_fits(pattern, label));
    let under = |rest: &str| rest.is_empty() || rest.starts_with('/');
    same_host && (path.is_empty() || reference.repository().strip_prefix(path).is_some_and(under))
}

fn label_fits(pattern: &str, label: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == label,
        Some((start, end)) => {
            label.len() >= start.len() + end.len() && label.starts_with(start) && label.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    fn read(json: &serde_json::Value) -> Result<Credentials, CredentialsError> {
        Credentials::from_docker_config(json.to_string().as_bytes())
    }

    fn user(credentials: &Credentials, reference: &str) -> Option<String> {
        match credentials.of(&reference.parse().unwrap())? {
            Credential::Basic { user, password } => Some(format!("{user}/{}", password.expose_secret())),
            other => Some(format!("{other:?}")),
        }
    }

    #[test]
    fn the_longest_prefix_counts() {
        let credentials = read(&serde_json::json!({ "auths": {
            "ghcr.io": { "username": "wide", "password": "1" },
            "ghcr.io/acme": { "auth": STANDARD.encode("narrow:2:3") },
            "https://index.docker.io/v1/": { "username": "hub", "password": "4" },
            "*.corp.example": { "identitytoken": "t" },
            "localhost:5000": { "registrytoken": "t" },
        }}))
        .unwrap();
        for (reference, expected) in [
            ("ghcr.io/other/driver:1", Some("wide/1")),
            ("ghcr.io/acme/driver:1", Some("narrow/2:3")),
            ("docker.io/acme/driver:1", Some("hub/4")),
            ("eu.corp.example/driver:1", Some("IdentityToken")),
            ("a.eu.corp.example/driver:1", None),
            ("localhost:5000/driver:1", Some("RegistryToken")),
            ("localhost:5001/driver:1", None),
        ] {
            assert_eq!(user(&credentials, reference).as_deref(), expected, "{reference}");
        }
    }

    #[test]
    fn a_secret_is_never_printed() {
        let credentials = Credentials::single(
            "ghcr.io",
            Credential::Basic { user: "u".to_owned(), password: "hunter2".to_owned().into() },
        );
        let shown = format!("{credentials:?} {:?}", credentials.of(&"ghcr.io/a:1".parse().unwrap()));
        assert!(!shown.contains("hunter2"), "{shown}");
        for json in [
            r#"{"auths":{"a":{"auth":"hunter2"}}}"#,
            r#"{"auths":{"a":{"password":"hunter2"}}}"#,
            r#"{"auths":{"a":{"password":"hunter2","username":["hunter2"]}}}"#,
            r#"hunter2"#,
        ] {
            let error = Credentials::from_docker_config(json.as_bytes()).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
