//! Secrets: the environment of each service.

use crate::app::validated::{ValidatedApp, ValidatedService};
use crate::{labels, naming};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

/// One Secret per service with an environment.
pub(super) fn build(app: &ValidatedApp) -> Vec<Secret> {
    app.services
        .iter()
        .filter(|s| !s.environment.is_empty())
        .map(|service| environment(app, service))
        .collect()
}

fn environment(app: &ValidatedApp, service: &ValidatedService) -> Secret {
    let data = service
        .environment
        .iter()
        .map(|(name, value)| (name.clone(), ByteString(value.expose().to_vec())))
        .collect();
    let name = naming::environment_secret(&app.identity.name, &service.name);
    Secret {
        metadata: labels::object_meta(&app.identity, name, Some(&service.name), &app.inherited),
        data: Some(data),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    }
}
