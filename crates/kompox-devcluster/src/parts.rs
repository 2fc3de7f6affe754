//! The running parts of one directory, whatever they are: started, recorded in the state file, waited
//! for, killed and stopped. Knows no part's flags.

use crate::{
    files,
    node::NodeState,
    part::{self, Check, Error, Outcome, Part, PartName, Recipe},
    process::ProcessId,
    progress::{Progress, Reporter},
    state::{DirectoryLock, PartState, State},
    storage::StorageState,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

/// Dropping them kills their processes; [`stop`](Self::stop) is kinder.
#[derive(Debug)]
pub(crate) struct Parts {
    directory: PathBuf,
    /// How long each may take to become ready.
    pub(crate) start_timeout: Duration,
    pub(crate) reporter: Reporter,
    running: BTreeMap<PartName, Part>,
    /// How often each was started again.
    restarts: BTreeMap<PartName, u32>,
    pub(crate) state: State,
    lock: DirectoryLock,
}

impl Parts {
    /// Takes the directory and ends what an earlier launcher left there.
    pub(crate) async fn take(
        directory: PathBuf,
        start_timeout: Duration,
        reporter: Reporter,
    ) -> Result<Self, Error> {
        for path in [directory.clone(), directory.join("logs")] {
            files::private_directory(&path).map_err(|source| Error::File { path, source })?;
        }
        let lock = DirectoryLock::acquire(&directory).map_err(Error::State)?;
        let count = lock.clear().await.map_err(Error::State)?;
        if count > 0 {
            reporter.report(Progress::SurvivorsEnded { count });
        }
        let launcher =
            ProcessId::current().map_err(|source| Error::File { path: "/proc/self".into(), source })?;
        let state = State::starting(launcher, &directory);
        let (running, restarts) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { directory, start_timeout, reporter, running, restarts, state, lock })
    }

    /// Where they live.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The parts as they run now, in the order of their start.
    pub(crate) fn states(&self) -> Vec<PartState> {
        self.state.parts.clone()
    }

    /// The process of a part, if it was started.
    pub(crate) fn process(&self, name: PartName) -> Option<ProcessId> {
        self.running.get(&name).map(|part| part.state.process.clone())
    }

    pub(crate) fn is_running(&self, name: PartName) -> bool {
        self.running.contains_key(&name)
    }

    /// Starts a part that is down.
    pub(crate) async fn launch(&mut self, name: PartName, recipe: Recipe) -> Result<(), Error> {
        self.reporter.report(Progress::Starting { part: name });
        let restarts = self.restarts.get(&name).copied().unwrap_or_default();
        let part = Part::spawn(name, recipe, &self.directory, restarts).await?;
        self.state.parts.push(part.state.clone());
        // A part that is started again keeps its place: what others need is ended after them.
        self.state.parts.sort_by_key(|part| part.name);
        self.running.insert(name, part);
        self.save()
    }

    /// Waits until the part passes the check; at once if it is down.
    pub(crate) async fn wait_ready(&mut self, name: PartName, check: &Check) -> Result<(), Error> {
        let Some(part) = self.running.get_mut(&name) else { return Ok(()) };
        match part::until_ready(check, part, self.start_timeout).await {
            Outcome::Ready => {
                let took = part.started.elapsed();
                self.reporter.report(Progress::Ready { part: name, took });
                Ok(())
            }
            Outcome::Exited(status) => {
                Err(Error::Exited { part: name, status, log: part.state.log.clone(), tail: part.tail() })
            }
            Outcome::NotReady(last) => Err(self.not_ready(name, last)),
        }
    }

    /// The error for a part that did not become ready in time.
    pub(crate) fn not_ready(&self, part: PartName, last: String) -> Error {
        let (log, tail) = self.log(part);
        Error::NotReady { part, waited: self.start_timeout, last, log, tail }
    }

    /// Kills one part with SIGKILL and leaves it down; no effect if it is down.
    pub(crate) async fn kill(&mut self, name: PartName) -> Result<(), Error> {
        if let Some(mut part) = self.running.remove(&name) {
            part.kill().await;
            self.state.parts.retain(|part| part.name != name);
            self.save()?;
        }
        Ok(())
    }

    /// A part that has ended by itself, and how; of several the one that the others need.
    pub(crate) fn ended(&mut self) -> Option<(PartName, ExitStatus)> {
        self.running.iter_mut().find_map(|(name, part)| part.exited().map(|status| (*name, status)))
    }

    /// How a part ended that ended by itself; `None`: it runs, or was never started.
    pub(crate) fn end_of(&mut self, name: PartName) -> Option<ExitStatus> {
        self.running.get_mut(&name)?.exited()
    }

    /// The next start of this part is one of those that the state counts.
    pub(crate) fn count_restart(&mut self, name: PartName) {
        *self.restarts.entry(name).or_default() += 1;
    }

    /// Kills a part that is of no use, so that it counts as [`ended`](Self::ended); false if it was never started.
    pub(crate) async fn put_down(&mut self, name: PartName) -> bool {
        let Some(part) = self.running.get_mut(&name) else { return false };
        part.kill().await;
        true
    }

    /// A part's log, and its end.
    pub(crate) fn log(&self, name: PartName) -> (PathBuf, String) {
        let tail = self.running.get(&name).map(Part::tail).unwrap_or_default();
        (part::log_path(&self.directory, name), tail)
    }

    /// Stops these parts side by side; those that are down do not count.
    pub(crate) async fn stop(&mut self, names: &[PartName]) {
        let parts = names.iter().filter_map(|name| self.running.remove(name)).map(Part::stop);
        futures::future::join_all(parts.collect::<Vec<_>>()).await;
    }

    /// Records the real node, before anything of it can be left behind.
    pub(crate) fn set_node(&mut self, node: NodeState) -> Result<(), Error> {
        self.state.real_node = Some(node);
        self.save()
    }

    /// Records where the storage is.
    pub(crate) fn set_storage(&mut self, storage: StorageState) -> Result<(), Error> {
        self.state.storage = Some(storage);
        self.save()
    }

    /// Marks the whole cluster as up in the state file.
    pub(crate) fn set_ready(&mut self) -> Result<(), Error> {
        self.state.ready = true;
        self.save()
    }

    pub(crate) fn save(&self) -> Result<(), Error> {
        self.state.write(&self.directory).map_err(Error::State)
    }

    /// Removes the state file: nothing runs any more.
    pub(crate) fn forget(&self) -> Result<(), Error> {
        self.lock.forget().map_err(Error::State)
    }
}
