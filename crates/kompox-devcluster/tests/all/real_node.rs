//! The real node: what a pod on it can rely on, and that nothing of it is left behind.
//!
//! Needs root and the system's containerd and runc. Where they are missing the tests say so and pass,
//! unless `KOMPOX_REQUIRE_REAL_NODE=1` is set: then they fail.

mod footprint;
mod images;
mod network;
mod pods;
mod storage;
mod upkeep;

use crate::{
    launcher::Launcher,
    support::{self, TempCluster, apply, object, wait_for},
};
use anyhow::{Context as _, Result, ensure};
use footprint::Footprint;
use k8s_openapi::api::core::v1::{Node, Pod};
use kompox_devcluster::{
    DevCluster, Options, PartName, RealNode, State,
    kubelet::NodeSpec,
    node::{ImageFile, docker_archive, requirements},
    stop_by_state,
};
use kube::{Api, Client};
use serde_json::{Value, json};
use std::{path::Path, time::Instant};
use tokio::process::Command;

/// Everything that the pods here run: one static program.
pub(crate) const BUSYBOX: &str = "test/busybox:1";
/// Debian's package busybox-static.
const BUSYBOX_PROGRAM: &str = "/bin/busybox";
const REQUIRED: &str = "KOMPOX_REQUIRE_REAL_NODE";

/// One real node, and nothing simulated unless a test adds it.
pub(crate) fn options(options: Options) -> Options {
    Options {
        real_node: Some(RealNode {
            provider_id: "dev:///dev-a/real-1".into(),
            ..RealNode::new("real-1", "dev", "dev-a")
        }),
        nodes: Vec::new(),
        csi_drivers: Vec::new(),
        ..options
    }
}

/// Whether the test can run; says loudly why not.
pub(crate) async fn possible() -> Result<bool> {
    let Err(missing) = requirements().await else { return Ok(true) };
    ensure!(std::env::var(REQUIRED).as_deref() != Ok("1"), "{REQUIRED}=1, but: {missing}");
    eprintln!("\n=== SKIPPED: no real node is tested here ===\n{missing}\n");
    Ok(false)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_node_runs_containers_and_leaves_nothing_behind() -> Result<()> {
    if !possible().await? {
        return Ok(());
    }
    let before = footprint::kernel_settings();
    let started = Instant::now();
    let cluster = TempCluster::start(|all| {
        *all = options(std::mem::replace(all, Options::new("")));
        all.nodes = vec![NodeSpec::new("node-2", "dev", "dev-b")];
    })
    .await?;
    println!("started in {:.1} s", started.elapsed().as_secs_f64());
    for part in cluster.parts().await {
        println!("{} pid {} {} MiB", part.name, part.process.pid, support::resident_mib(part.process.pid));
    }
    let client = cluster.client();
    let footprint = Footprint::of(cluster.real_node().context("no real node")?)?;
    import_busybox(&cluster).await?;
    tokio::try_join!(
        nodes_are_told_apart(&cluster, &client),
        pods::logs_exec_and_port_forward(&cluster),
        pods::probes(&client),
        pods::security_context_and_sysctls(&client),
        network::services_and_names(&client),
        network::nothing_leads_outside(&cluster),
        storage::one_pod_at_a_time(&client),
        storage::sub_paths(&client),
        images::an_unknown_image_says_what_to_do(&client),
    )?;
    pods::a_kubelet_that_died_finds_its_pods_again(&cluster).await?;
    upkeep::the_node_comes_back(&cluster).await?;
    let stopping = Instant::now();
    let directory = cluster.stop().await?;
    println!("stopped in {:.1} s", stopping.elapsed().as_secs_f64());
    footprint.is_gone().await?;
    assert_eq!(before, footprint::kernel_settings(), "settings of the host's kernel");
    a_second_start_runs_the_pods_of_the_first(directory).await
}

/// Told apart by label and taint: a pod that asks for nothing runs for real.
async fn nodes_are_told_apart(cluster: &DevCluster, client: &Client) -> Result<()> {
    let nodes: Api<Node> = Api::all(client.clone());
    let (real, simulated) = (nodes.get("real-1").await?, nodes.get("node-2").await?);
    let label = |node: &Node, name: &str| node.metadata.labels.as_ref().and_then(|l| l.get(name).cloned());
    assert_eq!(label(&real, "kompox.dev/simulated").as_deref(), Some("false"));
    assert_eq!(label(&simulated, "kompox.dev/simulated").as_deref(), Some("true"));
    assert_eq!(label(&real, "topology.kubernetes.io/zone").as_deref(), Some("dev-a"));
    let spec = |node: Node| node.spec.unwrap_or_default();
    assert_eq!(spec(real).provider_id.as_deref(), Some("dev:///dev-a/real-1"));
    let taints = spec(simulated).taints.unwrap_or_default();
    assert!(taints.iter().any(|taint| taint.key == "kompox.dev/simulated" && taint.effect == "NoSchedule"));
    assert_eq!(cluster.banner().await, "real containers on real-1; simulated, no containers run: node-2");
    Ok(())
}

/// The containerd of the second start has the images and volumes of the first; its containers are made
/// anew.
async fn a_second_start_runs_the_pods_of_the_first(directory: tempfile::TempDir) -> Result<()> {
    let cluster = DevCluster::start(options(support::options(directory.path()))).await?;
    let pods: Api<Pod> = Api::namespaced(cluster.client(), pods::NAMESPACE);
    wait_for(&pods, pods::WEB, ready).await?;
    let node = cluster.real_node().context("no real node")?.clone();
    let footprint = Footprint::of(&node)?;
    // Without `stop`: dropping it ends every process too; what is left is removed by the next start.
    drop(cluster);
    support::eventually("the machine is gone", || async { Ok(!node.machine.alive()) }).await?;
    let simulated = Options { nodes: Vec::new(), ..support::options(directory.path()) };
    DevCluster::start(simulated).await?.stop().await?;
    footprint.is_gone().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_launcher_leaves_nothing_behind() -> Result<()> {
    if !possible().await? {
        return Ok(());
    }
    let root = tempfile::tempdir()?;
    let directory = root.path().join("cluster");
    let mut launcher = Launcher::spawn_with_real_node(&directory)?;
    let state = launcher.until_ready(&directory).await?;
    let node = state.real_node.clone().context("no real node")?;
    import_busybox_into(&node).await?;
    let client = client_of(&state).await?;
    let namespace = support::namespace(&client, "killed").await?;
    let sleeper = pod(&namespace, "sleeper", &json!({ "containers": [busybox("sleep 600")] }));
    apply(&client, sleeper).await?;
    wait_for(&Api::<Pod>::namespaced(client, &namespace), "sleeper", ready).await?;
    let footprint = Footprint::of(&node)?;
    ensure!(footprint.processes() > 5, "the pod's processes are seen");

    // SIGKILL.
    drop(launcher);
    support::eventually("every process of the node ends with the launcher", || async {
        Ok(footprint.processes() == 0 && state.parts.iter().all(|part| !part.process.alive()))
    })
    .await?;
    stop_by_state(&directory).await?;
    footprint.is_gone().await?;
    assert!(State::read(&directory)?.is_none());
    Ok(())
}

async fn client_of(state: &State) -> Result<Client> {
    let config = kube::config::Kubeconfig::read_from(&state.kubeconfig)?;
    let config = kube::Config::from_custom_kubeconfig(config, &Default::default()).await?;
    Ok(Client::try_from(config)?)
}

pub(crate) async fn import_busybox(cluster: &DevCluster) -> Result<()> {
    import_busybox_into(cluster.real_node().context("no real node")?).await
}

/// As a file, the way `kompoxops dev load` does.
async fn import_busybox_into(node: &kompox_devcluster::NodeState) -> Result<()> {
    let content = std::fs::read(BUSYBOX_PROGRAM)
        .with_context(|| format!("{BUSYBOX_PROGRAM} is missing: apt-get install -y busybox-static"))?;
    let files = ["bin/busybox", "bin/sh"].map(|path| ImageFile {
        path: path.into(),
        mode: 0o755,
        content: content.clone(),
    });
    let archive = tempfile::NamedTempFile::new()?;
    std::fs::write(archive.path(), docker_archive(BUSYBOX, &files, &["/bin/busybox"])?)?;
    node.import_file(archive.path()).await?;
    Ok(())
}

/// A container that runs a script.
pub(crate) fn busybox(script: &str) -> Value {
    json!({ "name": "main", "image": BUSYBOX, "command": ["/bin/sh", "-c", script],
        "imagePullPolicy": "Never" })
}

/// A pod that ends at once when it is told to.
pub(crate) fn pod(namespace: &str, name: &str, spec: &Value) -> Value {
    let head = json!({ "metadata": { "labels": { "app": name } },
        "spec": { "terminationGracePeriodSeconds": 0 } });
    support::merged(
        support::merged(object("v1", "Pod", namespace, name, json!({})), head),
        json!({ "spec": spec }),
    )
}

pub(crate) fn ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

pub(crate) fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

/// Runs a script as a pod to its end; returns what it printed.
pub(crate) async fn output(client: &Client, namespace: &str, name: &str, spec: Value) -> Result<String> {
    let spec = support::merged(json!({ "restartPolicy": "Never" }), spec);
    apply(client, pod(namespace, name, &spec)).await?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let ended = wait_for(&pods, name, |pod| matches!(phase(pod), "Succeeded" | "Failed")).await?;
    let log = pods.logs(name, &Default::default()).await?;
    ensure!(phase(&ended) == "Succeeded", "{name} failed: {log}");
    Ok(log)
}

/// What a command printed; it must succeed.
pub(crate) async fn printed(command: &mut Command) -> Result<String> {
    let output = command.kill_on_drop(true).output().await?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    Ok(text)
}

/// The part's process is another one than before.
async fn process_of(cluster: &DevCluster, part: PartName) -> Result<u32> {
    let parts = cluster.parts().await;
    parts.iter().find(|found| found.name == part).map(|found| found.process.pid).context("no such part")
}

/// Whether a path exists below a directory; for what must be gone.
pub(crate) fn exists(root: &Path, name: &str) -> bool {
    root.join(name.trim_start_matches('/')).exists()
}
