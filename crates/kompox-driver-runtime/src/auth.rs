//! Authentication profiles: how the host signs in for a driver with a key the driver never sees.
//!
//! One module per kind. A profile is declared in the descriptor, checked when the driver is loaded,
//! and becomes a [`Signer`] for one call. A signer touches a request only after `egress` has found
//! the endpoint that names its profile; short-lived tokens are kept in [`Tokens`].

mod aws;
mod azure;
mod basic;
mod bearer;
mod cache;
mod failure;
mod google;
mod header;
mod identity;
mod jwt;
mod keys;
mod login;
mod mtls;
mod oauth2;
mod oci;
mod oneshot;
mod settings;
mod signer;
mod sigv4;
mod source;
#[cfg(test)]
mod testing;
mod wire;

pub use identity::{
    AwsIdentity, AzureIdentity, GoogleIdentity, IdentityError, WorkloadIdentity, WorkloadIdentityGrant,
};
pub(crate) use {
    cache::Tokens,
    failure::Failure,
    mtls::ClientCertificate,
    oneshot::{Refusal, SecretAccess, Vault},
    signer::{Desk, Signer},
    source::Slot,
    wire::Wire,
};

use crate::redact::Redactor;
use kompox_core::driver::{AuthProfile, Call, DriverError, DriverResult, Effect, ErrorCode, Provider};
use secrecy::ExposeSecret as _;
use settings::{Param, Settings};
use source::Source;
use std::collections::BTreeMap;

/// A kind of profile: what its descriptor may say, and how a call uses it.
struct Kind {
    /// The word in the descriptor.
    name: &'static str,
    /// The settings a descriptor may give.
    params: &'static [Param],
    /// Keys of the Secret that name an account or a person and are no secret: they may stand in ids
    /// and messages, where a secret is refused or removed.
    identifiers: &'static [&'static str],
    /// Checks what one setting alone does not show. Placeholders are filled with a sample.
    check: fn(&Settings) -> Result<(), String>,
    /// The signer of one call.
    signer: fn(&Source<'_>) -> Result<Signer, Failure>,
}

/// Longest credentials of a call, in bytes, all entries together.
const CREDENTIALS: usize = 128 << 10;

/// Sorted by name, as they stand in messages.
const KINDS: [&Kind; 10] = [
    &aws::KIND,
    &azure::KIND,
    &basic::KIND,
    &bearer::KIND,
    &google::KIND,
    &header::KIND,
    &login::KIND,
    &mtls::KIND,
    &oauth2::KIND,
    &oci::KIND,
];

fn kind(profile: &AuthProfile) -> Result<&'static Kind, String> {
    KINDS.into_iter().find(|kind| kind.name == profile.kind).ok_or_else(|| {
        let supported: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        format!(
            "auth profile kind `{}` is not supported by this operator version; supported: {}",
            profile.kind,
            supported.join(", ")
        )
    })
}

/// Checks a profile when its driver is loaded.
///
/// # Errors
/// The kind or a parameter that this operator does not support.
pub(crate) fn check(profile: &AuthProfile) -> Result<(), String> {
    let kind = kind(profile)?;
    Settings::sample(kind.params, &profile.params)
        .and_then(|settings| (kind.check)(&settings))
        .map_err(|what| format!("auth profile `{}`: {what}", profile.name))
}

/// Nothing to check beyond the single settings.
#[expect(clippy::unnecessary_wraps, reason = "has the shape of `Kind::check`")]
fn unchecked(_settings: &Settings) -> Result<(), String> {
    Ok(())
}

/// The signers of a call by profile name: what cannot sign fails the request that needs it, since a
/// call may never use a profile whose settings are not there.
pub(crate) type Signers = BTreeMap<String, Result<Signer, Failure>>;

/// The signers of a call. `digest` is that of the driver: what is cached for one component is never
/// given to another. `identity` is the operator's own, if it was granted.
///
/// # Errors
/// A required key of the Secret is missing ([`ErrorCode::Unauthenticated`], `CredentialsMissing`).
pub(crate) fn signers(
    digest: &str,
    provider: &Provider,
    call: &Call,
    identity: Option<&WorkloadIdentity>,
) -> DriverResult<Signers> {
    // Without a Secret the operator's own identity may do: then no key of a Secret is required.
    if identity.is_none() || !call.credentials.is_empty() {
        for key in provider.credentials.iter().filter(|credential| credential.required) {
            source::secret(call, &key.key).map_err(|failure| failure.to_error(Effect::None))?;
        }
    }
    let made = |profile: &AuthProfile| signer(digest, profile, call, identity);
    Ok(provider.auth_profiles.iter().map(|profile| (profile.name.clone(), made(profile))).collect())
}

fn signer(
    digest: &str,
    profile: &AuthProfile,
    call: &Call,
    identity: Option<&WorkloadIdentity>,
) -> Result<Signer, Failure> {
    let kind = kind(profile).map_err(|what| source::config_missing(profile, &what))?;
    let settings = Settings::fill(kind.params, &profile.params, &call.config)
        .map_err(|what| source::config_missing(profile, &what))?;
    let slot = Slot::new(digest, kind.name, &settings, call);
    (kind.signer)(&Source { profile, settings, call, identity, slot })
}

/// A redactor that knows every secret of the call. Entries that only name an account or a person stay
/// readable: a cloud's ids hold them.
///
/// # Errors
/// The credentials are too long: every form of every line is looked for in every text.
pub(crate) fn redactor(provider: Option<&Provider>, call: &Call) -> DriverResult<Redactor> {
    let bytes: usize = call.credentials.values().map(|value| value.expose_secret().len()).sum();
    if bytes > CREDENTIALS {
        let message = format!(
            "the credentials of provider type `{}` are {bytes} bytes long; the Secret may hold {CREDENTIALS} at most",
            call.provider_type
        );
        let code = ErrorCode::Unauthenticated;
        return Err(DriverError::new(code, Effect::None, "CredentialsInvalid", message));
    }
    let profiles = provider.map(|provider| provider.auth_profiles.as_slice()).unwrap_or_default();
    let named = |key: &str| {
        profiles.iter().filter_map(|profile| kind(profile).ok()).any(|kind| kind.identifiers.contains(&key))
    };
    let redactor = Redactor::default();
    for (_, value) in call.credentials.entries().filter(|(key, _)| !named(key)) {
        let value = value.expose_secret();
        redactor.add(value);
        // The parts of a JSON document are secrets too: a service-account key is one.
        for part in keys::parts(value) {
            redactor.add(part.expose_secret());
        }
    }
    Ok(redactor)
}

#[cfg(test)]
mod tests;
