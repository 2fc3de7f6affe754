//! The interface `snapshot`.

use crate::api::{self, Change, NewSnapshot, Snapshot};
use crate::client::{Client, SNAPSHOTS};
use crate::disk::{after_delete, finished, gone, pending, tag_change};
use crate::{CSI_DRIVER, ownership};
use kompox_driver_sdk::attributes::Attributes;
use kompox_driver_sdk::snapshot::{CsiSnapshot, SnapshotInfo, SnapshotPage, SnapshotRequest, SnapshotState};
use kompox_driver_sdk::types::{Effect, Error, ErrorCode, Intent, Outcome, Query, TagChange, Target};

/// `snapshot.find`.
///
/// # Errors
/// If the snapshots cannot be read; never for a snapshot that is not there.
pub fn find(client: &mut Client<'_>, query: &Query, page: Option<&str>) -> Result<SnapshotPage, Error> {
    let found = client.find::<Snapshot>(SNAPSHOTS, query, page)?;
    Ok(SnapshotPage {
        items: found.items.into_iter().map(info).collect(),
        next: found.next,
        unread: found.unread,
    })
}

/// `snapshot.create`. The token makes sure that a repeat never takes a second, later picture.
///
/// # Errors
/// As the contract says; `effect` tells what may be left behind.
pub fn create(
    client: &mut Client<'_>,
    intent: &Intent,
    request: &SnapshotRequest,
    resume: Option<&str>,
) -> Result<Outcome, Error> {
    if let Some(id) = resume {
        let found: Option<Snapshot> =
            client.get(SNAPSHOTS, id).map_err(|error| error.effect(Effect::Unknown))?;
        let message = format!("{id} was accepted but does not exist any more");
        return progress(&found.ok_or_else(|| {
            Error::new(ErrorCode::FailedPrecondition, "Vanished", message).effect(Effect::Spent)
        })?);
    }
    let named = Query {
        handles: Vec::new(),
        name: Some(intent.name.clone()),
        tags: Vec::new(),
        disk_handle: None,
        limit: 1,
    };
    if let Some(snapshot) = client.find::<Snapshot>(SNAPSHOTS, &named, None)?.items.into_iter().next() {
        return complete(client, intent, &snapshot);
    }
    let body = NewSnapshot {
        name: &intent.name,
        client_token: &intent.token,
        volume: &request.disk_handle,
        tags: api::object(&intent.tags),
    };
    progress(&client.create::<Snapshot>(SNAPSHOTS, &body)?)
}

fn complete(client: &mut Client<'_>, intent: &Intent, snapshot: &Snapshot) -> Result<Outcome, Error> {
    let tags = ownership::missing(intent, &snapshot.id, &snapshot.tags)?;
    if tags.is_empty() {
        return progress(snapshot);
    }
    progress(&client.change(SNAPSHOTS, &snapshot.id, &Change { size_bytes: None, tags })?)
}

fn progress(snapshot: &Snapshot) -> Result<Outcome, Error> {
    match snapshot.state.as_str() {
        "ready" => Ok(finished(Some(&snapshot.id))),
        "failed" => {
            let message =
                snapshot.message.clone().unwrap_or_else(|| format!("{} could not be taken", snapshot.id));
            Err(Error::new(ErrorCode::FailedPrecondition, "SnapshotFailed", message).effect(Effect::Spent))
        }
        _ => Ok(pending(&snapshot.id, "the service is taking the snapshot")),
    }
}

fn of_target(client: &mut Client<'_>, target: &Target) -> Result<Snapshot, Error> {
    let snapshot: Option<Snapshot> = client.get(SNAPSHOTS, &target.handle)?;
    let snapshot = snapshot.ok_or_else(|| gone(&target.handle))?;
    ownership::check(target, &snapshot.name, &snapshot.tags)?;
    Ok(snapshot)
}

/// `snapshot.set-tags`.
///
/// # Errors
/// `owner-mismatch`, `not-found`, or what the service answers.
pub fn set_tags(client: &mut Client<'_>, target: &Target, change: &TagChange) -> Result<(), Error> {
    let snapshot = of_target(client, target)?;
    client.change::<Snapshot>(SNAPSHOTS, &snapshot.id, &tag_change(change)).map(drop)
}

/// `snapshot.delete`.
///
/// # Errors
/// `owner-mismatch`, `in-use`, or what the service answers.
pub fn delete(client: &mut Client<'_>, target: &Target) -> Result<Outcome, Error> {
    let snapshot = match of_target(client, target) {
        Ok(snapshot) => snapshot,
        Err(error) if error.code == ErrorCode::NotFound => return Ok(finished(None)),
        Err(error) => return Err(error),
    };
    after_delete(&snapshot.id, client.delete(SNAPSHOTS, &snapshot.id))
}

/// As the host sees a snapshot.
#[must_use]
pub fn info(snapshot: Snapshot) -> SnapshotInfo {
    let state = match snapshot.state.as_str() {
        "creating" => SnapshotState::Creating,
        "ready" => SnapshotState::Ready,
        "failed" => SnapshotState::Failed,
        _ => SnapshotState::Unknown,
    };
    SnapshotInfo {
        name: Some(snapshot.name),
        state,
        disk_handle: Some(snapshot.volume),
        restore_size_bytes: snapshot.size_bytes,
        location: None,
        zones: Vec::new(),
        taken_at: snapshot.taken_at,
        expires_at: None,
        csi: Some(CsiSnapshot { driver: CSI_DRIVER.to_owned(), handle: snapshot.id.clone() }),
        tags: api::list(&snapshot.tags),
        message: snapshot.message,
        attributes: [
            ("providerState".to_owned(), Some(snapshot.state)),
            ("consistency".to_owned(), snapshot.consistency),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect::<Attributes>(),
        handle: snapshot.id,
    }
}
