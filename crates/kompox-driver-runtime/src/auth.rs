//! Authentication profiles: how the host signs a driver's requests with a key the driver never sees.
//!
//! One module per kind. A profile is declared in the descriptor, checked when the driver is loaded,
//! and becomes a [`Signer`] for one call.

mod sigv4;

use crate::egress::fill;
use http::{HeaderName, request::Parts};
use kompox_core::driver::{AuthProfile, Call, DriverError, Effect, ErrorCode, Provider};
use std::{collections::BTreeMap, time::SystemTime};

/// The kinds this operator has, for messages.
const KINDS: &str = "aws-sigv4";

/// A checked profile of a descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Profile {
    /// AWS Signature Version 4; both may hold `{config.x}`.
    AwsSigV4 { service: String, region: String },
}

/// Signs the requests of one call.
pub(crate) enum Signer {
    /// AWS Signature Version 4.
    AwsSigV4(sigv4::Signer),
}

/// Checks a profile when its driver is loaded.
///
/// # Errors
/// The kind or a parameter that this operator does not support.
pub(crate) fn check(profile: &AuthProfile) -> Result<(), String> {
    parse(profile).map(drop)
}

fn parse(profile: &AuthProfile) -> Result<Profile, String> {
    let wrong = |what: String| format!("auth profile `{}`: {what}", profile.name);
    let mut params = profile.params.clone();
    let parsed = match profile.kind.as_str() {
        "aws-sigv4" => {
            let mut take =
                |name: &str| params.remove(name).ok_or_else(|| wrong(format!("param `{name}` is required")));
            Profile::AwsSigV4 { service: take("service")?, region: take("region")? }
        }
        kind => {
            return Err(format!(
                "auth profile kind `{kind}` is not supported by this operator version; supported: {KINDS}"
            ));
        }
    };
    match params.keys().next() {
        None => Ok(parsed),
        Some(unknown) => Err(wrong(format!("param `{unknown}` is not known for this kind"))),
    }
}

/// The signers of a call, by profile name.
///
/// # Errors
/// [`ErrorCode::Unauthenticated`] with reason `CredentialsMissing` names a missing key of the Secret,
/// [`ErrorCode::InvalidArgument`] with reason `ConfigMissing` a missing configuration value.
pub(crate) fn signers(provider: &Provider, call: &Call) -> Result<BTreeMap<String, Signer>, DriverError> {
    for key in provider.credentials.iter().filter(|credential| credential.required) {
        secret(call, &key.key)?;
    }
    provider.auth_profiles.iter().map(|profile| Ok((profile.name.clone(), signer(profile, call)?))).collect()
}

fn signer(profile: &AuthProfile, call: &Call) -> Result<Signer, DriverError> {
    let config_missing = |what: String| {
        let message = format!("auth profile `{}` cannot be used: {what}", profile.name);
        DriverError::new(ErrorCode::InvalidArgument, Effect::None, "ConfigMissing", message)
    };
    match parse(profile).map_err(config_missing)? {
        Profile::AwsSigV4 { service, region } => {
            let filled = |template: &str| fill(template, &call.config, is_scope_part).map_err(config_missing);
            Ok(Signer::AwsSigV4(sigv4::Signer {
                service: filled(&service)?,
                region: filled(&region)?,
                access_key_id: secret(call, "accessKeyId")?.clone(),
                secret_access_key: secret(call, "secretAccessKey")?.clone(),
                session_token: call.credentials.get("sessionToken").cloned(),
            }))
        }
    }
}

/// Parts of a credential scope are separated by slashes in the signed text.
fn is_scope_part(text: &str) -> bool {
    text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn secret<'a>(call: &'a Call, key: &str) -> Result<&'a secrecy::SecretString, DriverError> {
    use secrecy::ExposeSecret as _;
    call.credentials.get(key).filter(|value| !value.expose_secret().is_empty()).ok_or_else(|| {
        let message = format!(
            "the credentials of provider type `{}` have no entry `{key}`: add it to the Secret",
            call.provider_type
        );
        DriverError::new(ErrorCode::Unauthenticated, Effect::None, "CredentialsMissing", message)
    })
}

impl Signer {
    /// Whether the host alone sets this header: what a guest sets is dropped.
    pub(crate) fn owns(&self, header: &HeaderName) -> bool {
        match self {
            Self::AwsSigV4(_) => {
                matches!(header.as_str(), "authorization" | "date" | "host")
                    || header.as_str().starts_with("x-amz-")
            }
        }
    }

    /// Adds the headers that authenticate the request. `Host` must be set already.
    ///
    /// # Errors
    /// What cannot be signed; nothing of the credential is in the text.
    pub(crate) fn sign(&self, request: &mut Parts, body: &[u8], now: SystemTime) -> Result<(), String> {
        match self {
            Self::AwsSigV4(signer) => signer.sign(request, body, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kompox_core::driver::{ClusterIdentity, Credentials, Descriptor};
    use serde_json::json;
    use std::time::Duration;

    fn provider() -> Provider {
        let descriptor: Descriptor = serde_json::from_value(json!({
            "name": "d", "version": "1.0.0", "providers": [{
                "type": "t",
                "authProfiles": [{ "name": "aws", "kind": "aws-sigv4",
                    "params": { "service": "ec2", "region": "{config.region}" } }],
                "credentials": [{ "key": "accessKeyId", "required": true }]
            }]
        }))
        .unwrap();
        descriptor.providers[0].clone()
    }

    fn call(config: &[(&str, &str)], credentials: &[(&str, &str)]) -> Call {
        Call {
            provider_type: "t".into(),
            config: config.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            cluster: ClusterIdentity::default(),
            credentials: Credentials::new(
                credentials.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            ),
            subject: String::new(),
            timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let region = [("region", "us-east-1")];
        let both = [("accessKeyId", "a"), ("secretAccessKey", "s")];
        let cases: &[(&[_], &[_], &str, &str)] = &[
            (&region, &both[..1], "CredentialsMissing", "`secretAccessKey`"),
            (&region, &both[1..], "CredentialsMissing", "`accessKeyId`"),
            (&region, &[("accessKeyId", ""), both[1]], "CredentialsMissing", "`accessKeyId`"),
            (&[], &both, "ConfigMissing", "config.region"),
            (&[("region", "a/b")], &both, "ConfigMissing", "config.region"),
        ];
        for (config, credentials, reason, named) in cases {
            let error = signers(&provider(), &call(config, credentials)).err().unwrap();
            assert_eq!(error.reason, *reason);
            assert_eq!(error.effect, Effect::None);
            assert!(error.message.contains(named), "{error}");
        }
        assert_eq!(signers(&provider(), &call(&region, &both)).map(|signers| signers.len()), Ok(1));
    }

    #[test]
    fn unknown_kinds_and_params_are_refused() {
        let profile = |kind: &str, params: serde_json::Value| -> AuthProfile {
            serde_json::from_value(json!({ "name": "p", "kind": kind, "params": params })).unwrap()
        };
        let error = check(&profile("bearer", json!({}))).unwrap_err();
        assert!(error.contains("`bearer` is not supported by this operator version"), "{error}");
        assert!(check(&profile("aws-sigv4", json!({ "service": "ec2" }))).unwrap_err().contains("`region`"));
        let extra = json!({ "service": "ec2", "region": "x", "audience": "y" });
        assert!(check(&profile("aws-sigv4", extra)).unwrap_err().contains("`audience`"));
    }
}
