//! The objects of one kind: in memory, and each in a folder of its own with `record.json` in it.
//!
//! A record is replaced whole or not at all (written beside, synced, renamed), and memory follows the disk, so
//! that a killed service finds what it had answered. Knows nothing of the bytes of a volume.

use crate::api::{Code, Filter, Page, Snapshot, SnapshotState, Tags, Volume, VolumeState};
use crate::api::{NewSnapshot, NewVolume};
use crate::refusal::Refusal;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

const RECORD: &str = "record.json";
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 500;

/// What the table must know of an object.
pub(crate) trait Object: Clone + Serialize + DeserializeOwned {
    /// What it was made from.
    type Request: Clone + PartialEq + Serialize + DeserializeOwned;
    /// Begins each id.
    const PREFIX: &'static str;
    fn id(&self) -> &str;
    fn name(&self) -> &str;
    fn tags(&self) -> &Tags;
    fn tags_mut(&mut self) -> &mut Tags;
    /// The volume that it is a snapshot of.
    fn of_volume(&self) -> Option<&str>;
    fn is_creating(&self) -> bool;
    fn client_token(request: &Self::Request) -> &str;
}

/// An object, whose it is, and the request that made it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(bound = "", rename_all = "camelCase")]
pub(crate) struct Record<O: Object> {
    pub(crate) account: String,
    pub(crate) request: O::Request,
    pub(crate) object: O,
}

/// All objects of a kind.
pub(crate) struct Table<O: Object> {
    folder: PathBuf,
    records: BTreeMap<String, Record<O>>,
}

impl<O: Object> Table<O> {
    /// Reads what is there. A folder without a record was being made when the service was killed: it goes.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut records = BTreeMap::new();
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let file = path.join(RECORD);
            if !file.is_file() {
                fs::remove_dir_all(&path)?;
                continue;
            }
            let record: Record<O> = serde_json::from_slice(&fs::read(&file)?)
                .map_err(|error| io::Error::other(format!("{} is not readable: {error}", file.display())))?;
            records.insert(record.object.id().to_owned(), record);
        }
        Ok(Self { folder, records })
    }

    /// The folder of an object.
    pub(crate) fn path(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// All records, in order of id.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Record<O>> {
        self.records.values()
    }

    /// The record of that id, whoever's it is. For work that goes on without a caller.
    pub(crate) fn any(&self, id: &str) -> Option<&Record<O>> {
        self.records.get(id)
    }

    /// An account's object.
    pub(crate) fn get(&self, account: &str, id: &str) -> Result<&O, Refusal> {
        let record = self.records.get(id).filter(|record| record.account == account);
        record.map(|record| &record.object).ok_or_else(|| Refusal::not_found(id))
    }

    /// What an earlier request with this token made; a taken name or a token with another body is refused.
    pub(crate) fn before(
        &self,
        account: &str,
        name: &str,
        request: &O::Request,
    ) -> Result<Option<O>, Refusal> {
        let token = O::client_token(request);
        let mut own = self.records.values().filter(|record| record.account == account);
        let taken =
            own.find(|record| record.object.name() == name || O::client_token(&record.request) == token);
        match taken {
            None => Ok(None),
            Some(record) if record.request == *request => Ok(Some(record.object.clone())),
            Some(record) => {
                let id = record.object.id();
                let what = if O::client_token(&record.request) == token { "client token" } else { "name" };
                let message = format!("the {what} is taken by {id}, which was made with other parameters");
                Err(Refusal::new(Code::AlreadyExists, message))
            }
        }
    }

    /// Adds an object.
    pub(crate) fn insert(&mut self, record: Record<O>) -> Result<(), Refusal> {
        let folder = self.path(record.object.id());
        let written =
            fs::create_dir(&folder).and_then(|()| write(&folder, &record)).and_then(|()| sync(&self.folder));
        written.map_err(|error| Refusal::io(&format!("write {}", folder.display()), &error))?;
        self.records.insert(record.object.id().to_owned(), record);
        Ok(())
    }

    /// Changes an object, on disk first.
    pub(crate) fn change(&mut self, id: &str, change: impl FnOnce(&mut O)) -> Result<O, Refusal> {
        let folder = self.path(id);
        let record = self.records.get_mut(id).ok_or_else(|| Refusal::not_found(id))?;
        let mut changed = record.clone();
        change(&mut changed.object);
        write(&folder, &changed)
            .map_err(|error| Refusal::io(&format!("write {}", folder.display()), &error))?;
        *record = changed;
        Ok(record.object.clone())
    }

    /// Removes an object; its folder is moved to `trash`, from where it may be deleted at leisure.
    pub(crate) fn remove(&mut self, id: &str, trash: &Path) -> Result<(), Refusal> {
        let moved = fs::rename(self.path(id), trash).and_then(|()| sync(&self.folder));
        moved.map_err(|error| Refusal::io(&format!("remove {id}"), &error))?;
        self.records.remove(id);
        Ok(())
    }

    /// One page of an account's objects.
    pub(crate) fn page(&self, account: &str, filter: &Filter) -> Result<Page<O>, Refusal> {
        let limit = filter.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Refusal::invalid(format!("limit must be 1 to {MAX_LIMIT}")));
        }
        let after = filter.cursor.as_deref().unwrap_or_default();
        let fits = |object: &O| {
            filter.name.as_deref().is_none_or(|name| object.name() == name)
                && filter.volume.as_deref().is_none_or(|volume| object.of_volume() == Some(volume))
                && filter.tags.iter().all(|(key, value)| object.tags().get(key) == Some(value))
        };
        let own =
            self.records.values().filter(|record| record.account == account).map(|record| &record.object);
        let mut rest = own.filter(|object| object.id() > after && fits(object));
        let items: Vec<O> = rest.by_ref().take(limit).cloned().collect();
        let next = rest.next().and_then(|_| items.last()).map(|last| last.id().to_owned());
        Ok(Page { items, next })
    }
}

fn write<O: Object>(folder: &Path, record: &Record<O>) -> io::Result<()> {
    let partial = folder.join("record.json.new");
    let mut file = File::create(&partial)?;
    file.write_all(&serde_json::to_vec_pretty(record)?)?;
    file.sync_all()?;
    fs::rename(&partial, folder.join(RECORD))?;
    sync(folder)
}

/// Makes renames in a folder last.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// What both kinds do alike.
macro_rules! members {
    () => {
        fn id(&self) -> &str {
            &self.id
        }
        fn name(&self) -> &str {
            &self.name
        }
        fn tags(&self) -> &Tags {
            &self.tags
        }
        fn tags_mut(&mut self) -> &mut Tags {
            &mut self.tags
        }
        fn client_token(request: &Self::Request) -> &str {
            &request.client_token
        }
    };
}

impl Object for Volume {
    type Request = NewVolume;
    const PREFIX: &'static str = "vol-";
    members!();
    fn of_volume(&self) -> Option<&str> {
        None
    }
    fn is_creating(&self) -> bool {
        self.state == VolumeState::Creating
    }
}

impl Object for Snapshot {
    type Request = NewSnapshot;
    const PREFIX: &'static str = "snap-";
    members!();
    fn of_volume(&self) -> Option<&str> {
        Some(&self.volume)
    }
    fn is_creating(&self) -> bool {
        self.state == SnapshotState::Creating
    }
}
