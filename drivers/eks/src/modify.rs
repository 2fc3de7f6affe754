//! The interface `disk-modify`: size and options of a live volume in one request.

use crate::client::Client;
use crate::config::Config;
use crate::fault::gone;
use crate::options::{Options, Performance, Sku, refuse, sku};
use crate::resume::finished;
use crate::tags;
use crate::volume::Volume;
use crate::xml::Element;
use kompox_driver_sdk::attributes::get;
use kompox_driver_sdk::disk_modify::DiskChange;
use kompox_driver_sdk::form::Form;
use kompox_driver_sdk::size::gib;
use kompox_driver_sdk::types::{Effect, Error, ErrorCode, Outcome, Pending, Target};

/// As the EBS CSI driver waits at first; small modifications need seconds.
const POLL_MS: u32 = 2_000;
/// `optimizing` takes minutes to hours.
const OPTIMIZING_RETRY_MS: u32 = 5 * 60 * 1000;

/// What is to be changed; none = stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wanted {
    size: Option<u64>,
    sku: Option<&'static Sku>,
    iops: Option<u64>,
    throughput: Option<u64>,
}

impl Wanted {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a modification that goes on will bring it about.
    fn is_target_of(&self, modification: &Modification) -> bool {
        fn fits<T: PartialEq + Copy>(wanted: Option<T>, target: Option<T>) -> bool {
            wanted.is_none() || wanted == target
        }
        fits(self.size, modification.size)
            && fits(self.iops, modification.iops)
            && fits(self.throughput, modification.throughput)
            && fits(self.sku.map(|sku| sku.name), modification.sku.as_deref())
    }
}

/// `VolumeModification` of the EC2 API.
struct Modification {
    state: String,
    message: Option<String>,
    percent: Option<u8>,
    size: Option<u64>,
    sku: Option<String>,
    iops: Option<u64>,
    throughput: Option<u64>,
}

impl Modification {
    fn read(element: &Element) -> Self {
        Self {
            state: element.text("modificationState").unwrap_or_default().to_owned(),
            message: element.text("statusMessage").map(str::to_owned),
            percent: element.number("progress").and_then(|value| u8::try_from(value.min(100)).ok()),
            size: element.number("targetSize"),
            sku: element.text("targetVolumeType").map(str::to_owned),
            iops: element.number("targetIops"),
            throughput: element.number("targetThroughput"),
        }
    }
}

/// `disk-modify.modify`.
pub(crate) fn modify(
    client: &mut Client<'_>,
    target: &Target,
    change: &DiskChange,
    resume: Option<&str>,
) -> Result<Outcome, Error> {
    let volume = Volume::get(client, &target.handle)?.ok_or_else(|| gone(&target.handle))?;
    tags::check(target, &volume.tags)?;
    let wanted = difference(client.config, &volume, change)?;
    if wanted.is_nothing() {
        return Ok(finished(Some(&volume.id)));
    }
    if let Some(outcome) = going_on(client, &volume, &wanted, resume.is_some())? {
        return Ok(outcome);
    }
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    let form = Form::new()
        .with("VolumeId", volume.id.as_str())
        .with_some("Size", number(wanted.size))
        .with_some("VolumeType", wanted.sku.map(|sku| sku.name))
        .with_some("Iops", number(wanted.iops))
        .with_some("Throughput", number(wanted.throughput));
    let root = client.write("ModifyVolume", form).map_err(cool_down)?;
    let modification = root.child("volumeModification").map(Modification::read);
    let modification =
        modification.ok_or_else(|| Error::unreadable("the answer to ModifyVolume has no modification"))?;
    Ok(outcome(&volume.id, &modification))
}

/// A volume that was changed a short time ago is not wrong, it must rest.
fn cool_down(error: Error) -> Error {
    match error.reason.as_str() {
        "IncorrectModificationState" => {
            Error { code: ErrorCode::Throttled, ..error }.retry_after_ms(OPTIMIZING_RETRY_MS)
        }
        _ => error,
    }
}

/// What of the change is not so yet. An option that the change does not name stays as it is: an adopted
/// volume keeps what was provisioned for it.
fn difference(config: &Config, volume: &Volume, change: &DiskChange) -> Result<Wanted, Error> {
    let mut findings = Vec::new();
    let options = Options::read(&change.options, &mut findings);
    refuse(&findings)?;
    check_fixed(config, volume, &options)?;
    let size = change.size_bytes.map(gib).filter(|size| *size > volume.size);
    let new_sku = options.sku.filter(|sku| sku.name != volume.sku);
    let Some(target) = options.sku.or_else(|| sku(&volume.sku)) else {
        return Ok(Wanted { size, ..Wanted::default() });
    };
    let full = after(target, volume, &options, new_sku.is_some());
    check_limits(target, &full, size.unwrap_or(volume.size))?;
    let differs = |wanted: &u64, present: Option<u64>| new_sku.is_some() || Some(*wanted) != present;
    // A new type gets its values in full, or EC2 would fill in its own.
    let (iops, throughput) =
        if new_sku.is_some() { (full.iops, full.throughput) } else { (options.iops, options.throughput) };
    Ok(Wanted {
        size,
        sku: new_sku,
        iops: iops.filter(|iops| differs(iops, volume.iops)),
        throughput: throughput.filter(|throughput| differs(throughput, volume.throughput)),
    })
}

/// The provisioned values that will hold after the change. EC2 also reports IOPS for types that have
/// none to provision (gp2's baseline): they are not carried over.
fn after(target: &'static Sku, volume: &Volume, options: &Options, new_type: bool) -> Options {
    let value = |wanted: Option<u64>, present: Option<u64>, range: Option<&Performance>| {
        let kept = range.and_then(|range| if new_type { range.default } else { present.or(range.default) });
        wanted.or(kept)
    };
    Options {
        sku: Some(target),
        iops: value(options.iops, volume.iops, target.iops.as_ref()),
        throughput: value(options.throughput, volume.throughput, target.throughput.as_ref()),
        ..Options::default()
    }
}

fn check_limits(target: &Sku, full: &Options, size: u64) -> Result<(), Error> {
    let mut findings = Vec::new();
    full.check(size, false, &mut findings);
    refuse(&findings)?;
    if (target.min_size..=target.max_size).contains(&size) {
        return Ok(());
    }
    let message =
        format!("{} volumes have {} to {} GiB, not {size}", target.name, target.min_size, target.max_size);
    Err(Error::new(ErrorCode::OutOfRange, "OutOfRange", message).detail("field", "size"))
}

/// What EBS cannot change must not differ.
fn check_fixed(config: &Config, volume: &Volume, options: &Options) -> Result<(), Error> {
    let encrypted = options.encrypted.is_some_and(|encrypted| encrypted != volume.encrypted);
    let key = options.kms_key.as_deref().is_some_and(|key| !may_be_key(key, volume.kms_key.as_deref()));
    let csi_driver = options.csi_driver.as_deref();
    let present = config.csi_driver(get(&volume.tags, tags::CSI_KEY));
    let driver = csi_driver.is_some_and(|wanted| wanted != present);
    for (differs, name) in [(encrypted, "encrypted"), (key, "kmsKey"), (driver, "csiDriver")] {
        if differs {
            let message = format!("{name} of a volume cannot be changed");
            return Err(Error::invalid(&format!("options.{name}"), "Immutable", message));
        }
    }
    Ok(())
}

/// Whether the key as the user wrote it may be the volume's, which EC2 gives as an ARN. Which key an
/// alias stands for is not known here.
fn may_be_key(wanted: &str, present: Option<&str>) -> bool {
    let Some(present) = present else { return false };
    wanted.contains("alias/") || wanted == present || present.rsplit('/').next() == Some(wanted)
}

/// The answer, if a modification goes on or this one has just failed.
fn going_on(
    client: &mut Client<'_>,
    volume: &Volume,
    wanted: &Wanted,
    resumed: bool,
) -> Result<Option<Outcome>, Error> {
    let Some(latest) = latest(client, &volume.id)? else { return Ok(None) };
    match (latest.state.as_str(), wanted.is_target_of(&latest)) {
        ("modifying" | "optimizing" | "completed", true) if latest.state == "modifying" || resumed => {
            Ok(Some(pending(&volume.id, &latest)))
        }
        ("modifying" | "optimizing", false) => {
            let message = format!("another modification of {} goes on ({})", volume.id, latest.state);
            let code = if latest.state == "modifying" { ErrorCode::Conflict } else { ErrorCode::Throttled };
            Err(Error::new(code, "ModificationGoesOn", message).retry_after_ms(OPTIMIZING_RETRY_MS))
        }
        ("failed", true) if resumed => {
            let message = latest.message.unwrap_or_else(|| "EC2 could not modify the volume".into());
            Err(Error::new(ErrorCode::FailedPrecondition, "ModificationFailed", message)
                .effect(Effect::Spent))
        }
        _ => Ok(None),
    }
}

/// The last modification of a volume; a volume that was never modified is an error to EC2.
fn latest(client: &mut Client<'_>, id: &str) -> Result<Option<Modification>, Error> {
    match client.read("DescribeVolumesModifications", Form::new().with("VolumeId.1", id)) {
        Ok(root) => {
            let newest = root.items("volumeModificationSet").max_by_key(|item| item.text("startTime"));
            Ok(newest.map(Modification::read))
        }
        Err(error) if error.reason == "InvalidVolumeModification.NotFound" => Ok(None),
        Err(error) => Err(error),
    }
}

/// While `optimizing`, the new size and options are in force.
fn outcome(id: &str, modification: &Modification) -> Outcome {
    match modification.state.as_str() {
        "optimizing" | "completed" => finished(Some(id)),
        _ => pending(id, modification),
    }
}

fn pending(id: &str, modification: &Modification) -> Outcome {
    let pending = Pending {
        resume: id.to_owned(),
        message: format!("EC2 is modifying the volume ({})", modification.state),
        percent: modification.percent,
        poll_after_ms: POLL_MS,
    };
    Outcome { handle: Some(id.to_owned()), pending: Some(pending) }
}

#[cfg(test)]
mod tests;
