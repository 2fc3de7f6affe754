//! How commands reach OCI registries: references as users write them, the file of registries, the user's
//! credentials, and what to do when a registry says no.

mod remedy;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use kompox_oci::{Client, Credentials, Error, Proxies, Reference, Registries, UserConfig};

use crate::failure::Failure;
use crate::files;

/// What a reference begins with on the command line.
const SCHEME: &str = "oci://";
/// Most bytes of the file of registries; the operator's bound.
const FILE_BYTES: u64 = 1 << 20;

/// A reference as users write it: `oci://ghcr.io/acme/driver:1.2.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OciReference(pub Reference);

impl FromStr for OciReference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let reference = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| format!("it must begin with {SCHEME}, as in {SCHEME}ghcr.io/acme/driver:1.2.0"))?;
        reference.parse().map(Self).map_err(|error: kompox_oci::ReferenceError| error.to_string())
    }
}

impl fmt::Display for OciReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.0)
    }
}

/// How registries are reached.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Registry")]
pub struct RegistryArguments {
    /// File that says how registries are reached (private CA, plain HTTP, mirrors), the same as the operator's
    /// [default: https with the public certificate authorities]
    #[arg(long, env = "KOMPOX_REGISTRIES_CONFIG", value_name = "FILE")]
    pub registries_config: Option<PathBuf>,
}

/// What a command wants of a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To pull, from mirrors first.
    Pull,
    /// To push; mirrors are not asked, for what they say may be old.
    Push,
}

/// A way to the registry of one reference.
#[derive(Debug)]
pub struct Access {
    /// What is asked for.
    pub reference: Reference,
    /// Talks to its registry.
    pub client: Client,
    /// The user's credentials for it.
    pub credentials: Credentials,
    purpose: Purpose,
}

impl Access {
    /// Reads the file of registries and the user's credentials; asks no registry yet.
    ///
    /// # Errors
    /// When one of the two cannot be used.
    pub async fn open(
        reference: &Reference,
        arguments: &RegistryArguments,
        purpose: Purpose,
    ) -> Result<Self, Failure> {
        let variable = |name: &str| std::env::var(name).ok();
        let mut registries =
            arguments.registries_config.as_deref().map_or(Ok(Registries::default()), read)?;
        if purpose == Purpose::Push {
            registries.registries.iter_mut().for_each(|entry| entry.mirrors.clear());
        }
        let user =
            UserConfig::path(variable).map_or(Ok(UserConfig::default()), |path| UserConfig::read(&path));
        let credentials = user.map_err(|error| Failure::Credentials(Box::new(error)))?;
        let credentials = credentials.credentials(reference).await;
        Ok(Self {
            reference: reference.clone(),
            client: Client::new(registries, Proxies::from_variables(variable)),
            credentials: credentials.map_err(|error| Failure::Credentials(Box::new(error)))?,
            purpose,
        })
    }

    /// The failure of a request, with what to do about it.
    pub fn failed(&self, error: Error) -> Failure {
        let remedy = remedy::of(&error, &self.reference, self.purpose);
        Failure::Registry { source: Box::new(error), remedy }
    }
}

/// The file of registries, checked.
fn read(path: &Path) -> Result<Registries, Failure> {
    let bad = |message: String| Failure::BadFile { path: path.to_owned(), message };
    let text = String::from_utf8(files::read(path, FILE_BYTES)?);
    let text = text.map_err(|_| bad("the file is not UTF-8 text".to_owned()))?;
    let registries: Registries = serde_saphyr::from_str(&text).map_err(|error| bad(error.to_string()))?;
    registries.check().map_err(|error| bad(error.to_string()))?;
    Ok(registries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_begins_with_its_scheme() {
        let reference: OciReference = "oci://ghcr.io/acme/driver:1".parse().unwrap();
        assert_eq!(reference.to_string(), "oci://ghcr.io/acme/driver:1");
        for (text, expected) in [
            ("ghcr.io/acme/driver:1", "must begin with oci://"),
            ("oci://Acme", "is no reference"),
            ("https://ghcr.io/acme/driver:1", "must begin with oci://"),
        ] {
            let error = text.parse::<OciReference>().unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn faults_in_the_file_of_registries_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registries.yaml");
        for (text, expected) in [
            ("plainHttp: true\n", "plainHttp"),
            ("registries:\n- prefix: a.example\n- prefix: a.example\n", "twice"),
        ] {
            std::fs::write(&path, text).unwrap();
            let failure = read(&path).unwrap_err();
            let message = failure.to_string();
            assert!(message.contains(expected) && message.contains("registries.yaml"), "{message}");
            assert_eq!(failure.exit_code(), crate::failure::INVALID_INPUT);
        }
        std::fs::write(&path, "registries:\n- prefix: a.example\n  plainHttp: true\n").unwrap();
        assert_eq!(read(&path).unwrap().registries.len(), 1);
    }
}
