//! The process that owns a development cluster: starts all parts, says how far it is, waits to be told to end,
//! and ends all parts. In the background it is this same program, started again.

use std::fs::{File, TryLockError};
use std::path::Path;

use kompox_devcluster::kubelet::{CsiDriverSpec, NodeSpec};
use kompox_devcluster::process::ProcessId;
use kompox_devcluster::{
    DevCluster, DevIngress, IngressOptions, Options, Progress, RealNode, Reporter, Storage,
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::layout::Layout;
use super::operator::{self, Operator};
use super::state::{IngressState, State};
use super::{disks, failed, install};
use crate::cluster::Cluster;
use crate::console::note;
use crate::failure::Failure;

/// What is started.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where its files are.
    pub layout: Layout,
    /// On what the pods are.
    pub nodes: Nodes,
}

/// The nodes of a cluster.
#[derive(Clone, Debug)]
pub struct Nodes {
    /// The one whose containers run, if there is one.
    pub real: Option<RealNode>,
    /// Those on which no containers run.
    pub simulated: Vec<NodeSpec>,
    /// The CSI drivers that are simulated on those.
    pub csi_drivers: Vec<CsiDriverSpec>,
    /// Disks of devcloud, if there are to be any.
    pub storage: Option<Storage>,
}

/// Runs until SIGTERM or SIGINT. A part that ends by itself is started again, unless it ends too often.
///
/// # Errors
/// When another supervisor owns the folder, something does not start, or a part ended too often.
pub async fn run(settings: Settings) -> Result<(), Failure> {
    let layout = settings.layout.clone();
    layout.create()?;
    // Held to the end of this process, however it ends, so it cannot become stale.
    let _lock = lock(&layout)?;
    let mut ends = Ends::listen()?;
    let current = ProcessId::current().map_err(|error| failed(&error))?;
    let mut state = State::starting(current);
    state.write(&layout)?;
    let outcome = supervise(settings, &mut state, &mut ends).await;
    if let Err(failure) = &outcome {
        state.failure = Some(match failure {
            Failure::Dev(text) => text.clone(),
            other => other.to_string(),
        });
        state.ready = false;
        state.write(&layout)?;
    } else {
        // Nothing runs any more: the next `status` shall not speak of us.
        State::forget(&layout)?;
    }
    outcome
}

fn lock(layout: &Layout) -> Result<File, Failure> {
    let file = File::create(layout.lock_file()).map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Failure::Dev(format!("another supervisor runs in {}", layout.root().display())))
        }
        Err(TryLockError::Error(error)) => Err(failed(&error)),
    }
}

async fn supervise(settings: Settings, state: &mut State, ends: &mut Ends) -> Result<(), Failure> {
    let layout = settings.layout.clone();
    let cluster = tokio::select! {
        started = start(settings, state) => started?,
        // Dropping the start kills what it has started so far.
        () = ends.asked() => return Ok(()),
    };
    let result = attend(&cluster, &layout, state, ends).await;
    let stopped = cluster.stop().await.map_err(|error| failed(&error));
    result.and(stopped)
}

/// Starts the control plane while its progress goes to the state file.
async fn start(settings: Settings, state: &mut State) -> Result<DevCluster, Failure> {
    let (sender, mut receiver) = watch::channel(state.phase.clone());
    let mut options = Options::new(settings.layout.cluster());
    options.real_node = settings.nodes.real;
    options.nodes = settings.nodes.simulated;
    options.csi_drivers = settings.nodes.csi_drivers;
    options.storage = settings.nodes.storage;
    // A watch keeps the latest only: a build of a thousand lines must not queue up.
    options.reporter = Reporter::new(move |progress| {
        // After the start nobody looks at the phase, but whoever reads the log.
        if matches!(progress, Progress::Ended { .. }) {
            note(progress.to_string());
        }
        sender.send_replace(progress.to_string());
    });
    let starting = DevCluster::start(options);
    tokio::pin!(starting);
    loop {
        tokio::select! {
            started = &mut starting => return started.map_err(|error| failed(&error)),
            Ok(()) = receiver.changed() => {
                let phase = receiver.borrow_and_update().clone();
                progress(state, &settings.layout, phase)?;
            }
        }
    }
}

fn progress(state: &mut State, layout: &Layout, phase: String) -> Result<(), Failure> {
    note(&phase);
    state.phase = phase;
    state.write(layout)
}

/// Everything after the control plane is up, until the end.
async fn attend(
    cluster: &DevCluster,
    layout: &Layout,
    state: &mut State,
    ends: &mut Ends,
) -> Result<(), Failure> {
    progress(state, layout, "installing the CRDs".into())?;
    let objects = Cluster { client: cluster.client(), namespace: "default".into() };
    install::run(&objects).await?;
    let storage = cluster.storage().await;
    if let Some(storage) = &storage {
        progress(state, layout, "installing the driver of devcloud".into())?;
        disks::install(&objects, storage).await?;
    }
    progress(state, layout, "starting the development ingress".into())?;
    let options = IngressOptions::new(layout.root().join("ingress"));
    let ingress = DevIngress::start(cluster.client(), options).await.map_err(|error| failed(&error))?;
    state.ingress = Some(IngressState::of(&ingress));
    let network = storage.as_ref().and_then(disks::network);
    let mut operator = start_operator(&cluster.kubeconfig_path(), network.as_deref(), layout, state)?;
    state.ready = true;
    progress(state, layout, "ready".into())?;
    let keeping = cluster.keep_up();
    tokio::pin!(keeping);
    let result = loop {
        tokio::select! {
            () = ends.asked() => break Ok(()),
            error = &mut keeping => break Err(failed(&error)),
            // The cluster stays: someone may want to look, or run an operator of their own against it.
            how = operator_ended(operator.as_mut()) => {
                operator = None;
                state.operator = None;
                state.operator_missing = Some(how);
                state.write(layout)?;
            }
        }
    };
    ingress.stop().await;
    if let Some(mut operator) = operator {
        end_operator(&mut operator).await?;
    }
    result
}

fn start_operator(
    kubeconfig: &Path,
    network: Option<&str>,
    layout: &Layout,
    state: &mut State,
) -> Result<Option<Operator>, Failure> {
    match operator::find() {
        Ok(program) => {
            progress(state, layout, format!("starting {}", program.display()))?;
            let operator = operator::start(&program, kubeconfig, network, layout)?;
            state.operator = Some(operator.state.clone());
            Ok(Some(operator))
        }
        Err(why) => {
            state.operator_missing = Some(why);
            Ok(None)
        }
    }
}

/// How the operator ended; never resolves without one.
async fn operator_ended(operator: Option<&mut Operator>) -> String {
    let Some(operator) = operator else { return std::future::pending().await };
    let how = match operator.child.wait().await {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    let text = format!("it ended ({how}); its log is {}", operator.state.log.display());
    note(format!("operator: {text}"));
    text
}

async fn end_operator(operator: &mut Operator) -> Result<(), Failure> {
    let grace = std::time::Duration::from_secs(15);
    // The child is ours to reap: a zombie counts as ended.
    operator.state.process.end(grace).await.map_err(|error| failed(&error))?;
    operator.child.wait().await.map_err(|error| failed(&error))?;
    Ok(())
}

/// The signals that ask for an end; a closed terminal is none of them.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Ends {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| failed(&error));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn asked(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => {}
            }
        }
    }
}
