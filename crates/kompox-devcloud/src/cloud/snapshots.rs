//! Operations on snapshots.

use super::volumes::ready;
use super::{Cloud, Created, changed_tags, is_empty};
use crate::api::{Change, Code, Filter, NewSnapshot, Page, Snapshot, SnapshotState, Source};
use crate::refusal::Refusal;
use crate::table::{Object as _, Record};
use crate::{check, id};

impl Cloud {
    /// `GET /v1/snapshots`.
    pub(crate) fn snapshots(&self, account: &str, filter: &Filter) -> Result<Page<Snapshot>, Refusal> {
        self.state().snapshots.page(account, filter)
    }

    /// `GET /v1/snapshots/{id}`.
    pub(crate) fn snapshot(&self, account: &str, id: &str) -> Result<Snapshot, Refusal> {
        self.state().snapshots.get(account, id).cloned()
    }

    /// `POST /v1/snapshots`. The new snapshot is `creating`: the cut is the job's.
    pub(crate) fn create_snapshot(
        &self,
        account: &str,
        request: NewSnapshot,
    ) -> Result<Created<Snapshot>, Refusal> {
        check::new_object(&request.name, &request.client_token, &request.tags)?;
        let mut state = self.state();
        if let Some(object) = state.snapshots.before(account, &request.name, &request)? {
            return Ok(Created { object, is_new: false });
        }
        let volume = state.volumes.get(account, &request.volume)?;
        ready(volume)?;
        let now = jiff::Timestamp::now();
        let snapshot = Snapshot {
            id: id::fresh(Snapshot::PREFIX, now).map_err(|error| Refusal::io("make an id", &error))?,
            name: request.name.clone(),
            state: SnapshotState::Creating,
            volume: volume.id.clone(),
            size_bytes: volume.size_bytes,
            backing: volume.backing,
            tags: request.tags.clone(),
            consistency: None,
            created_at: super::jobs::seconds(now),
            taken_at: None,
            message: None,
        };
        state.snapshots.insert(Record { account: account.to_owned(), request, object: snapshot.clone() })?;
        Ok(Created { object: snapshot, is_new: true })
    }

    /// `PATCH /v1/snapshots/{id}`.
    pub(crate) fn change_snapshot(
        &self,
        account: &str,
        id: &str,
        change: &Change,
    ) -> Result<Snapshot, Refusal> {
        if change.size_bytes.is_some() {
            return Err(Refusal::invalid("a snapshot cannot change its size"));
        }
        let mut state = self.state();
        let snapshot = state.snapshots.get(account, id)?.clone();
        if is_empty(change) {
            return Ok(snapshot);
        }
        let tags = changed_tags(&snapshot.tags, &change.tags)?;
        state.snapshots.change(id, |snapshot| *snapshot.tags_mut() = tags)
    }

    /// `DELETE /v1/snapshots/{id}`.
    pub(crate) fn delete_snapshot(&self, account: &str, id: &str) -> Result<(), Refusal> {
        let mut state = self.state();
        let snapshot = state.snapshots.get(account, id)?;
        if snapshot.is_creating() {
            return Err(Refusal::new(
                Code::NotReady,
                format!("{id} is being taken; delete it when that has ended"),
            ));
        }
        if let Some(user) = state.user_of(&Source::Snapshot(id.to_owned())) {
            return Err(Refusal::new(Code::InUse, format!("{user} is being made from {id}")));
        }
        state.snapshots.remove(id, &self.trash.join(id))?;
        drop(state);
        self.empty_trash(id);
        Ok(())
    }
}
