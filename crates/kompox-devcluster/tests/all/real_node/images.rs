//! Images that are not on the node: fetched through the host when that was asked for, and otherwise a message that
//! says what to do.

use super::{BUSYBOX, busybox, import_busybox, options, output, pod, possible, printed, upkeep};
use crate::support::{TempCluster, apply, merged, namespace, wait_for};
use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Pod;
use kompox_devcluster::{NodeState, Options, Reporter, go, node::CONTAINERD_SOCKET};
use kube::{Api, Client};
use serde_json::{Value, json};
use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::process::{Child, Command};

/// Inside the node.
const AUTHORITY: &str = "/var/lib/kompox/registry.crt";

/// A container of an image that has to be fetched.
fn of_image(image: &str, script: &str) -> Value {
    merged(busybox(script), json!({ "image": image, "imagePullPolicy": "IfNotPresent" }))
}

pub(super) async fn an_unknown_image_says_what_to_do(client: &Client) -> Result<()> {
    let namespace = namespace(client, "images").await?;
    let spec = json!({ "containers": [of_image("registry.example/absent:1", "true")] });
    apply(client, pod(&namespace, "absent", &spec)).await?;
    let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
    wait_for(&pods, "absent", |pod| {
        let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
        let waiting = statuses.and_then(|list| list.first()?.state.as_ref()?.waiting.as_ref());
        let message = waiting.and_then(|waiting| waiting.message.as_deref()).unwrap_or_default();
        message.contains("`kompoxops dev load FILE.tar`") && message.contains("`kompoxops dev up --pull`")
    })
    .await
    .map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_are_fetched_when_asked_for() -> Result<()> {
    if !possible().await? {
        return Ok(());
    }
    let cluster = TempCluster::start(|all| {
        *all = options(std::mem::replace(all, Options::new("")));
        if let Some(node) = &mut all.real_node {
            node.pull = true;
        }
    })
    .await?;
    let node = cluster.real_node().context("no real node")?.clone();
    import_busybox(&cluster).await?;
    let registry = Registry::start(&node).await?;
    let image = format!("{}/test/busybox:1", registry.address);
    move_image(&node, &image).await?;
    let client = cluster.client();
    let namespace = namespace(&client, "images").await?;
    let spec = json!({ "containers": [of_image(&image, "echo fetched")] });
    assert_eq!(output(&client, &namespace, "fetched", spec).await?, "fetched\n");
    upkeep::the_machine_does_not_come_back(&cluster).await?;
    cluster.stop().await.map(drop)
}

/// Pushes the image that the node has to a registry, and takes it from the node.
async fn move_image(node: &NodeState, image: &str) -> Result<()> {
    let ctr = |arguments: &[&str]| -> Result<Command> {
        let mut command = node.enter("ctr")?;
        command.args(["--address", CONTAINERD_SOCKET, "--namespace", "k8s.io", "images"]).args(arguments);
        Ok(command)
    };
    let known = format!("docker.io/{BUSYBOX}");
    printed(&mut ctr(&["tag", &known, image])?).await?;
    printed(&mut ctr(&["push", "--tlscacert", AUTHORITY, image])?).await?;
    printed(&mut ctr(&["remove", "--sync", &known, image])?).await?;
    let left = printed(&mut ctr(&["list", "--quiet"])?).await?;
    ensure!(!left.contains("busybox"), "the image is still on the node: {left}");
    Ok(())
}

/// The reference implementation of a registry, with TLS, at the host's end of the node's cable.
struct Registry {
    address: SocketAddr,
    _process: Child,
    _directory: tempfile::TempDir,
}

impl Registry {
    async fn start(node: &NodeState) -> Result<Self> {
        let reporter = Reporter::new(|step| println!("  {step}"));
        let program = go::REGISTRY.programs(&reporter).await?.directory.join("registry");
        let address = TcpListener::bind((node.host_address, 0))?.local_addr()?;
        let directory = tempfile::tempdir()?;
        let path = |name: &str| directory.path().join(name);
        let made = rcgen::generate_simple_self_signed(vec![node.host_address.to_string()])?;
        fs::write(path("tls.crt"), made.cert.pem())?;
        fs::write(path("tls.key"), made.signing_key.serialize_pem())?;
        let configuration = json!({
            "version": "0.1", "storage": { "filesystem": { "rootdirectory": path("data") } },
            "http": { "addr": address.to_string(), "secret": "of the tests",
                "tls": { "certificate": path("tls.crt"), "key": path("tls.key") } },
        });
        fs::write(path("config.yaml"), configuration.to_string())?;
        trust(node, address, &made.cert.pem())?;
        let log = fs::File::create(path("log"))?;
        let process = Command::new(program)
            .arg("serve")
            .arg(path("config.yaml"))
            .stdout(log.try_clone()?)
            .stderr(log)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let deadline = Instant::now() + Duration::from_secs(60);
        while tokio::net::TcpStream::connect(address).await.is_err() {
            let log = || fs::read_to_string(path("log")).unwrap_or_default();
            ensure!(Instant::now() < deadline, "the registry does not listen: {}", log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { address, _process: process, _directory: directory })
    }
}

/// As containerd documents it for registries with an authority of their own.
fn trust(node: &NodeState, registry: SocketAddr, certificate: &str) -> Result<()> {
    let outside = |path: &str| node.host_path(Path::new(path)).context("no path of the node's own");
    fs::write(outside(AUTHORITY)?, certificate)?;
    let directory = outside("/var/lib/kompox/certs.d")?.join(registry.to_string());
    fs::create_dir_all(&directory)?;
    let hosts =
        format!("server = \"https://{registry}\"\n[host.\"https://{registry}\"]\n  ca = \"{AUTHORITY}\"\n");
    fs::write(directory.join("hosts.toml"), hosts)?;
    Ok(())
}
