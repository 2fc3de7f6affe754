//! Making the bytes of what is `creating`. A job may run twice, and after a kill: it ends in the same state.

use super::{Cloud, Job};
use crate::api::{Consistency, Data, Snapshot, SnapshotState, Source, Volume, VolumeState};
use crate::data::{self, Cut, Live};
use crate::refusal::Refusal;
use crate::table::Object as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

impl Cloud {
    /// Runs a job to its end. A failure is written into the object; one that cannot even be written is logged,
    /// and the job begins anew at the next start.
    pub(crate) fn run(&self, job: &Job) {
        let closed = self.closed.read().unwrap_or_else(PoisonError::into_inner);
        if *closed {
            return;
        }
        let done = match job {
            Job::Volume(id) => self.finish_volume(id).map(drop),
            Job::Snapshot(id) => self.finish_snapshot(id).map(drop),
        };
        if let Err(refusal) = done {
            tracing::error!(?job, error = %refusal, "failed to finish a job");
        }
    }

    fn finish_volume(&self, id: &str) -> Result<(), Refusal> {
        let (volume, folder) = {
            let state = self.state();
            let Some(record) = state.volumes.any(id) else { return Ok(()) };
            (record.object.clone(), state.volumes.path(id))
        };
        if !volume.is_creating() {
            return Ok(());
        }
        let filled = self.fill(&volume, &folder);
        let path = data::path(&folder, volume.backing);
        self.state().volumes.change(id, |volume| match filled {
            Ok(message) => {
                volume.state = VolumeState::Available;
                volume.data = Some(Data { path: path.to_string_lossy().into_owned() });
                volume.message = message;
            }
            Err(error) => {
                volume.state = VolumeState::Failed;
                volume.message = Some(format!("failed to make the volume: {error}"));
            }
        })?;
        Ok(())
    }

    /// Gives what is odd about the bytes, if something is.
    fn fill(&self, volume: &Volume, folder: &Path) -> io::Result<Option<String>> {
        match &volume.source {
            None => data::make(folder, volume.backing, volume.size_bytes).map(|()| None),
            Some(Source::Snapshot(id)) => {
                let from = self.state().snapshots.path(id);
                let from = data::path(&from, volume.backing);
                data::copy(&from, folder, volume.backing, volume.size_bytes).map(|()| None)
            }
            Some(Source::Volume(id)) => {
                let (from, live) = self.live(id)?;
                // As large as the new volume, not as the source.
                let live = Live { size: volume.size_bytes, ..live };
                self.cut(&from, folder, &live).map(|(_, message)| message)
            }
        }
    }

    fn finish_snapshot(&self, id: &str) -> Result<(), Refusal> {
        let (snapshot, folder) = {
            let state = self.state();
            let Some(record) = state.snapshots.any(id) else { return Ok(()) };
            (record.object.clone(), state.snapshots.path(id))
        };
        if !snapshot.is_creating() {
            return Ok(());
        }
        let cut = self
            .live(&snapshot.volume)
            .and_then(|(from, live)| Ok((self.cut(&from, &folder, &live)?, live.size)));
        let now = seconds(jiff::Timestamp::now());
        self.state().snapshots.change(id, |snapshot| match cut {
            Ok((cut, size)) => taken(snapshot, cut, size, now),
            Err(error) => {
                snapshot.state = SnapshotState::Failed;
                snapshot.message = Some(format!("failed to take the snapshot: {error}"));
            }
        })?;
        Ok(())
    }

    fn cut(&self, from: &Path, folder: &Path, live: &Live) -> io::Result<Cut> {
        let _turn = self.cutting.lock().unwrap_or_else(PoisonError::into_inner);
        data::cut(from, folder, live, &self.marks)
    }

    /// The bytes of a volume, and who may be writing to them.
    fn live(&self, id: &str) -> io::Result<(PathBuf, Live)> {
        let state = self.state();
        let record = state.volumes.any(id).ok_or_else(|| io::Error::other(format!("{id} is gone")))?;
        let volume = &record.object;
        let live =
            Live { backing: volume.backing, size: volume.size_bytes, attached: volume.attached_to.is_some() };
        Ok((data::path(&state.volumes.path(id), volume.backing), live))
    }
}

fn taken(snapshot: &mut Snapshot, (consistency, message): Cut, size: u64, now: String) {
    snapshot.state = SnapshotState::Ready;
    snapshot.size_bytes = size;
    snapshot.message = message;
    snapshot.taken_at = Some(now);
    snapshot.consistency = Some(consistency);
    if consistency == Consistency::None {
        tracing::warn!(id = snapshot.id, why = snapshot.message, "the snapshot is no single point in time");
    }
}

/// RFC 3339 in whole seconds.
pub(super) fn seconds(now: jiff::Timestamp) -> String {
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}
