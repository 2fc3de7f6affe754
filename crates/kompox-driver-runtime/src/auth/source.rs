//! What a profile is made from in one call: its settings, the entries of the Secret, and the
//! operator's own identity where that was granted. Errors name the key and never show a value.

use super::{Failure, WorkloadIdentity, settings::Settings};
use kompox_core::driver::{AuthProfile, Call};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// Longest entry of a Secret that a profile takes, in bytes.
const ENTRY: usize = 64 << 10;

/// The parts of one profile in one call.
pub(super) struct Source<'a> {
    pub(super) profile: &'a AuthProfile,
    pub(super) settings: Settings,
    pub(super) call: &'a Call,
    pub(super) identity: Option<&'a WorkloadIdentity>,
    pub(super) slot: Slot,
}

/// Where the tokens of a credential are kept: a hash of everything they depend on, so that neither a
/// value nor a name is kept as a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot([u8; 32]);

impl Slot {
    /// The slot of a profile with these settings and the credentials of `call`.
    pub(super) fn new(digest: &str, kind: &str, settings: &Settings, call: &Call) -> Self {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        part(digest);
        part(&call.provider_type);
        part(kind);
        part(&call.credentials.fingerprint(&call.cluster.uid));
        for (name, text) in settings.iter() {
            part(name);
            part(text);
        }
        Self(hash.finalize().into())
    }

    #[cfg(test)]
    pub(super) fn of_test(number: u32) -> Self {
        Self(Sha256::digest(number.to_be_bytes()).into())
    }

    /// The slot for what `text` adds to this one.
    pub(super) fn and(self, text: &str) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update(text).finalize().into())
    }
}

impl Source<'_> {
    /// The entry `key` of the Secret.
    ///
    /// # Errors
    /// It is missing, empty or too long.
    pub(super) fn secret(&self, key: &str) -> Result<&SecretString, Failure> {
        let value = secret(self.call, key)?;
        if value.expose_secret().len() > ENTRY {
            return Err(self.invalid(key, &format!("it is longer than {ENTRY} bytes")));
        }
        Ok(value)
    }

    /// The entry `key` of the Secret, if it is there and not empty.
    pub(super) fn optional(&self, key: &str) -> Option<&SecretString> {
        present(self.call, key)
    }

    /// An entry that only names somebody.
    ///
    /// # Errors
    /// As [`Self::secret`], or it holds what a name does not.
    pub(super) fn name(&self, key: &str) -> Result<String, Failure> {
        let value = self.secret(key)?.expose_secret();
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '/' | '?' | '#' | '%' | ',');
        if value.len() > 512 || !value.chars().all(plain) {
            return Err(self.invalid(key, "it must be one word without quotes, commas and slashes"));
        }
        Ok(value.to_owned())
    }

    /// The operator's own identity, if it was granted and the call brings no credentials at all: a
    /// Secret in which an entry is missing is a mistake and never a wish for the operator's rights.
    pub(super) fn identity(&self) -> Option<&WorkloadIdentity> {
        self.identity.filter(|_| self.call.credentials.is_empty())
    }

    /// The error for an entry that cannot be used; `what` must not hold its value.
    pub(super) fn invalid(&self, key: &str, what: &str) -> Failure {
        let message = format!(
            "auth profile `{}` cannot use the entry `{key}` of the credentials of provider type `{}`: {what}",
            self.profile.name, self.call.provider_type
        );
        Failure::unusable(message)
    }

    /// The error for a setting that does not fit.
    pub(super) fn misconfigured(&self, what: &str) -> Failure {
        config_missing(self.profile, what)
    }
}

/// The error for a profile whose settings are not complete.
pub(super) fn config_missing(profile: &AuthProfile, what: &str) -> Failure {
    Failure::misconfigured(format!("auth profile `{}` cannot be used: {what}", profile.name))
}

/// The entry `key` of the Secret of `call`.
///
/// # Errors
/// It is missing or empty.
pub(super) fn secret<'a>(call: &'a Call, key: &str) -> Result<&'a SecretString, Failure> {
    present(call, key).ok_or_else(|| {
        let message = format!(
            "the credentials of provider type `{}` have no entry `{key}`: add it to the Secret",
            call.provider_type
        );
        Failure::missing(message)
    })
}

fn present<'a>(call: &'a Call, key: &str) -> Option<&'a SecretString> {
    call.credentials.get(key).filter(|value| !value.expose_secret().is_empty())
}
