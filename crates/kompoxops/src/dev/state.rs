//! What the supervisor says about itself, for the commands of other processes. Replaced whole on each change.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use kompox_devcluster::DevIngress;
use kompox_devcluster::process::ProcessId;
use serde::{Deserialize, Serialize};

use super::failed;
use super::layout::Layout;
use crate::failure::Failure;

/// How long the supervisor gets to end its parts in order.
const SUPERVISOR_GRACE: Duration = Duration::from_secs(60);
/// How long an operator without a supervisor gets.
const OPERATOR_GRACE: Duration = Duration::from_secs(15);

/// State of a development cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The process that owns all parts.
    pub supervisor: ProcessId,
    /// One line about what it is doing.
    pub phase: String,
    /// Whether everything has been started.
    pub ready: bool,
    /// Why it gave up.
    pub failure: Option<String>,
    /// The development ingress, once it serves.
    pub ingress: Option<IngressState>,
    /// The operator, when there is one.
    pub operator: Option<OperatorState>,
    /// Why there is no operator.
    pub operator_missing: Option<String>,
}

/// Where the development ingress serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IngressState {
    /// Where an app is; `<app>` stands for its name.
    pub url: String,
    /// Port of 127.0.0.1 for HTTPS.
    pub https_port: u16,
    /// The certificate of its authority.
    pub authority: PathBuf,
}

impl IngressState {
    /// What others may know of it.
    pub fn of(ingress: &DevIngress) -> Self {
        Self {
            url: ingress.url("<app>"),
            https_port: ingress.https_port(),
            authority: ingress.authority_path().to_owned(),
        }
    }
}

/// The operator's process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperatorState {
    /// Its process.
    pub process: ProcessId,
    /// Its output.
    pub log: PathBuf,
}

impl State {
    /// The state of a supervisor that begins.
    pub fn starting(supervisor: ProcessId) -> Self {
        Self {
            supervisor,
            phase: "starting".into(),
            ready: false,
            failure: None,
            ingress: None,
            operator: None,
            operator_missing: None,
        }
    }

    /// The state in a folder; `None` when nothing was started there.
    ///
    /// # Errors
    /// When the file cannot be read or is not ours.
    pub fn read(layout: &Layout) -> Result<Option<Self>, Failure> {
        let path = layout.state_file();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Failure::ReadFile { path, source }),
        };
        let state = serde_json::from_str(&text);
        state.map(Some).map_err(|error| {
            Failure::Dev(format!("{} is not a state file ({error}); remove it and try again", path.display()))
        })
    }

    /// Replaces the state of a folder.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, layout: &Layout) -> Result<(), Failure> {
        let path = layout.state_file();
        let text = serde_json::to_string_pretty(self).map_err(|error| failed(&error))?;
        let partial = path.with_extension("partial");
        let written = fs::write(&partial, text).and_then(|()| fs::rename(&partial, &path));
        written.map_err(|error| Failure::Dev(format!("failed to write {}: {error}", path.display())))
    }

    /// Removes the state of a folder: nothing runs there any more.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn forget(layout: &Layout) -> Result<(), Failure> {
        match fs::remove_file(layout.state_file()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&error)),
            _ => Ok(()),
        }
    }

    /// Whether its supervisor still runs.
    pub fn alive(&self) -> bool {
        self.supervisor.alive()
    }
}

/// Ends whatever runs in a folder: the supervisor, which ends its parts, and then what an earlier, killed one
/// may have left. True when there was anything.
///
/// # Errors
/// When a process does not end, or the folder belongs to someone else.
pub async fn end_all(layout: &Layout) -> Result<bool, Failure> {
    let mut ended = false;
    if let Some(state) = State::read(layout)? {
        ended |= end(&state.supervisor, SUPERVISOR_GRACE).await?;
        if let Some(operator) = State::read(layout)?.and_then(|state| state.operator) {
            ended |= end(&operator.process, OPERATOR_GRACE).await?;
        }
    }
    if layout.cluster().exists() {
        ended |= kompox_devcluster::stop_by_state(&layout.cluster()).await.map_err(|error| failed(&error))?;
    }
    State::forget(layout)?;
    Ok(ended)
}

async fn end(process: &ProcessId, grace: Duration) -> Result<bool, Failure> {
    process
        .end(grace)
        .await
        .map_err(|error| Failure::Dev(format!("failed to end process {}: {error}", process.pid)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::in_folder(folder.path().join("dev"));
        layout.create().unwrap();
        assert_eq!(State::read(&layout).unwrap(), None);
        let state = State::starting(ProcessId::current().unwrap());
        state.write(&layout).unwrap();
        assert_eq!(State::read(&layout).unwrap(), Some(state.clone()));
        assert!(state.alive());
        fs::write(layout.state_file(), "{").unwrap();
        assert!(State::read(&layout).unwrap_err().to_string().contains("remove it"));
    }

    #[tokio::test]
    async fn an_operator_without_its_supervisor_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::in_folder(folder.path().join("dev"));
        layout.create().unwrap();
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let process = ProcessId::of(child.id()).unwrap();
        // A supervisor that was killed: its number may be another process by now.
        let mut state = State::starting(ProcessId { start_ticks: 1, ..ProcessId::current().unwrap() });
        state.operator = Some(OperatorState { process, log: layout.operator_log() });
        state.write(&layout).unwrap();
        assert!(!state.alive());
        assert!(end_all(&layout).await.unwrap());
        assert!(!child.wait().unwrap().success());
        assert_eq!(State::read(&layout).unwrap(), None);
        assert!(!end_all(&layout).await.unwrap());
    }
}
