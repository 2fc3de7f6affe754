//! The interface `disk`: volumes are made, found, tagged, deleted and described for a PersistentVolume.

use crate::api::{self, Change, NewVolume, Volume};
use crate::client::{Client, VOLUMES};
use crate::plan::{plan, refuse, zone_term};
use crate::{CSI_DRIVER, ownership};
use kompox_driver_sdk::attributes::{Attributes, get};
use kompox_driver_sdk::disk::{
    Attachments, CsiSource, DiskInfo, DiskPage, DiskRequest, DiskState, Source, Volume as PersistentVolume,
    VolumeRequest, VolumeSource,
};
use kompox_driver_sdk::types::{
    Effect, Error, ErrorCode, Intent, Outcome, Pending, Query, TagChange, Target,
};

/// The service needs milliseconds for most of its work.
const POLL_MS: u32 = 500;

/// `disk.find`.
///
/// # Errors
/// If the volumes cannot be read; never for a volume that is not there.
pub fn find(client: &mut Client<'_>, query: &Query, page: Option<&str>) -> Result<DiskPage, Error> {
    // Only snapshots are taken from a disk.
    let query = Query { disk_handle: None, ..query.clone() };
    let found = client.find::<Volume>(VOLUMES, &query, page)?;
    Ok(DiskPage {
        items: found.items.into_iter().map(info).collect(),
        next: found.next,
        unread: found.unread,
    })
}

/// `disk.create`. The service knows tokens and unique names: a repeat finds the volume that is there.
///
/// # Errors
/// As the contract says; `effect` tells what may be left behind.
pub fn create(
    client: &mut Client<'_>,
    intent: &Intent,
    request: &DiskRequest,
    resume: Option<&str>,
) -> Result<Outcome, Error> {
    if let Some(id) = resume {
        let volume: Option<Volume> =
            client.get(VOLUMES, id).map_err(|error| error.effect(Effect::Unknown))?;
        return progress(&volume.ok_or_else(|| vanished(id))?);
    }
    let plan = plan(client.config, request);
    refuse(&plan)?;
    let named = Query {
        handles: Vec::new(),
        name: Some(intent.name.clone()),
        tags: Vec::new(),
        disk_handle: None,
        limit: 1,
    };
    if let Some(volume) = client.find::<Volume>(VOLUMES, &named, None)?.items.into_iter().next() {
        return complete(client, intent, &volume);
    }
    let body = NewVolume {
        name: &intent.name,
        client_token: &intent.token,
        size_bytes: (plan.size_bytes > 0).then_some(plan.size_bytes),
        zone: plan.zone.as_deref().unwrap_or_default(),
        backing: get(&request.options, "backing"),
        source: match &request.source {
            Source::Empty => None,
            Source::Snapshot(id) => Some(api::Source::Snapshot(id.clone())),
            Source::Disk(id) => Some(api::Source::Volume(id.clone())),
        },
        tags: api::object(&intent.tags),
    };
    progress(&client.create::<Volume>(VOLUMES, &body)?)
}

/// A volume of the intent's name: ours, perhaps without all its tags, or somebody else's.
fn complete(client: &mut Client<'_>, intent: &Intent, volume: &Volume) -> Result<Outcome, Error> {
    let tags = ownership::missing(intent, &volume.id, &volume.tags)?;
    if tags.is_empty() {
        return progress(volume);
    }
    progress(&client.change(VOLUMES, &volume.id, &Change { size_bytes: None, tags })?)
}

fn progress(volume: &Volume) -> Result<Outcome, Error> {
    match volume.state.as_str() {
        "available" => Ok(finished(Some(&volume.id))),
        "failed" => {
            let message =
                volume.message.clone().unwrap_or_else(|| format!("{} could not be made", volume.id));
            Err(Error::new(ErrorCode::FailedPrecondition, "VolumeFailed", message).effect(Effect::Spent))
        }
        _ => Ok(pending(&volume.id, "the service is making the volume")),
    }
}

fn vanished(id: &str) -> Error {
    let message = format!("{id} was accepted but does not exist any more");
    Error::new(ErrorCode::FailedPrecondition, "Vanished", message).effect(Effect::Spent)
}

/// "Finished."
#[must_use]
pub fn finished(id: Option<&str>) -> Outcome {
    Outcome { handle: id.map(str::to_owned), pending: None }
}

/// "Ask again." The token is the id.
#[must_use]
pub fn pending(id: &str, message: &str) -> Outcome {
    let pending =
        Pending { resume: id.to_owned(), message: message.to_owned(), percent: None, poll_after_ms: POLL_MS };
    Outcome { handle: Some(id.to_owned()), pending: Some(pending) }
}

/// The volume of a target, if it is the one that the host means.
///
/// # Errors
/// `not-found`, `owner-mismatch`, or what the service answers.
pub fn of_target(client: &mut Client<'_>, target: &Target) -> Result<Volume, Error> {
    let volume: Option<Volume> = client.get(VOLUMES, &target.handle)?;
    let volume = volume.ok_or_else(|| gone(&target.handle))?;
    ownership::check(target, &volume.name, &volume.tags)?;
    Ok(volume)
}

/// For a change of an object that is not there.
#[must_use]
pub fn gone(handle: &str) -> Error {
    Error::new(ErrorCode::NotFound, "Gone", format!("{handle} does not exist in this account"))
}

/// `disk.set-tags`.
///
/// # Errors
/// `owner-mismatch`, `not-found`, or what the service answers.
pub fn set_tags(client: &mut Client<'_>, target: &Target, change: &TagChange) -> Result<(), Error> {
    let volume = of_target(client, target)?;
    client.change::<Volume>(VOLUMES, &volume.id, &tag_change(change)).map(drop)
}

/// The service takes both in one request.
#[must_use]
pub fn tag_change(change: &TagChange) -> Change<'_> {
    let removed = change.remove.iter().map(|key| (key.as_str(), None));
    let set = change.set.iter().map(|(key, value)| (key.as_str(), Some(value.as_str())));
    Change { size_bytes: None, tags: removed.chain(set).collect() }
}

/// `disk.delete`.
///
/// # Errors
/// `owner-mismatch`, `in-use`, or what the service answers.
pub fn delete(client: &mut Client<'_>, target: &Target) -> Result<Outcome, Error> {
    let volume = match of_target(client, target) {
        Ok(volume) => volume,
        Err(error) if error.code == ErrorCode::NotFound => return Ok(finished(None)),
        Err(error) => return Err(error),
    };
    after_delete(&volume.id, client.delete(VOLUMES, &volume.id))
}

/// Already gone is finished; what is still being made is deleted when that has ended.
///
/// # Errors
/// What the service answers.
pub fn after_delete(id: &str, deleted: Result<(), Error>) -> Result<Outcome, Error> {
    match deleted {
        Ok(()) => Ok(finished(None)),
        Err(error) if error.code == ErrorCode::NotFound => Ok(finished(None)),
        Err(error) if error.code == ErrorCode::FailedPrecondition => {
            Ok(pending(id, "the service still makes it, and deletes it after that"))
        }
        Err(error) => Err(error),
    }
}

/// `disk.volume-for`.
///
/// # Errors
/// `invalid-argument` for a handle that is none or without a zone; `unsupported` for a block device that is a
/// directory.
pub fn volume_for(request: &VolumeRequest) -> Result<PersistentVolume, Error> {
    if !VOLUMES.is_id(&request.handle) {
        let message = format!("\"{}\" is not the id of a volume", request.handle);
        return Err(Error::invalid("handle", "MalformedId", message));
    }
    if request.block && get(&request.attributes, "backing") == Some("directory") {
        let message = "a volume that is a directory cannot be a block device: use the option backing=image";
        return Err(Error::new(ErrorCode::Unsupported, "NoBlockDevice", message));
    }
    // Without a zone the scheduler would place pods where the volume can never be attached.
    let zone = request.zone.as_deref();
    let zone =
        zone.ok_or_else(|| Error::invalid("zone", "Required", "the zone of the volume is not known"))?;
    Ok(PersistentVolume {
        source: VolumeSource::Csi(CsiSource {
            driver: CSI_DRIVER.to_owned(),
            volume_handle: request.handle.clone(),
            attributes: Vec::new(),
            secrets: Vec::new(),
        }),
        topology: vec![zone_term(zone)],
        mount_options: Vec::new(),
        access_modes: vec!["ReadWriteOnce".to_owned(), "ReadWriteOncePod".to_owned()],
        attributes: Vec::new(),
    })
}

/// As the host sees a volume.
#[must_use]
pub fn info(volume: Volume) -> DiskInfo {
    let state = match volume.state.as_str() {
        "creating" => DiskState::Creating,
        "available" => DiskState::Ready,
        "failed" => DiskState::Failed,
        _ => DiskState::Unknown,
    };
    let source = match volume.source {
        None => Source::Empty,
        Some(api::Source::Snapshot(id)) => Source::Snapshot(id),
        Some(api::Source::Volume(id)) => Source::Disk(id),
    };
    DiskInfo {
        name: Some(volume.name),
        state,
        size_bytes: volume.size_bytes,
        zone: Some(volume.zone),
        source: Some(source),
        // The service knows names of nodes, not their provider ids.
        attachments: volume
            .attached_to
            .map_or(Attachments::Detached, |node| Attachments::Attached(vec![format!("other:{node}")])),
        tags: api::list(&volume.tags),
        created_at: volume.created_at,
        features: Vec::new(),
        message: volume.message,
        attributes: Attributes::from([
            ("providerState".to_owned(), volume.state),
            ("backing".to_owned(), volume.backing),
        ]),
        handle: volume.id,
    }
}
