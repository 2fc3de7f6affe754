//! `kompoxops dev status`: the parts of the development cluster.

use clap::Args;
use kompox_devcluster::State as ClusterState;
use kompox_devcluster::process::ProcessId;
use serde_json::{Value, json};

use crate::console::note;
use crate::dev::failed;
use crate::dev::layout::Layout;
use crate::dev::state::State;
use crate::failure::Failure;
use crate::output::{self, Format, Table};

/// Shows the parts of the development cluster. The exit code is 4 when it is not ready.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    name: String,
    version: String,
    pid: u32,
    state: &'static str,
    restarts: u32,
    port: Option<u16>,
    log: String,
}

/// Runs the command.
///
/// # Errors
/// When the state cannot be read, or the cluster is not ready.
pub(super) fn run(layout: &Layout, arguments: &Arguments) -> Result<(), Failure> {
    let supervisor = State::read(layout)?;
    let cluster = ClusterState::read(&layout.cluster()).map_err(|error| failed(&error))?;
    let parts = parts(layout, supervisor.as_ref(), cluster.as_ref());
    let documents = || output::document("DevStatus", &parts.iter().map(Part::value).collect::<Vec<_>>());
    output::print(&match arguments.output {
        Format::Table => table(&parts),
        Format::Json => output::to_json(&documents())?,
        Format::Yaml => output::to_yaml(&documents())?,
        Format::Name => parts.iter().map(|part| format!("part/{}\n", part.name)).collect(),
    })?;
    let Some(supervisor) = supervisor.filter(State::alive) else {
        return Err(Failure::NotRunning { state: "does not run; start it with `kompoxops dev up`".into() });
    };
    if let Some(why) = &supervisor.operator_missing {
        note(format!("operator: {why}"));
    }
    if let Some(cluster) = &cluster {
        note(cluster.banner());
    }
    if supervisor.ready {
        return Ok(());
    }
    Err(Failure::NotRunning { state: format!("is not ready: {}", supervisor.phase) })
}

fn parts(layout: &Layout, supervisor: Option<&State>, cluster: Option<&ClusterState>) -> Vec<Part> {
    let part =
        |name: &str, version: &str, process: &ProcessId, port: Option<u16>, log: &std::path::Path| Part {
            name: name.to_owned(),
            version: version.to_owned(),
            pid: process.pid,
            state: if process.alive() { "running" } else { "ended" },
            restarts: 0,
            port,
            log: log.display().to_string(),
        };
    let ours = env!("CARGO_PKG_VERSION");
    let own =
        supervisor.map(|state| part("supervisor", ours, &state.supervisor, None, &layout.supervisor_log()));
    let control_plane = cluster.into_iter().flat_map(|cluster| &cluster.parts);
    let control_plane = control_plane.map(|each| Part {
        restarts: each.restarts,
        ..part(&each.name.to_string(), &each.version, &each.process, each.port, &each.log)
    });
    let operator = supervisor.and_then(|state| state.operator.as_ref());
    let operator =
        operator.map(|operator| part("kompox-operator", ours, &operator.process, None, &operator.log));
    own.into_iter().chain(control_plane).chain(operator).collect()
}

fn table(parts: &[Part]) -> String {
    if parts.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["NAME", "VERSION", "PID", "STATE", "RESTARTS", "PORT", "LOG"]);
    for part in parts {
        let port = part.port.map(|port| port.to_string()).unwrap_or_default();
        table.row([
            part.name.clone(),
            part.version.clone(),
            part.pid.to_string(),
            part.state.into(),
            part.restarts.to_string(),
            port,
            part.log.clone(),
        ]);
    }
    table.render()
}

impl Part {
    fn value(&self) -> Value {
        json!({"name": self.name, "version": self.version, "pid": self.pid, "state": self.state, "restarts": self.restarts, "port": self.port, "log": self.log})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn living_and_dead_processes_are_told_apart() {
        let layout = Layout::in_folder("/x");
        let own = ProcessId::current().unwrap();
        let mut state = State::starting(own.clone());
        let gone = ProcessId { start_ticks: 1, ..own };
        state.operator = Some(crate::dev::state::OperatorState { process: gone, log: "/x/op.log".into() });
        let parts = parts(&layout, Some(&state), None);
        let states: Vec<_> = parts.iter().map(|part| (part.name.as_str(), part.state)).collect();
        assert_eq!(states, [("supervisor", "running"), ("kompox-operator", "ended")]);
        assert!(table(&parts).starts_with("NAME              VERSION"));
        assert_eq!(table(&[]), "");
    }
}
