//! Whether an object is the one that the host means. Checked in the same call as each change, just before it.

use kompox_driver_sdk::types::{Error, ErrorCode, Intent, Target};
use std::collections::BTreeMap;

/// Refuses an object that does not look as the target says.
///
/// # Errors
/// `owner-mismatch`, with what differs.
pub fn check(target: &Target, name: &str, tags: &BTreeMap<String, String>) -> Result<(), Error> {
    let handle = &target.handle;
    if let Some(wanted) = target.name.as_deref().filter(|wanted| *wanted != name) {
        let message = format!("{handle} bears the name \"{name}\", not \"{wanted}\"");
        return Err(Error::new(ErrorCode::OwnerMismatch, "NameMismatch", message).detail("field", "name"));
    }
    let Some((key, wanted)) = target.tags.iter().find(|(key, wanted)| tags.get(key) != Some(wanted)) else {
        return Ok(());
    };
    let found = tags.get(key).map_or_else(|| "no such tag".to_owned(), |found| format!("\"{found}\""));
    let message = format!("{handle} has for tag {key} {found}, not \"{wanted}\"");
    Err(Error::new(ErrorCode::OwnerMismatch, "TagMismatch", message).detail("field", format!("tags.{key}")))
}

/// The intent's tags that an object of the same name lacks.
///
/// # Errors
/// `already-exists` if one differs: the object is somebody else's.
pub fn missing<'a>(
    intent: &'a Intent,
    id: &str,
    tags: &BTreeMap<String, String>,
) -> Result<BTreeMap<&'a str, Option<&'a str>>, Error> {
    let differs = |(key, wanted): &&(String, String)| tags.get(key).is_some_and(|found| found != wanted);
    if let Some((key, _)) = intent.tags.iter().find(differs) {
        let message = format!("{id} bears the name {} but another tag {key}", intent.name);
        return Err(Error::new(ErrorCode::AlreadyExists, "NameTaken", message));
    }
    let absent = intent.tags.iter().filter(|(key, _)| !tags.contains_key(key));
    Ok(absent.map(|(key, value)| (key.as_str(), Some(value.as_str()))).collect())
}
