//! The interface `snapshot`. CreateSnapshot has no client token, so the name tag, written in the same
//! request, is the only thing that tells a first picture from a second.

use crate::client::Client;
use crate::config::Config;
use crate::describe::SNAPSHOTS;
use crate::fault::gone;
use crate::resume::{Resume, finished};
use crate::tagging::{apply_tags, complete_tags};
use crate::tags;
use crate::volume::Volume;
use crate::xml::Element;
use kompox_driver_sdk::attributes::{Attributes, get};
use kompox_driver_sdk::form::Form;
use kompox_driver_sdk::size::from_gib;
use kompox_driver_sdk::snapshot::{CsiSnapshot, SnapshotInfo, SnapshotPage, SnapshotRequest, SnapshotState};
use kompox_driver_sdk::types::{Effect, Error, ErrorCode, Intent, Outcome, Query, TagChange, Target};

/// `Snapshot` of the EC2 API:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// `snap-…`
    pub(crate) id: String,
    /// pending, completed, error, recoverable, recovering.
    pub(crate) status: String,
    /// Of the volume, in GiB.
    pub(crate) size: u64,
    volume: Option<String>,
    percent: Option<u8>,
    message: Option<String>,
    started: Option<String>,
    kms_key: Option<String>,
    encrypted: bool,
    used_bytes: Option<u64>,
    tags: Attributes,
}

impl Snapshot {
    /// `None` if the element has no id.
    pub(crate) fn read(element: &Element) -> Option<Self> {
        let owned = |name: &str| element.text(name).map(str::to_owned);
        let percent = element.text("progress").and_then(|text| text.strip_suffix('%'));
        Some(Self {
            id: owned("snapshotId")?,
            status: owned("status").unwrap_or_default(),
            size: element.number("volumeSize").unwrap_or_default(),
            volume: owned("volumeId"),
            percent: percent.and_then(|text| text.parse().ok()),
            message: owned("statusMessage"),
            started: owned("startTime"),
            kms_key: owned("kmsKeyId"),
            encrypted: element.text("encrypted") == Some("true"),
            used_bytes: element.number("fullSnapshotSizeInBytes"),
            tags: tags::read(element),
        })
    }

    /// The snapshot of that id in the account, if there is one.
    fn get(client: &mut Client<'_>, id: &str) -> Result<Option<Self>, Error> {
        Ok(SNAPSHOTS.get(client, id)?.as_ref().and_then(Self::read))
    }

    /// The same, also if another account shares it: the source of a restore.
    pub(crate) fn get_any_owner(client: &mut Client<'_>, id: &str) -> Result<Option<Self>, Error> {
        Ok(SNAPSHOTS.get_any_owner(client, id)?.as_ref().and_then(Self::read))
    }

    /// Whether a volume can be made from it.
    pub(crate) fn is_ready(&self) -> bool {
        self.status == "completed"
    }

    fn state(&self) -> SnapshotState {
        match self.status.as_str() {
            // EBS fixes the point in time before it answers CreateSnapshot.
            "pending" => SnapshotState::Uploading,
            "completed" => SnapshotState::Ready,
            "error" => SnapshotState::Failed,
            // In the recycle bin, or on its way back from it.
            "recoverable" | "recovering" => SnapshotState::Unavailable,
            _ => SnapshotState::Unknown,
        }
    }

    fn into_info(self, config: &Config) -> SnapshotInfo {
        let driver = config.csi_driver(get(&self.tags, tags::CSI_KEY)).to_owned();
        SnapshotInfo {
            name: tags::name(&self.tags).map(str::to_owned),
            state: self.state(),
            restore_size_bytes: from_gib(self.size),
            csi: Some(CsiSnapshot { driver, handle: self.id.clone() }),
            tags: tags::visible(&self.tags),
            attributes: self.attributes(),
            handle: self.id,
            // The API's placeholder in snapshots that were copied.
            disk_handle: self.volume.filter(|volume| volume != "vol-ffffffff"),
            location: None,
            zones: Vec::new(),
            taken_at: self.started,
            expires_at: None,
            message: self.message,
        }
    }

    fn attributes(&self) -> Attributes {
        let known = [
            ("providerState", Some(self.status.clone())),
            ("incremental", Some("true".to_owned())),
            ("encrypted", Some(self.encrypted.to_string())),
            ("kmsKey", self.kms_key.clone()),
            ("usedBytes", self.used_bytes.map(|bytes| bytes.to_string())),
        ];
        known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

/// `snapshot.find`.
pub(crate) fn find(
    client: &mut Client<'_>,
    query: &Query,
    page: Option<&str>,
) -> Result<SnapshotPage, Error> {
    let found = SNAPSHOTS.find(client, query, page)?;
    let snapshots = found.page.items.iter().filter_map(Snapshot::read);
    let items = snapshots.map(|snapshot| snapshot.into_info(client.config)).collect();
    Ok(SnapshotPage { items, next: found.page.next, unread: found.unread })
}

/// `snapshot.create`.
pub(crate) fn create(
    client: &mut Client<'_>,
    intent: &Intent,
    request: &SnapshotRequest,
    resume: Option<&str>,
) -> Result<Outcome, Error> {
    if let Some(token) = resume {
        return look(client, intent, &Resume::parse(token)?);
    }
    if let Some(outcome) = existing(client, intent)? {
        return Ok(outcome);
    }
    let volume = Volume::get(client, &request.disk_handle)?;
    let volume = volume.ok_or_else(|| {
        Error::new(ErrorCode::NotFound, "SourceNotFound", format!("{} does not exist", request.disk_handle))
    })?;
    let csi_driver = client.config.csi_driver(get(&volume.tags, tags::CSI_KEY)).to_owned();
    let new_tags = tags::of_new(intent, client.config, &csi_driver)?;
    let form = Form::new()
        .with("VolumeId", volume.id.as_str())
        .with("Description", format!("Kompox snapshot {}", intent.name));
    let root = client.write("CreateSnapshot", tags::specify(form, "snapshot", &new_tags))?;
    let snapshot = Snapshot::read(&root)
        .ok_or_else(|| Error::unreadable("the answer to CreateSnapshot has no snapshot id"))?;
    progress(&snapshot, &Resume::new(&snapshot.id))
}

/// The snapshot that bears the intent's name. Should a lost answer have led to two, the first picture
/// is the one.
fn existing(client: &mut Client<'_>, intent: &Intent) -> Result<Option<Outcome>, Error> {
    let named = SNAPSHOTS.named(client, &intent.name)?;
    let first =
        named.iter().filter_map(Snapshot::read).min_by(|a, b| (&a.started, &a.id).cmp(&(&b.started, &b.id)));
    let Some(snapshot) = first else { return Ok(None) };
    complete_tags(client, intent, &snapshot.id, &snapshot.tags)?;
    progress(&snapshot, &Resume::new(&snapshot.id)).map(Some)
}

fn look(client: &mut Client<'_>, intent: &Intent, resume: &Resume) -> Result<Outcome, Error> {
    let found = Snapshot::get(client, &resume.handle).map_err(|error| error.effect(Effect::Unknown))?;
    let Some(snapshot) = found else {
        return if resume.is_hopeless() {
            let message = format!("{} was accepted but does not exist: EC2 dropped it", resume.handle);
            Err(Error::new(ErrorCode::FailedPrecondition, "SnapshotVanished", message).effect(Effect::Spent))
        } else {
            Ok(resume.pending("waiting for the snapshot to become visible", None))
        };
    };
    complete_tags(client, intent, &snapshot.id, &snapshot.tags)?;
    progress(&snapshot, resume)
}

fn progress(snapshot: &Snapshot, resume: &Resume) -> Result<Outcome, Error> {
    match snapshot.status.as_str() {
        "completed" => Ok(finished(Some(&snapshot.id))),
        "error" => {
            let message =
                snapshot.message.clone().unwrap_or_else(|| "EC2 could not make the snapshot".into());
            Err(Error::new(ErrorCode::FailedPrecondition, "SnapshotCreationFailed", message)
                .effect(Effect::Spent))
        }
        _ => Ok(resume.pending("EC2 is copying the blocks", snapshot.percent)),
    }
}

/// `snapshot.set-tags`.
pub(crate) fn set_tags(client: &mut Client<'_>, target: &Target, change: &TagChange) -> Result<(), Error> {
    let snapshot = Snapshot::get(client, &target.handle)?;
    let snapshot = snapshot.ok_or_else(|| gone(&target.handle))?;
    tags::check(target, &snapshot.tags)?;
    apply_tags(client, &snapshot.id, &snapshot.tags, change)
}

/// `snapshot.delete`. EC2 deletes at once; later snapshots of the volume keep the blocks they need.
pub(crate) fn delete(client: &mut Client<'_>, target: &Target) -> Result<Outcome, Error> {
    let snapshot = Snapshot::get(client, &target.handle)?;
    let Some(snapshot) = snapshot else { return Ok(finished(None)) };
    tags::check(target, &snapshot.tags)?;
    match client.write("DeleteSnapshot", Form::new().with("SnapshotId", snapshot.id.as_str())) {
        Ok(_) => Ok(finished(None)),
        Err(error) if error.reason == "InvalidSnapshot.NotFound" => Ok(finished(None)),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
