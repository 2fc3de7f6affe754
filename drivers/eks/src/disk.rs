//! The interface `disk`: volumes are planned, made, found, tagged, deleted and described for a PV.

use crate::client::Client;
use crate::config::Config;
use crate::describe::VOLUMES;
use crate::fault::gone;
use crate::options::refuse;
use crate::plan::{Planned, plan, zone_term};
use crate::resume::{Resume, finished};
use crate::snapshot::Snapshot;
use crate::tagging::{apply_tags, complete_tags};
use crate::tags;
use crate::volume::{FAILED_MESSAGE, Volume};
use kompox_driver_sdk::attributes::get;
use kompox_driver_sdk::disk::{
    CsiSource, DiskInfo, DiskPage, DiskRequest, Source, Volume as PersistentVolume, VolumeRequest,
    VolumeSource,
};
use kompox_driver_sdk::form::Form;
use kompox_driver_sdk::types::{Effect, Error, ErrorCode, Intent, Outcome, Query, TagChange, Target};

/// Wait before looking again after a delete was accepted.
const DELETE_POLL_MS: u32 = 1500;
/// Wait before a failed creation is tried anew.
const FAILED_RETRY_MS: u32 = 60_000;
const SOURCE_RETRY_MS: u32 = 10_000;

/// `disk.find`.
pub(crate) fn find(client: &mut Client<'_>, query: &Query, page: Option<&str>) -> Result<DiskPage, Error> {
    let found = VOLUMES.find(client, query, page)?;
    let volumes = found.page.items.iter().filter_map(Volume::read);
    let alive = volumes.filter(|volume| volume.status != "deleted");
    let items: Vec<DiskInfo> = alive.map(|volume| volume.into_info(client.config)).collect();
    Ok(DiskPage { items, next: found.page.next, unread: found.unread })
}

/// `disk.create`.
pub(crate) fn create(
    client: &mut Client<'_>,
    intent: &Intent,
    request: &DiskRequest,
    resume: Option<&str>,
) -> Result<Outcome, Error> {
    if let Some(token) = resume {
        return look(client, intent, &Resume::parse(token)?);
    }
    let planned = plan(client.config, request);
    refuse(&planned.findings)?;
    if let Some(outcome) = existing(client, intent)? {
        return Ok(outcome);
    }
    check_source(client, &planned, &request.source)?;
    let (action, form) = create_request(client.config, intent, request, planned)?;
    match client.write(action, form) {
        Ok(root) => {
            // CreateVolume answers with the volume itself, CopyVolumes with a set of one.
            let volume = Volume::read(root.items("volumeSet").next().unwrap_or(&root));
            let volume = volume
                .ok_or_else(|| Error::unreadable(format!("the answer to {action} has no volume id")))?;
            progress(&volume, &Resume::new(&volume.id))
        }
        Err(error) => after_refusal(client, intent, error),
    }
}

/// Both codes may hide that an earlier request of this intent was accepted.
fn after_refusal(client: &mut Client<'_>, intent: &Intent, error: Error) -> Result<Outcome, Error> {
    if !matches!(error.reason.as_str(), "IdempotentParameterMismatch" | "VolumeLimitExceeded") {
        return Err(error);
    }
    match existing(client, intent) {
        Ok(Some(outcome)) => Ok(outcome),
        Ok(None) | Err(_) => Err(error),
    }
}

/// The volume that bears the intent's name, completed where tags are missing.
fn existing(client: &mut Client<'_>, intent: &Intent) -> Result<Option<Outcome>, Error> {
    let named = VOLUMES.named(client, &intent.name)?;
    let mut alive = named
        .iter()
        .filter_map(Volume::read)
        .filter(|volume| !matches!(volume.status.as_str(), "deleting" | "deleted"));
    let Some(volume) = alive.next() else { return Ok(None) };
    if let Some(other) = alive.next() {
        let message = format!("{} and {} both bear the name {}", volume.id, other.id, intent.name);
        return Err(Error::new(ErrorCode::AlreadyExists, "MultipleVolumes", message));
    }
    complete_tags(client, intent, &volume.id, &volume.tags)?;
    progress(&volume, &Resume::new(&volume.id)).map(Some)
}

/// Goes on with a creation: only looks, and completes tags.
fn look(client: &mut Client<'_>, intent: &Intent, resume: &Resume) -> Result<Outcome, Error> {
    let volume = Volume::get(client, &resume.handle).map_err(|error| error.effect(Effect::Unknown))?;
    let Some(volume) = volume else {
        return if resume.is_hopeless() {
            let message = format!("{} was accepted but does not exist: EC2 dropped it", resume.handle);
            Err(Error::new(ErrorCode::FailedPrecondition, "VolumeVanished", message).effect(Effect::Spent))
        } else {
            Ok(resume.pending("waiting for the volume to become visible", None))
        };
    };
    complete_tags(client, intent, &volume.id, &volume.tags)?;
    progress(&volume, resume)
}

fn progress(volume: &Volume, resume: &Resume) -> Result<Outcome, Error> {
    match volume.status.as_str() {
        "available" | "in-use" => Ok(finished(Some(&volume.id))),
        "error" => Err(Error::new(ErrorCode::FailedPrecondition, "VolumeCreationFailed", FAILED_MESSAGE)
            .effect(Effect::Spent)
            .retry_after_ms(FAILED_RETRY_MS)),
        _ => Ok(resume.pending("EC2 is making the volume", None)),
    }
}

/// EC2 makes sure of it too, but says less; and a size that is too small for the source is found
/// before anything is made.
fn check_source(client: &mut Client<'_>, planned: &Planned, source: &Source) -> Result<(), Error> {
    let (size, id) = match source {
        Source::Empty => return Ok(()),
        Source::Snapshot(id) => {
            let snapshot = Snapshot::get_any_owner(client, id)?.ok_or_else(|| no_source(id))?;
            if !snapshot.is_ready() {
                let message =
                    format!("{id} is {}, and can be restored when it is completed", snapshot.status);
                return Err(Error::new(ErrorCode::FailedPrecondition, "SnapshotNotReady", message)
                    .retry_after_ms(SOURCE_RETRY_MS));
            }
            (snapshot.size, id)
        }
        Source::Disk(id) => {
            let volume = Volume::get(client, id)?.ok_or_else(|| no_source(id))?;
            if volume.zone != planned.zone {
                let message =
                    format!("a copy of {id} must be in the same zone, {}", volume.zone.unwrap_or_default());
                return Err(Error::invalid("zone", "ZoneOfSource", message));
            }
            (volume.size, id)
        }
    };
    if planned.size != 0 && planned.size < size {
        let message = format!("{id} needs {size} GiB, not {}", planned.size);
        return Err(Error::new(ErrorCode::OutOfRange, "SmallerThanSource", message).detail("field", "size"));
    }
    Ok(())
}

fn no_source(id: &str) -> Error {
    Error::new(
        ErrorCode::NotFound,
        "SourceNotFound",
        format!("the source {id} does not exist in this account and region"),
    )
}

fn create_request(
    config: &Config,
    intent: &Intent,
    request: &DiskRequest,
    planned: Planned,
) -> Result<(&'static str, Form), Error> {
    let options = planned.options;
    let csi_driver = config.csi_driver(options.csi_driver.as_deref()).to_owned();
    let tags = tags::of_new(intent, config, &csi_driver)?;
    let (action, form) = match &request.source {
        Source::Empty => ("CreateVolume", Form::new().with_some("AvailabilityZone", planned.zone)),
        Source::Snapshot(id) => {
            let form =
                Form::new().with_some("AvailabilityZone", planned.zone).with("SnapshotId", id.as_str());
            let rate = options.initialization_rate.map(|rate| rate.to_string());
            ("CreateVolume", form.with_some("VolumeInitializationRate", rate))
        }
        Source::Disk(id) => ("CopyVolumes", Form::new().with("SourceVolumeId", id.as_str())),
    };
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    let form = form
        .with_some("Size", number(Some(planned.size).filter(|size| *size > 0)))
        .with_some("VolumeType", options.sku.map(|sku| sku.name))
        .with_some("Iops", number(options.iops))
        .with_some("Throughput", number(options.throughput))
        .with_some("Encrypted", options.encrypted.map(|encrypted| encrypted.to_string()))
        .with_some("KmsKeyId", options.kms_key)
        .with("ClientToken", intent.token.as_str());
    Ok((action, tags::specify(form, "volume", &tags)))
}

/// `disk.set-tags`.
pub(crate) fn set_tags(client: &mut Client<'_>, target: &Target, change: &TagChange) -> Result<(), Error> {
    let volume = Volume::get(client, &target.handle)?;
    let volume = volume.ok_or_else(|| gone(&target.handle))?;
    tags::check(target, &volume.tags)?;
    apply_tags(client, &volume.id, &volume.tags, change)
}

/// `disk.delete`.
pub(crate) fn delete(client: &mut Client<'_>, target: &Target) -> Result<Outcome, Error> {
    let volume = Volume::get(client, &target.handle)?;
    let Some(volume) = volume else { return Ok(finished(None)) };
    tags::check(target, &volume.tags)?;
    if volume.is_attached() {
        let holders = volume.instances.join(", ");
        return Err(Error::new(
            ErrorCode::InUse,
            "VolumeInUse",
            format!("{} is attached to {holders}", volume.id),
        ));
    }
    if volume.status == "deleting" {
        return Ok(deleting(&volume.id));
    }
    match client.write("DeleteVolume", Form::new().with("VolumeId", volume.id.as_str())) {
        Ok(_) => Ok(deleting(&volume.id)),
        Err(error) if error.reason == "InvalidVolume.NotFound" => Ok(finished(None)),
        // EC2 cannot cancel a creation: it must end first.
        Err(error) if error.reason == "IncorrectState" && volume.status == "creating" => {
            Ok(deleting(&volume.id))
        }
        Err(error) => Err(error),
    }
}

/// A volume stays visible for seconds after its deletion was accepted. Each call looks for itself, so
/// the token says nothing.
fn deleting(id: &str) -> Outcome {
    let outcome = Resume::new(id).pending("EC2 is deleting the volume", None);
    let pending = outcome
        .pending
        .map(|pending| kompox_driver_sdk::types::Pending { poll_after_ms: DELETE_POLL_MS, ..pending });
    Outcome { pending, ..outcome }
}

/// `disk.volume-for`.
pub(crate) fn volume_for(config: &Config, request: &VolumeRequest) -> Result<PersistentVolume, Error> {
    if !VOLUMES.is_id(&request.handle) {
        let message = format!("\"{}\" is not the id of a volume", request.handle);
        return Err(Error::invalid("handle", "MalformedId", message));
    }
    // Without a zone the scheduler would place pods where the volume can never be attached.
    let zone = request
        .zone
        .as_deref()
        .ok_or_else(|| Error::invalid("zone", "Required", "the zone of the volume is not known"))?;
    Ok(PersistentVolume {
        source: VolumeSource::Csi(CsiSource {
            driver: config.csi_driver(get(&request.attributes, "csiDriver")).to_owned(),
            volume_handle: request.handle.clone(),
            attributes: Vec::new(),
            secrets: Vec::new(),
        }),
        topology: vec![zone_term(zone)],
        mount_options: Vec::new(),
        access_modes: vec!["ReadWriteOnce".into(), "ReadWriteOncePod".into()],
        attributes: Vec::new(),
    })
}

#[cfg(test)]
mod tests;
