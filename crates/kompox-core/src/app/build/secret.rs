//! Secrets: the environment of each service, and files whose content the Compose file gives.

use crate::app::secret_text::SecretText;
use crate::app::validated::{GeneratedFile, ValidatedApp, ValidatedService};
use crate::{labels, naming};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use std::collections::BTreeMap;

/// One Secret per service with an environment, one more where names of variables cannot be keys, and one per
/// file.
pub(super) fn build(app: &ValidatedApp) -> Vec<Secret> {
    app.services()
        .flat_map(|(_, service)| plain(app, service).into_iter().chain(named(app, service)))
        .chain(app.files.iter().map(|generated| file(app, generated)))
        .collect()
}

fn plain(app: &ValidatedApp, service: &ValidatedService) -> Option<Secret> {
    let name = naming::environment_secret(&app.identity.name, &service.name);
    secret(app, service, name, service.environment.iter())
}

fn named(app: &ValidatedApp, service: &ValidatedService) -> Option<Secret> {
    let name = naming::named_environment_secret(&app.identity.name, &service.name);
    let data = service.named_environment.values().map(|variable| (&variable.key, &variable.value));
    secret(app, service, name, data)
}

fn secret<'a>(
    app: &ValidatedApp,
    service: &ValidatedService,
    name: String,
    data: impl Iterator<Item = (&'a String, &'a SecretText)>,
) -> Option<Secret> {
    let data: BTreeMap<_, _> =
        data.map(|(key, value)| (key.clone(), ByteString(value.expose().to_vec()))).collect();
    (!data.is_empty()).then(|| Secret {
        metadata: labels::object_meta(&app.identity, name, Some(&service.name), &app.inherited),
        data: Some(data),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    })
}

/// Never changed: other content is another Secret, under another name.
fn file(app: &ValidatedApp, generated: &GeneratedFile) -> Secret {
    let content = ByteString(generated.content.expose().to_vec());
    Secret {
        metadata: labels::object_meta(&app.identity, generated.object.clone(), None, &app.inherited),
        data: Some([(generated.key.clone(), content)].into()),
        immutable: Some(true),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    }
}
