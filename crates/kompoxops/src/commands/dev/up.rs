//! `kompoxops dev up`: starts the supervisor and waits, or attaches to the one that runs.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::Args;
use kompox_devcluster::INGRESS_BANNER;

use super::{nodes, running};
use crate::console::{Activity, note};
use crate::dev::layout::Layout;
use crate::dev::state::{self, State};
use crate::dev::{failed, supervisor};
use crate::failure::Failure;
use crate::output;

/// How often the state file is looked at while the supervisor starts.
const POLL: Duration = Duration::from_millis(100);
/// Lines of the supervisor's log that are shown when it fails.
const LOG_LINES: usize = 15;

/// Starts the development cluster, or attaches to the one that runs.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    nodes: nodes::NodeArguments,
    /// Stay in the foreground; Ctrl-C ends the cluster
    #[arg(long)]
    foreground: bool,
}

/// Runs the command.
///
/// # Errors
/// When the cluster does not start.
pub(super) async fn run(layout: &Layout, arguments: &Arguments) -> Result<(), Failure> {
    let chosen = arguments.nodes.choose().await?;
    if State::read(layout)?.is_some_and(|state| state.alive()) {
        note("a development cluster runs already; attaching to it");
        wait(layout, None).await?;
        return print(layout);
    }
    // What a killed supervisor left behind must not stand in the way.
    state::end_all(layout).await?;
    note(&chosen.reason);
    if arguments.foreground {
        let settings = supervisor::Settings { layout: layout.clone(), nodes: chosen.nodes };
        return supervisor::run(settings).await;
    }
    let child = spawn(layout, &chosen.arguments)?;
    wait(layout, Some(child)).await?;
    print(layout)
}

/// Starts this program again as the supervisor, in a process group of its own: Ctrl-C here is not for it.
fn spawn(layout: &Layout, nodes: &[String]) -> Result<Child, Failure> {
    layout.create()?;
    let program = std::env::current_exe().map_err(|error| failed(&error))?;
    let log = File::create(layout.supervisor_log()).map_err(|error| failed(&error))?;
    Command::new(program)
        .args(["dev", "supervise"])
        .args(nodes)
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(|error| failed(&error))?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .map_err(|error| failed(&error))
}

/// Shows the supervisor's progress until the cluster is ready.
async fn wait(layout: &Layout, mut child: Option<Child>) -> Result<(), Failure> {
    let mut activity = Activity::start("starting the development cluster");
    loop {
        let ended = match &mut child {
            Some(child) => child.try_wait().map_err(|error| failed(&error))?.is_some(),
            None => false,
        };
        // Read after the look at the process: what it wrote last is then seen.
        let state = State::read(layout)?;
        let alive = !ended && (child.is_some() || state.as_ref().is_some_and(State::alive));
        if let Some(state) = &state {
            if alive && state.ready {
                return Ok(());
            }
            activity.set(&state.phase);
        }
        if !alive {
            drop(activity);
            return Err(did_not_start(layout, state));
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            _ = tokio::signal::ctrl_c() => {
                drop(activity);
                note("the cluster goes on starting in the background; `kompoxops dev down` ends it");
                return Err(Failure::Interrupted);
            }
        }
    }
}

fn did_not_start(layout: &Layout, state: Option<State>) -> Failure {
    if let Some(failure) = state.and_then(|state| state.failure) {
        return Failure::Dev(failure);
    }
    let path = layout.supervisor_log();
    let log = std::fs::read_to_string(&path).unwrap_or_default();
    let lines: Vec<_> = log.lines().collect();
    let tail =
        lines.iter().skip(lines.len().saturating_sub(LOG_LINES)).copied().collect::<Vec<_>>().join("\n  ");
    Failure::Dev(format!("it ended before it was ready; its log {} ends with:\n  {tail}", path.display()))
}

/// How to use it.
fn print(layout: &Layout) -> Result<(), Failure> {
    let (state, cluster) = running(layout)?;
    let operator = match (&state.operator, &state.operator_missing) {
        (Some(operator), _) => format!("running (process {})", operator.process.pid),
        (None, Some(why)) => format!("not running: {why}"),
        (None, None) => "not running".into(),
    };
    let kubeconfig = cluster.kubeconfig.display();
    let ingress = state.ingress.map(|ingress| ingress.url).unwrap_or_default();
    let disks = match &cluster.storage {
        Some(_) => "provider type devcloud, for development only",
        None => "none",
    };
    output::print(&format!(
        "context      kompox-dev\nkubeconfig   {kubeconfig}\nserver       {}\noperator     {operator}\ningress      {ingress} ({INGRESS_BANNER})\ndisks        {disks}\n\n{}\n\nTo use it:   export KUBECONFIG=\"{kubeconfig}\"\nTo end it:   kompoxops dev down\n",
        cluster.server.as_deref().unwrap_or_default(),
        cluster.banner(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_that_failed_is_told_from_the_state_or_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::in_folder(folder.path());
        layout.create().unwrap();
        std::fs::write(layout.supervisor_log(), "one\ntwo\n").unwrap();
        assert!(did_not_start(&layout, None).to_string().ends_with("ends with:\n  one\n  two"));
    }
}
