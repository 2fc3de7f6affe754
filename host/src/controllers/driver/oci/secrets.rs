//! The Secrets that a source names, in the operator's namespace: credentials of registries, and public keys.

use super::{Reason, Refusal, Shell, Stage};
use crate::{controllers::Error, reads};
use k8s_openapi::api::core::v1::Secret;
use kompox_crds::v1alpha1::{
    KeyRef,
    driver::{OciSource, OciVerification},
};
use kompox_oci::Credentials;
use kompox_signature::{Identity, Policy, PublicKey};
use kube::Api;
use std::sync::Arc;

/// Where `kubernetes.io/dockerconfigjson` has its content.
const DOCKER_CONFIG: &str = ".dockerconfigjson";

/// The credentials of the pull secret; none, if none is named.
pub(super) async fn credentials(
    shell: &Shell,
    source: &OciSource,
) -> Result<Result<Credentials, Refusal>, Error> {
    let Some(reference) = &source.pull_secret_ref else { return Ok(Ok(Credentials::none())) };
    let field = "spec.source.oci.pullSecretRef";
    let refused = |message: String| Refusal::new(Stage::Fetched, Reason::CredentialsMissing, message);
    let found = value(shell, field, &reference.name, DOCKER_CONFIG).await?;
    Ok(found.map_err(&refused).and_then(|json| {
        let parsed = Credentials::from_docker_config(&json);
        parsed.map_err(|error| refused(format!("`{field}`: Secret `{}`: {error}", reference.name)))
    }))
}

/// Who must have signed; `None`: no signature is asked for.
pub(super) async fn signer(
    shell: &Shell,
    source: &OciSource,
) -> Result<Result<Option<Policy>, Refusal>, Error> {
    match &source.verify {
        None => Ok(Ok(None)),
        Some(OciVerification { key_secret_ref: Some(reference), .. }) => {
            Ok(key(shell, reference).await?.map(|key| Some(Policy::Key(key))))
        }
        Some(OciVerification { keyless: Some(asked), .. }) => {
            let identity = Identity { issuer: asked.issuer.clone(), subject: asked.subject.clone() };
            let root = Arc::clone(&shell.artifacts.trust_root);
            Ok(Ok(Some(Policy::Keyless { identity, root })))
        }
        Some(_) => {
            let message = "`spec.source.oci.verify` names neither `keySecretRef` nor `keyless`";
            Ok(Err(Refusal::new(Stage::Verified, Reason::InvalidSpec, message)))
        }
    }
}

async fn key(shell: &Shell, reference: &KeyRef) -> Result<Result<PublicKey, Refusal>, Error> {
    let field = "spec.source.oci.verify.keySecretRef";
    let refused = |message: String| Refusal::new(Stage::Verified, Reason::CredentialsMissing, message);
    let found = value(shell, field, &reference.name, &reference.key).await?;
    Ok(found.map_err(&refused).and_then(|pem| {
        PublicKey::from_pem(&pem).map_err(|error| {
            refused(format!("`{field}`: Secret `{}`, key `{}`: {error}", reference.name, reference.key))
        })
    }))
}

/// The value under a key of a Secret, or what is missing.
async fn value(shell: &Shell, field: &str, name: &str, key: &str) -> Result<Result<Vec<u8>, String>, Error> {
    let namespace = &shell.context.operator_namespace;
    let api: Api<Secret> = shell.context.namespaced(namespace);
    let Some(secret) = reads::find(&api, name).await? else {
        return Ok(Err(format!(
            "`{field}`: Secret `{name}` does not exist in namespace `{namespace}`; create it there"
        )));
    };
    let mut data = secret.data.unwrap_or_default();
    let value = data.remove(key).map(|value| value.0);
    Ok(value.ok_or_else(|| {
        let keys: Vec<String> = data.into_keys().collect();
        let there = if keys.is_empty() { "none".to_owned() } else { keys.join(", ") };
        format!("`{field}`: Secret `{name}` has no key `{key}` (there are: {there})")
    }))
}
