//! Tags in the cloud: written after the fact, on volumes and snapshots alike. What must be written is `tags.rs`'s.

use crate::client::Client;
use crate::tags::{self, Kinship};
use kompox_driver_sdk::types::{Error, ErrorCode, Intent, TagChange};

/// Refuses an object of somebody else, and adds the tags that are missing on our own.
pub(crate) fn complete_tags(
    client: &mut Client<'_>,
    intent: &Intent,
    handle: &str,
    present: &[(String, String)],
) -> Result<(), Error> {
    match tags::kinship(intent, present) {
        Kinship::Same => Ok(()),
        Kinship::Incomplete => {
            let change = TagChange { set: intent.tags.clone(), remove: Vec::new() };
            apply_tags(client, handle, present, &change)
        }
        Kinship::Other => {
            let message = format!("{handle} bears the name {} but other tags", intent.name);
            Err(Error::new(ErrorCode::AlreadyExists, "NameTaken", message))
        }
    }
}

/// Sends what differs.
pub(crate) fn apply_tags(
    client: &mut Client<'_>,
    handle: &str,
    present: &[(String, String)],
    change: &TagChange,
) -> Result<(), Error> {
    for (action, form) in tags::requests(handle, present, change)? {
        client.write(action, form)?;
    }
    Ok(())
}
