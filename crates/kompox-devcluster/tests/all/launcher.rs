//! A launcher that dies or is stopped from outside. The launcher is this very test binary, started
//! again with [`launcher_process`] as its only test and a directory in the environment.

use crate::{real_node, storage, support};
use anyhow::{Result, bail, ensure};
use kompox_devcluster::{DevCluster, State, stop_by_state};
use kube::{Api, api::ListParams};
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const DIRECTORY: &str = "KOMPOX_TEST_LAUNCHER_DIRECTORY";
/// Asks for a real node.
const REAL_NODE: &str = "KOMPOX_TEST_LAUNCHER_REAL_NODE";
/// Asks for storage.
const STORAGE: &str = "KOMPOX_TEST_LAUNCHER_STORAGE";

/// A loaded machine may need minutes, of which each part gets two.
const START_LIMIT: Duration = Duration::from_secs(600);

/// Does nothing unless it was started by one of the tests below.
#[tokio::test]
async fn launcher_process() -> Result<()> {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return Ok(()) };
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut options = support::options(Path::new(&directory));
    if std::env::var_os(REAL_NODE).is_some() {
        options = real_node::options(options);
    }
    if std::env::var_os(STORAGE).is_some() {
        options.storage = Some(storage::storage()?);
    }
    let cluster = DevCluster::start(options).await?;
    tokio::select! {
        error = cluster.keep_up() => return Err(error.into()),
        _ = terminated.recv() => {}
    }
    cluster.stop().await?;
    Ok(())
}

/// Removed from the process table even if the test fails halfway.
pub(crate) struct Launcher(Child);

impl Launcher {
    fn spawn(directory: &Path) -> Result<Self> {
        Ok(Self(Self::command(directory)?.spawn()?))
    }

    pub(crate) fn spawn_with_real_node(directory: &Path) -> Result<Self> {
        Ok(Self(Self::command(directory)?.env(REAL_NODE, "1").spawn()?))
    }

    pub(crate) fn spawn_with_storage(directory: &Path) -> Result<Self> {
        Ok(Self(Self::command(directory)?.env(STORAGE, "1").spawn()?))
    }

    fn command(directory: &Path) -> Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            // What it fails with goes to standard error, uncaptured.
            .args(["launcher::launcher_process", "--exact", "--nocapture"])
            .env(DIRECTORY, directory)
            .stdout(Stdio::null());
        Ok(command)
    }

    /// Waits for its cluster for as long as it is at it: how long a start may take, it knows itself.
    pub(crate) async fn until_ready(&mut self, directory: &Path) -> Result<State> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let state = State::read(directory)?;
            if let Some(state) = state.as_ref().filter(|state| state.ready && state.alive()) {
                return Ok(state.clone());
            }
            if let Some(status) = self.0.try_wait()? {
                bail!("the launcher ended with {status} before its cluster was ready");
            }
            ensure!(Instant::now() < deadline, "the launcher's cluster is not ready: {state:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_stopped_from_outside() -> Result<()> {
    let root = tempfile::tempdir()?;
    let directory = root.path().join("cluster");
    let mut launcher = Launcher::spawn(&directory)?;
    let state = launcher.until_ready(&directory).await?;
    drop(launcher);
    support::eventually("the parts end with their launcher", || async {
        Ok(state.parts.iter().all(|part| !part.process.alive()))
    })
    .await?;
    assert!(State::read(&directory)?.is_some_and(|left| !left.alive()), "the state is stale");

    // The next start takes the directory over; then it is stopped by someone else.
    let mut launcher = Launcher::spawn(&directory)?;
    support::eventually("the directory has a new launcher", || async {
        Ok(State::read(&directory)?.is_some_and(|new| new.launcher != state.launcher))
    })
    .await?;
    let state = launcher.until_ready(&directory).await?;
    let config = kube::config::Kubeconfig::read_from(&state.kubeconfig)?;
    let config = kube::Config::from_custom_kubeconfig(config, &Default::default()).await?;
    let nodes: Api<k8s_openapi::api::core::v1::Node> = Api::all(kube::Client::try_from(config)?);
    assert_eq!(nodes.list(&ListParams::default()).await?.items.len(), 3);
    // A child that is not waited for stays a zombie; a zombie counts as gone.
    assert!(stop_by_state(&directory).await?);
    assert!(!state.launcher.alive() && state.parts.iter().all(|part| !part.process.alive()));
    assert!(!stop_by_state(&directory).await?, "nothing is left to stop");
    drop(launcher);
    Ok(())
}

/// Programs that do not watch their launcher (those of `KUBEBUILDER_ASSETS`) survive it. Simulated by
/// a state file that names a live process which is no child of the cluster.
#[tokio::test]
async fn survivors_of_a_killed_launcher_are_ended() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut survivor = Launcher(Command::new("sleep").arg("600").spawn()?);
    let mut bystander = Launcher(Command::new("sleep").arg("600").spawn()?);
    let id = |child: &Launcher| kompox_devcluster::process::ProcessId::of(child.0.id());
    let (ours, mut reused) = (id(&survivor)?, id(&bystander)?);
    // The number of a part that ended long ago and now belongs to someone else.
    reused.start_ticks -= 1;
    let part = |name: &str, process| serde_json::json!({ "name": name, "version": "", "process": process, "log": "x", "port": null });
    let gone = kompox_devcluster::process::ProcessId { start_ticks: 1, ..ours.clone() };
    let state = serde_json::json!({ "launcher": gone, "ready": true, "server": null, "kubeconfig": "x",
        "simulatedNodes": [], "parts": [part("etcd", &ours), part("kube-apiserver", &reused)] });
    std::fs::write(directory.path().join("state.json"), state.to_string())?;
    assert!(stop_by_state(directory.path()).await?);
    assert!(!ours.alive());
    assert!(survivor.0.try_wait()?.is_some());
    assert!(bystander.0.try_wait()?.is_none(), "a process that is not ours was ended");
    Ok(())
}
