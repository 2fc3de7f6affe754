//! Operations on volumes.

use super::{Cloud, Created, State, backing, changed_tags, is_empty};
use crate::api::{
    Backing, Change, Code, Filter, NewVolume, Page, SnapshotState, Source, Volume, VolumeState,
};
use crate::refusal::Refusal;
use crate::table::{Object as _, Record};
use crate::{check, data, id};

/// What a new volume gets.
struct Planned {
    size: u64,
    zone: String,
    backing: Backing,
}

impl Cloud {
    /// `GET /v1/volumes`.
    pub(crate) fn volumes(&self, account: &str, filter: &Filter) -> Result<Page<Volume>, Refusal> {
        if filter.volume.is_some() {
            return Err(Refusal::invalid("volume= is for lists of snapshots"));
        }
        self.state().volumes.page(account, filter)
    }

    /// `GET /v1/volumes/{id}`.
    pub(crate) fn volume(&self, account: &str, id: &str) -> Result<Volume, Refusal> {
        self.state().volumes.get(account, id).cloned()
    }

    /// `POST /v1/volumes`. The new volume is `creating`: its bytes are the job's.
    pub(crate) fn create_volume(
        &self,
        account: &str,
        request: NewVolume,
    ) -> Result<Created<Volume>, Refusal> {
        check::new_object(&request.name, &request.client_token, &request.tags)?;
        let mut state = self.state();
        if let Some(object) = state.volumes.before(account, &request.name, &request)? {
            return Ok(Created { object, is_new: false });
        }
        let planned = self.plan(&state, account, &request)?;
        self.check_quota(&state, account, planned.size)?;
        let now = jiff::Timestamp::now();
        let volume = Volume {
            id: id::fresh(Volume::PREFIX, now).map_err(|error| Refusal::io("make an id", &error))?,
            name: request.name.clone(),
            state: VolumeState::Creating,
            size_bytes: planned.size,
            zone: planned.zone,
            backing: planned.backing,
            tags: request.tags.clone(),
            source: request.source.clone(),
            attached_to: None,
            created_at: super::jobs::seconds(now),
            data: None,
            message: None,
        };
        state.volumes.insert(Record { account: account.to_owned(), request, object: volume.clone() })?;
        Ok(Created { object: volume, is_new: true })
    }

    fn plan(&self, state: &State, account: &str, request: &NewVolume) -> Result<Planned, Refusal> {
        let source =
            request.source.as_ref().map(|source| ready_source(state, account, source)).transpose()?;
        let least = source.map(|(size, _)| size);
        let wanted = request.size_bytes.or(least);
        let wanted =
            wanted.ok_or_else(|| Refusal::invalid("sizeBytes is needed for a volume without a source"))?;
        let size = check::size(wanted)?;
        if let Some(least) = least.filter(|least| size < *least) {
            return Err(Refusal::new(
                Code::OutOfRange,
                format!("the source needs {least} bytes, not {size}"),
            ));
        }
        Ok(Planned {
            size,
            zone: check::zone(&self.settings.zones, request.zone.as_deref())?.to_owned(),
            backing: backing(
                self.settings.default_backing,
                request.backing,
                source.map(|(_, backing)| backing),
            )?,
        })
    }

    fn check_quota(&self, state: &State, account: &str, more: u64) -> Result<(), Refusal> {
        let quota = self.settings.quota_bytes;
        let used = state.used(account);
        if used.saturating_add(more) <= quota {
            return Ok(());
        }
        let message = format!(
            "the account may have {quota} bytes and has {used}: delete a volume, or start devcloud with a larger --quota-bytes"
        );
        Err(Refusal::new(Code::QuotaExceeded, message))
    }

    /// `PATCH /v1/volumes/{id}`.
    pub(crate) fn change_volume(&self, account: &str, id: &str, change: &Change) -> Result<Volume, Refusal> {
        let mut state = self.state();
        let volume = state.volumes.get(account, id)?.clone();
        if is_empty(change) {
            return Ok(volume);
        }
        let tags = changed_tags(&volume.tags, &change.tags)?;
        let size = change.size_bytes.map(check::size).transpose()?.unwrap_or(volume.size_bytes);
        if size < volume.size_bytes {
            let message = format!("{id} has {} bytes and cannot shrink to {size}", volume.size_bytes);
            return Err(Refusal::new(Code::OutOfRange, message));
        }
        if size > volume.size_bytes {
            ready(&volume)?;
            self.check_quota(&state, account, size - volume.size_bytes)?;
            data::grow(&state.volumes.path(id), volume.backing, size)
                .map_err(|error| Refusal::io(&format!("grow {id}"), &error))?;
        }
        state.volumes.change(id, |volume| {
            volume.size_bytes = size;
            *volume.tags_mut() = tags;
        })
    }

    /// `DELETE /v1/volumes/{id}`.
    pub(crate) fn delete_volume(&self, account: &str, id: &str) -> Result<(), Refusal> {
        let mut state = self.state();
        let volume = state.volumes.get(account, id)?;
        if let Some(node) = &volume.attached_to {
            return Err(Refusal::new(Code::InUse, format!("{id} is attached to {node}")));
        }
        if volume.is_creating() {
            return Err(Refusal::new(
                Code::NotReady,
                format!("{id} is being created; delete it when that has ended"),
            ));
        }
        if let Some(user) = state.user_of(&Source::Volume(id.to_owned())) {
            return Err(Refusal::new(Code::InUse, format!("{user} is being made from {id}")));
        }
        state.volumes.remove(id, &self.trash.join(id))?;
        drop(state);
        self.empty_trash(id);
        Ok(())
    }

    /// `POST /v1/volumes/{id}/attach`.
    pub(crate) fn attach(&self, account: &str, id: &str, node: &str) -> Result<Volume, Refusal> {
        check::name("node", node)?;
        let mut state = self.state();
        let volume = state.volumes.get(account, id)?;
        ready(volume)?;
        match volume.attached_to.as_deref() {
            Some(holder) if holder == node => Ok(volume.clone()),
            Some(holder) => Err(Refusal::new(Code::InUse, format!("{id} is attached to {holder}"))),
            None => state.volumes.change(id, |volume| volume.attached_to = Some(node.to_owned())),
        }
    }

    /// `POST /v1/volumes/{id}/detach`.
    pub(crate) fn detach(&self, account: &str, id: &str, node: &str) -> Result<Volume, Refusal> {
        check::name("node", node)?;
        let mut state = self.state();
        let volume = state.volumes.get(account, id)?;
        if volume.attached_to.as_deref() != Some(node) {
            return Ok(volume.clone());
        }
        state.volumes.change(id, |volume| volume.attached_to = None)
    }
}

/// Size and backing of a source that can be copied now.
fn ready_source(state: &State, account: &str, source: &Source) -> Result<(u64, Backing), Refusal> {
    match source {
        Source::Volume(id) => {
            let volume = state.volumes.get(account, id)?;
            ready(volume)?;
            Ok((volume.size_bytes, volume.backing))
        }
        Source::Snapshot(id) => {
            let snapshot = state.snapshots.get(account, id)?;
            if snapshot.state != SnapshotState::Ready {
                return Err(Refusal::new(Code::NotReady, format!("{id} is not ready to be restored")));
            }
            Ok((snapshot.size_bytes, snapshot.backing))
        }
    }
}

/// Whether a volume can be used.
pub(super) fn ready(volume: &Volume) -> Result<(), Refusal> {
    match volume.state {
        VolumeState::Available => Ok(()),
        VolumeState::Creating => Err(Refusal::new(Code::NotReady, format!("{} is being created", volume.id))),
        VolumeState::Failed => {
            Err(Refusal::new(Code::NotReady, format!("{} could not be made: delete it", volume.id)))
        }
    }
}
