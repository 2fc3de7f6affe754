//! The interface `disk-modify`: growing. The one option, `backing`, cannot change.

use crate::api::{Change, Volume};
use crate::client::{Client, VOLUMES};
use crate::disk::{finished, of_target};
use kompox_driver_sdk::attributes::get;
use kompox_driver_sdk::disk_modify::DiskChange;
use kompox_driver_sdk::types::{Error, Outcome, Target};
use std::collections::BTreeMap;

/// `disk-modify.modify`. The service grows at once, attached or not.
///
/// # Errors
/// `owner-mismatch`, `invalid-argument`, or what the service answers.
pub fn modify(client: &mut Client<'_>, target: &Target, change: &DiskChange) -> Result<Outcome, Error> {
    let volume = of_target(client, target)?;
    if get(&change.options, "backing").is_some_and(|backing| backing != volume.backing) {
        let message = format!("the backing of a volume cannot change, it is {}", volume.backing);
        return Err(Error::invalid("options.backing", "Immutable", message));
    }
    if let Some(size) = change.size_bytes.filter(|size| *size > volume.size_bytes) {
        let body = Change { size_bytes: Some(size), tags: BTreeMap::new() };
        client.change::<Volume>(VOLUMES, &volume.id, &body)?;
    }
    Ok(finished(Some(&volume.id)))
}
