//! The KompoxDisk for all volumes of an app.

use kompox_crds::names::API_VERSION;
use serde_json::{Value, json};

use super::{Context, Deletion, DiskRequest, present};
use crate::naming::DISK;

/// The object, with only what the user asked for.
pub(super) fn object(context: &Context<'_>, disk: &DiskRequest) -> Value {
    let spec = present([
        ("size", Some(json!(disk.size))),
        ("provider", provider(disk)),
        ("zone", disk.zone.as_ref().map(|zone| json!(zone))),
        ("options", (!disk.options.is_empty()).then(|| json!(disk.options))),
        ("deletionPolicy", (disk.deletion == Deletion::Delete).then(|| json!("Delete"))),
    ]);
    context.object(API_VERSION, "KompoxDisk", DISK, [("spec", json!(spec))])
}

/// Absent when nothing is said about it: the operator then finds the provider.
fn provider(disk: &DiskRequest) -> Option<Value> {
    present([
        ("type", disk.provider.as_ref().map(|name| json!(name))),
        ("credentialsSecretRef", disk.credentials_secret.as_ref().map(|name| json!({"name": name}))),
        ("config", (!disk.config.is_empty()).then(|| json!(disk.config))),
    ])
}
