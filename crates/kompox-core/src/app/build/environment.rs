//! How a container gets its environment: by reference to Secrets, so that no value stands in a pod.

use crate::app::validated::{ValidatedApp, ValidatedService};
use crate::naming;
use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar, EnvVarSource, SecretEnvSource, SecretKeySelector};

/// `envFrom` takes values as they are, and keeps them out of the pod template.
pub(super) fn all(app: &ValidatedApp, service: &ValidatedService) -> Option<Vec<EnvFromSource>> {
    (!service.environment.is_empty()).then(|| {
        vec![EnvFromSource {
            secret_ref: Some(SecretEnvSource {
                name: naming::environment_secret(&app.identity.name, &service.name),
                optional: None,
            }),
            ..EnvFromSource::default()
        }]
    })
}

/// Variables whose names no key of a Secret can have.
pub(super) fn named(app: &ValidatedApp, service: &ValidatedService) -> Vec<EnvVar> {
    let secret = naming::named_environment_secret(&app.identity.name, &service.name);
    let variables = service.named_environment.iter();
    variables.map(|(name, named)| variable(name, secret.clone(), &named.key)).collect()
}

/// One variable with the value of a key of a Secret.
pub(super) fn variable(name: &str, secret: String, key: &str) -> EnvVar {
    let selector = SecretKeySelector { name: secret, key: key.to_owned(), optional: None };
    EnvVar {
        name: name.to_owned(),
        value: None,
        value_from: Some(EnvVarSource { secret_key_ref: Some(selector), ..EnvVarSource::default() }),
    }
}
