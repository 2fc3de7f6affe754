//! The service's operations on values, blocking and without HTTP: what each does is in `docs/devcloud.md`.
//!
//! One lock guards the records. Bytes are copied outside it, by jobs ([`Cloud::finish_volume`],
//! [`Cloud::finish_snapshot`]) that may run again: a killed service starts them anew.

mod jobs;
mod snapshots;
mod volumes;

use crate::api::{Account, Backing, Change, Snapshot, Source, Tags, Volume};
use crate::options::Settings;
use crate::refusal::Refusal;
use crate::table::{Object, Table};
use crate::{check, data, id};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::{fs, io};

/// The cloud: its settings, its records, and where the bytes lie.
pub(crate) struct Cloud {
    settings: Settings,
    service: String,
    state: Mutex<State>,
    /// Read by each job while it runs; true once no more may begin.
    closed: RwLock<bool>,
    /// Volumes in use are cut one at a time: a file system can be frozen only once.
    cutting: Mutex<()>,
    trash: PathBuf,
    marks: PathBuf,
}

struct State {
    volumes: Table<Volume>,
    snapshots: Table<Snapshot>,
}

/// Answer to a create request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Created<T> {
    pub(crate) object: T,
    /// False: an earlier request with the same token made it.
    pub(crate) is_new: bool,
}

/// Bytes that are still to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    Volume(String),
    Snapshot(String),
}

impl Cloud {
    /// Opens the directory of the settings; what was being done when the service was killed is swept up.
    /// The jobs that are left are in [`Cloud::jobs`].
    pub(crate) fn open(settings: Settings) -> io::Result<Self> {
        let root = &settings.directory;
        let (trash, marks) = (root.join("trash"), root.join("frozen"));
        data::thaw_all(&marks)?;
        if trash.exists() {
            fs::remove_dir_all(&trash)?;
        }
        fs::create_dir(&trash)?;
        let state = State {
            volumes: Table::open(root.join("volumes"))?,
            snapshots: Table::open(root.join("snapshots"))?,
        };
        state.volumes.all().try_for_each(|record| data::sweep(&state.volumes.path(&record.object.id)))?;
        state.snapshots.all().try_for_each(|record| data::sweep(&state.snapshots.path(&record.object.id)))?;
        Ok(Self {
            service: service_id(root)?,
            settings,
            state: Mutex::new(state),
            closed: RwLock::new(false),
            cutting: Mutex::new(()),
            trash,
            marks,
        })
    }

    /// A thread that panicked with the lock held changed nothing by halves: records are replaced whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `GET /v1/account`.
    pub(crate) fn account(&self, account: &str) -> Account {
        Account {
            id: account.to_owned(),
            service: self.service.clone(),
            zones: self.settings.zones.clone(),
            default_backing: self.settings.default_backing,
            quota_bytes: self.settings.quota_bytes,
            used_bytes: self.state().used(account),
        }
    }

    /// What is still to be made.
    pub(crate) fn jobs(&self) -> Vec<Job> {
        let state = self.state();
        let volumes = state.volumes.all().filter(|record| record.object.is_creating());
        let volumes = volumes.map(|record| Job::Volume(record.object.id.clone()));
        let snapshots = state.snapshots.all().filter(|record| record.object.is_creating());
        volumes.chain(snapshots.map(|record| Job::Snapshot(record.object.id.clone()))).collect()
    }

    /// Waits until no job runs, and lets none begin any more.
    pub(crate) fn close(&self) {
        *self.closed.write().unwrap_or_else(PoisonError::into_inner) = true;
    }

    /// The bytes of a removed object; what is left of them is deleted at the next start.
    fn empty_trash(&self, id: &str) {
        if let Err(error) = fs::remove_dir_all(self.trash.join(id)) {
            tracing::warn!(id, %error, "failed to delete the bytes of a removed object");
        }
    }
}

impl State {
    /// Bytes that an account's volumes have.
    fn used(&self, account: &str) -> u64 {
        let own = self.volumes.all().filter(|record| record.account == account);
        own.map(|record| record.object.size_bytes).sum()
    }

    /// The object that is being made from this source.
    fn user_of(&self, source: &Source) -> Option<&str> {
        let mut volumes = self.volumes.all().map(|record| &record.object);
        let volume = volumes.find(|volume| volume.is_creating() && volume.source.as_ref() == Some(source));
        let snapshot = || match source {
            Source::Volume(id) => {
                let mut snapshots = self.snapshots.all().map(|record| &record.object);
                snapshots.find(|snapshot| snapshot.is_creating() && snapshot.volume == *id)
            }
            Source::Snapshot(_) => None,
        };
        volume.map(|volume| volume.id.as_str()).or_else(|| snapshot().map(|snapshot| snapshot.id.as_str()))
    }
}

/// The id of the service that has the directory, made with it: two services are never taken for one.
fn service_id(root: &Path) -> io::Result<String> {
    let (path, partial) = (root.join("service"), root.join("service.new"));
    if !path.exists() {
        let id = id::random::<8>()?.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        fs::write(&partial, id)?;
        fs::rename(&partial, &path)?;
    }
    Ok(fs::read_to_string(&path)?.trim().to_owned())
}

/// The tags after a change of some.
fn changed_tags(present: &Tags, change: &BTreeMap<String, Option<String>>) -> Result<Tags, Refusal> {
    let mut tags = present.clone();
    for (key, value) in change {
        match value {
            Some(value) => tags.insert(key.clone(), value.clone()),
            None => tags.remove(key),
        };
    }
    check::tags(&tags)?;
    Ok(tags)
}

/// Whether a change asks for nothing.
fn is_empty(change: &Change) -> bool {
    change.size_bytes.is_none() && change.tags.is_empty()
}

/// The backing that a volume gets: the source's, if there is one.
fn backing(default: Backing, wanted: Option<Backing>, source: Option<Backing>) -> Result<Backing, Refusal> {
    match (wanted, source) {
        (Some(wanted), Some(source)) if wanted != source => {
            Err(Refusal::invalid("backing must be the one of the source"))
        }
        (wanted, source) => Ok(source.or(wanted).unwrap_or(default)),
    }
}

#[cfg(test)]
mod tests;
