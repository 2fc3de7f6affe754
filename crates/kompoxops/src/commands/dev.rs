//! `kompoxops dev`: the arguments, and the choice among its commands. The cluster itself is in [`crate::dev`].

mod kubectl;
mod load;
mod logs;
mod nodes;
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

/// A Kubernetes cluster on this machine, without Docker: a real control plane, and a node that runs containers
/// where that is possible (Linux, root, containerd and runc). Otherwise its nodes are simulated: pods become Ready,
/// but no containers run.
///
/// The first start builds Kubernetes with Go, which takes minutes; later ones take seconds.
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
    /// Show its parts: version, process, port, log
    Status(status::Arguments),
    /// Print the log of a part
    Logs(logs::Arguments),
    /// Load images from archives into the real node
    Load(load::Arguments),
    /// Run kubectl, as it was built with the cluster, against it
    Kubectl(kubectl::Arguments),
    /// Print its kubeconfig
    Kubeconfig(KubeconfigArguments),
    /// Run the cluster in this process; started by `up`
    #[command(hide = true)]
    Supervise(nodes::NodeArguments),
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
        Command::Logs(arguments) => logs::run(&layout, arguments).await,
        Command::Load(arguments) => load::run(&layout, arguments).await,
        Command::Kubectl(arguments) => kubectl::run(&layout, arguments).await,
        Command::Kubeconfig(arguments) => kubeconfig(&layout, arguments),
        Command::Supervise(arguments) => {
            let nodes = arguments.choose().await?.nodes;
            supervisor::run(supervisor::Settings { layout, nodes }).await
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
