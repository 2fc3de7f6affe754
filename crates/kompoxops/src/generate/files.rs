//! ConfigMaps and Secrets that carry the Compose file, its variables, and the files it names.
//!
//! Variables and named files may hold passwords, so they become Secrets; the Compose file is configuration.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::Context;
use crate::naming;

/// The ConfigMap with the Compose files, then the Secrets.
pub(super) fn objects(context: &Context<'_>) -> Vec<Value> {
    let request = context.request;
    let texts = std::iter::once(&request.compose).chain(&request.overrides);
    let data: BTreeMap<String, &str> = texts.map(|file| (file.key(), file.text.as_str())).collect();
    let compose =
        context.object("v1", "ConfigMap", &naming::compose_map(&request.name), [("data", json!(data))]);
    let variables = (!request.variables.is_empty())
        .then(|| secret(context, &naming::variables_secret(&request.name), &request.variables));
    let files = (!request.files.is_empty()).then(|| {
        let data = request.files.iter().map(|(path, content)| (naming::key_of_path(path), content.clone()));
        secret(context, &naming::files_secret(&request.name), &data.collect())
    });
    std::iter::once(compose).chain(variables).chain(files).collect()
}

fn secret(context: &Context<'_>, name: &str, data: &BTreeMap<String, String>) -> Value {
    let data: BTreeMap<_, _> =
        data.iter().map(|(key, value)| (key, ByteString(value.clone().into_bytes()))).collect();
    context.object("v1", "Secret", name, [("type", json!("Opaque")), ("data", json!(data))])
}
