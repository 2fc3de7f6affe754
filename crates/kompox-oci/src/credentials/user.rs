//! The credentials of whoever runs a command line: Docker's configuration file and the helper programs it names.

use super::{Credential, Credentials, CredentialsError, MAX_BYTES, normal};
use crate::reference::Reference;
use secrecy::SecretString;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::io::AsyncWriteExt as _;

/// A helper asks a keychain, which may ask the user.
const HELPER_PATIENCE: Duration = Duration::from_secs(60);

/// What a helper answers for a user that is no user but a token.
const TOKEN_USER: &str = "<token>";

/// Docker's configuration of a user.
#[derive(Clone, Debug, Default)]
pub struct UserConfig {
    credentials: Credentials,
    /// Names of helper programs by registry.
    helpers: BTreeMap<String, String>,
    /// The helper for all other registries.
    store: Option<String>,
}

/// Why the user's credentials cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UserConfigError {
    /// The file.
    #[error("failed to read {}", path.display())]
    Read {
        /// The configuration file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What is in it.
    #[error("failed to use {}", path.display())]
    Content {
        /// The configuration file.
        path: PathBuf,
        /// What is wrong.
        source: CredentialsError,
    },
    /// A helper program.
    #[error(
        "failed to ask `{program}` for the credentials of {registry}: {message}; sign in with `docker login`"
    )]
    Helper {
        /// The program.
        program: String,
        /// What it was asked for.
        registry: String,
        /// What went wrong.
        message: String,
    },
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Helpers {
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: SecretString,
}

impl UserConfig {
    /// Where the file is: `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`.
    pub fn path(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
        let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let directory = set("DOCKER_CONFIG").or_else(|| set("HOME").map(|home| home.join(".docker")))?;
        Some(directory.join("config.json"))
    }

    /// Reads the file; one that is not there holds no credentials.
    ///
    /// # Errors
    /// It cannot be read, or is not of Docker's form.
    pub fn read(path: &Path) -> Result<Self, UserConfigError> {
        let failed = |source| UserConfigError::Read { path: path.to_owned(), source };
        let mut json = Vec::new();
        match fs::File::open(path) {
            Ok(file) => {
                file.take(MAX_BYTES as u64 + 1).read_to_end(&mut json).map_err(failed)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error)),
        }
        Self::parse(&json).map_err(|source| UserConfigError::Content { path: path.to_owned(), source })
    }

    fn parse(json: &[u8]) -> Result<Self, CredentialsError> {
        let helpers: Helpers = serde_json::from_slice(json)
            .map_err(|error| CredentialsError::Malformed { line: error.line(), column: error.column() })?;
        // Docker leaves an empty entry where a helper holds the secret.
        let helped = helpers.creds_store.is_some() || !helpers.cred_helpers.is_empty();
        let credentials = match Credentials::from_docker_config(json) {
            Err(CredentialsError::Empty(_)) if helped => Credentials::none(),
            other => other?,
        };
        let by_registry = helpers.cred_helpers.into_iter().map(|(key, name)| (normal(&key), name));
        Ok(Self { credentials, helpers: by_registry.collect(), store: helpers.creds_store })
    }

    /// The credentials for one reference: those in the file, else those of its helper.
    ///
    /// # Errors
    /// The helper does not answer as helpers do.
    pub async fn credentials(&self, reference: &Reference) -> Result<Credentials, UserConfigError> {
        let named = self.helpers.get(reference.registry());
        if named.is_none() && self.credentials.of(reference).is_some() {
            return Ok(self.credentials.clone());
        }
        let Some(helper) = named.or(self.store.as_ref()) else { return Ok(Credentials::none()) };
        let program = format!("docker-credential-{helper}");
        let registry = reference.registry();
        ask(&program, registry).await.map(|found| {
            found.map_or_else(Credentials::none, |credential| Credentials::single(registry, credential))
        })
    }
}

/// Speaks the protocol of docker-credential-helpers: the server's address in, JSON out.
async fn ask(program: &str, registry: &str) -> Result<Option<Credential>, UserConfigError> {
    let failed = |message: String| UserConfigError::Helper {
        program: program.to_owned(),
        registry: registry.to_owned(),
        message,
    };
    let server = if registry == "docker.io" { "https://index.docker.io/v1/" } else { registry };
    let mut child = tokio::process::Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        // A helper that has ended already says why by its exit code.
        let _ = input.write_all(server.as_bytes()).await;
    }
    let output = tokio::time::timeout(HELPER_PATIENCE, child.wait_with_output())
        .await
        .map_err(|_| failed(format!("it gave no answer within {} s", HELPER_PATIENCE.as_secs())))?
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        // The protocol has one error that is none.
        let unknown = String::from_utf8_lossy(&output.stdout).contains("credentials not found");
        return if unknown { Ok(None) } else { Err(failed(format!("it ended with {}", output.status))) };
    }
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed("its answer is no JSON of a helper".to_owned()))?;
    Ok(Some(if answer.username == TOKEN_USER {
        Credential::IdentityToken(answer.secret)
    } else {
        Credential::Basic { user: answer.username, password: answer.secret }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_where_docker_has_it() {
        for (variables, expected) in [
            (vec![("DOCKER_CONFIG", "/d"), ("HOME", "/h")], Some("/d/config.json")),
            (vec![("DOCKER_CONFIG", ""), ("HOME", "/h")], Some("/h/.docker/config.json")),
            (vec![], None),
        ] {
            let variables: BTreeMap<_, _> = variables.into_iter().collect();
            let path = UserConfig::path(|name| variables.get(name).map(|value| (*value).to_owned()));
            assert_eq!(path, expected.map(PathBuf::from));
        }
    }

    #[tokio::test]
    async fn helpers_are_asked_as_docker_asks_them() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("docker-credential-test");
        let script = "#!/bin/sh\nread server\ncase $server in\nknown) echo '{\"Username\":\"u\",\"Secret\":\"s\"}';;\n\
                      token) echo '{\"Username\":\"<token>\",\"Secret\":\"s\"}';;\n\
                      odd) echo hello;;\nbroken) exit 3;;\n*) echo 'credentials not found in native keychain'; exit 1;;\nesac\n";
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        let program = program.to_str().unwrap();
        assert!(matches!(ask(program, "known").await, Ok(Some(Credential::Basic { .. }))));
        assert!(matches!(ask(program, "token").await, Ok(Some(Credential::IdentityToken(_)))));
        assert!(matches!(ask(program, "nobody").await, Ok(None)));
        for registry in ["odd", "broken"] {
            let error = ask(program, registry).await.unwrap_err().to_string();
            assert!(error.contains("docker login") && error.contains(registry), "{error}");
        }
    }

    #[tokio::test]
    async fn what_stands_in_the_file_needs_no_helper_and_a_missing_file_holds_nothing() {
        let reference = "ghcr.io/a/b:1".parse().unwrap();
        let config = UserConfig::parse(
            br#"{"auths":{"ghcr.io":{"username":"u","password":"p"}},"credsStore":"absent"}"#,
        )
        .unwrap();
        assert!(config.credentials(&reference).await.unwrap().of(&reference).is_some());
        let empty =
            UserConfig::parse(br#"{"auths":{"ghcr.io":{}},"credHelpers":{"quay.io":"absent"}}"#).unwrap();
        assert!(empty.credentials(&reference).await.unwrap().of(&reference).is_none());
        let nothing = UserConfig::read(Path::new("/nonexistent/config.json")).unwrap();
        assert!(nothing.credentials(&reference).await.unwrap().of(&reference).is_none());
    }
}
