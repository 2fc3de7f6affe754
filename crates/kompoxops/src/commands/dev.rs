//! `kompoxops dev`: the arguments, and the choice among its commands. The cluster itself is in [`crate::dev`].

mod status;
mod up;

use clap::{Args, Subcommand};
use kompox_devcluster::State as ClusterState;

use crate::console::{Activity, note};
use crate::dev::layout::Layout;
use crate::dev::state::{self, State};
use crate::dev::{failed, supervisor};
use crate::failure::Failure;
use crate::output;

/// A real etcd, kube-apiserver, controller manager and scheduler on this machine, with simulated nodes: pods
/// become Ready, but no containers run. No Docker needed.
///
/// The first start builds the control plane with Go, which takes minutes; later ones take seconds.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops dev up
  export KUBECONFIG=\"$(kompoxops dev kubeconfig --path)\"
  kubectl get nodes
  kompoxops dev down";

#[derive(Debug, Subcommand)]
enum Command {
    /// Start it, or attach to the one that runs
    Up(up::Arguments),
    /// End all its processes and remove its data
    Down,
    /// Show its parts: process, port, log
    Status(status::Arguments),
    /// Print its kubeconfig
    Kubeconfig(KubeconfigArguments),
    /// Run the cluster in this process; started by `up`
    #[command(hide = true)]
    Supervise(up::Nodes),
}

#[derive(Debug, Args)]
struct KubeconfigArguments {
    /// Print the file's path instead of its content
    #[arg(long)]
    path: bool,
}

/// Runs the command.
///
/// # Errors
/// What the command says.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let layout = Layout::of_user()?;
    match &arguments.command {
        Command::Up(arguments) => up::run(&layout, arguments).await,
        Command::Down => down(&layout).await,
        Command::Status(arguments) => status::run(&layout, arguments),
        Command::Kubeconfig(arguments) => kubeconfig(&layout, arguments),
        Command::Supervise(nodes) => {
            supervisor::run(supervisor::Settings { layout, nodes: nodes.specifications()? }).await
        }
    }
}

async fn down(layout: &Layout) -> Result<(), Failure> {
    let activity = Activity::start("ending the development cluster");
    let ended = state::end_all(layout).await?;
    layout.remove()?;
    drop(activity);
    note(if ended { "the development cluster is gone" } else { "no development cluster was running" });
    Ok(())
}

fn kubeconfig(layout: &Layout, arguments: &KubeconfigArguments) -> Result<(), Failure> {
    let (_, cluster) = running(layout)?;
    let path = cluster.kubeconfig;
    if arguments.path {
        return output::print(&format!("{}\n", path.display()));
    }
    let text = std::fs::read_to_string(&path).map_err(|source| Failure::ReadFile { path, source })?;
    output::print(&text)
}

/// The states of a cluster that is ready.
fn running(layout: &Layout) -> Result<(State, ClusterState), Failure> {
    let supervisor = State::read(layout)?.filter(State::alive);
    let cluster = ClusterState::read(&layout.cluster()).map_err(|error| failed(&error))?;
    match (supervisor, cluster) {
        (Some(supervisor), Some(cluster)) if supervisor.ready => Ok((supervisor, cluster)),
        (Some(supervisor), _) => {
            Err(Failure::NotRunning { state: format!("is not ready: {}", supervisor.phase) })
        }
        _ => Err(Failure::NotRunning { state: "does not run; start it with `kompoxops dev up`".into() }),
    }
}
