//! `kompoxops dev logs`: what a part of the development cluster wrote.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use kompox_devcluster::State as ClusterState;

use crate::dev::failed;
use crate::dev::layout::Layout;
use crate::dev::state::State;
use crate::failure::Failure;
use crate::output;

const POLL: Duration = Duration::from_millis(200);
/// Read at a time.
const CHUNK: u64 = 64 << 10;

/// Prints the log of a part, as `dev status` names it.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The part, such as kubelet
    part: String,
    /// Go on with what it writes from now on, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
}

/// Runs the command.
///
/// # Errors
/// When there is no such part, or its log cannot be read.
pub(super) async fn run(layout: &Layout, arguments: &Arguments) -> Result<(), Failure> {
    let path = log_of(layout, &arguments.part)?;
    let mut log = File::open(&path).map_err(|source| Failure::ReadFile { path: path.clone(), source })?;
    loop {
        print_rest(&mut log).map_err(|source| Failure::ReadFile { path: path.clone(), source })?;
        if !arguments.follow {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => begin_anew_if_shorter(&mut log, &path),
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

/// The logs of a cluster that does not run any more are there until `dev down`.
fn log_of(layout: &Layout, part: &str) -> Result<PathBuf, Failure> {
    let cluster = ClusterState::read(&layout.cluster()).map_err(|error| failed(&error))?;
    let operator = State::read(layout)?.and_then(|state| state.operator).map(|operator| operator.log);
    let parts = cluster.into_iter().flat_map(|cluster| cluster.parts);
    let mut logs: Vec<_> = parts.map(|part| (part.name.to_string(), part.log)).collect();
    logs.push(("supervisor".into(), layout.supervisor_log()));
    logs.extend(operator.map(|log| ("kompox-operator".into(), log)));
    let names = logs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let unknown = || Failure::Dev(format!("it has no part '{part}'; it has {names}"));
    let found = logs.into_iter().find(|(name, _)| name == part);
    found.map(|(_, log)| log).ok_or_else(unknown)
}

/// From where the last look ended.
fn print_rest(log: &mut File) -> io::Result<()> {
    loop {
        let mut chunk = Vec::new();
        if log.by_ref().take(CHUNK).read_to_end(&mut chunk)? == 0 {
            return Ok(());
        }
        output::print(&String::from_utf8_lossy(&chunk))
            .map_err(|error| io::Error::other(error.to_string()))?;
    }
}

/// A part that is started again goes on in the same file; a new cluster begins a new one.
fn begin_anew_if_shorter(log: &mut File, path: &Path) {
    let position = log.stream_position().unwrap_or_default();
    let length = path.metadata().map_or(0, |metadata| metadata.len());
    if length < position
        && let Ok(anew) = File::open(path)
    {
        *log = anew;
        let _ = log.seek(SeekFrom::Start(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_part_is_answered_with_the_known_ones() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::in_folder(folder.path());
        assert_eq!(log_of(&layout, "supervisor").unwrap(), layout.supervisor_log());
        let text = log_of(&layout, "kubelet").unwrap_err().to_string();
        assert!(text.contains("no part 'kubelet'; it has supervisor"), "{text}");
    }

    #[test]
    fn a_log_that_began_anew_is_read_from_its_beginning() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "long enough").unwrap();
        let mut log = File::open(file.path()).unwrap();
        log.seek(SeekFrom::End(0)).unwrap();
        begin_anew_if_shorter(&mut log, file.path());
        assert_eq!(log.stream_position().unwrap(), 11);
        std::fs::write(file.path(), "new").unwrap();
        begin_anew_if_shorter(&mut log, file.path());
        assert_eq!(log.stream_position().unwrap(), 0);
    }
}
