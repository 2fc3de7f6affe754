//! The whole cluster, run for real: what its users rely on. One cluster serves all scenarios that do
//! not stop it; they run side by side in namespaces of their own.
//!
//! The first run on a machine builds the control plane, which takes minutes.

mod ingress;
mod launcher;
mod real_node;
mod storage;
mod support;
mod upkeep;
mod volumes;
mod workloads;

use anyhow::{Context as _, Result};
use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::{ConfigMap, Node, ServiceAccount},
};
use kompox_devcluster::{DevCluster, Options, PartName, State};
use kube::{
    Api, Client, Config,
    api::{ListParams, PostParams},
};
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::{os::unix::fs::PermissionsExt as _, time::Instant};
use support::{TempCluster, object, options};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_from_start_to_stop() -> Result<()> {
    let started = Instant::now();
    let cluster = TempCluster::start(|_| {}).await?;
    println!("started in {:.1} s from {}", started.elapsed().as_secs_f64(), cluster.source());
    for part in cluster.parts().await {
        println!("{} pid {} {} MiB", part.name, part.process.pid, support::resident_mib(part.process.pid));
    }
    let client = cluster.client();
    tokio::try_join!(
        directory_is_private_and_found_by_others(&cluster),
        nodes_are_as_asked(&client),
        service_accounts_get_tokens_and_rbac_holds(&cluster),
        workloads::deployment(&client),
        workloads::stateful_set(&client),
        workloads::jobs(&client),
        workloads::faults_on_request(&client),
        workloads::finalizer_sees_terminated_containers(&client),
        workloads::deleted_before_it_started(&client),
        volumes::attach_use_and_detach(&client),
        ingress::everything(&client),
    )?;
    workloads::hundreds_of_pods(&client).await?;
    parts_can_be_killed_and_restarted(&cluster).await?;
    a_second_start_in_the_same_directory_is_refused(&cluster).await?;

    let (directory, parts) = (cluster.directory().to_owned(), cluster.parts().await);
    let stopping = Instant::now();
    let kept = cluster.stop().await?;
    println!("stopped in {:.1} s", stopping.elapsed().as_secs_f64());
    assert!(parts.iter().all(|part| !part.process.alive()), "{parts:?}");
    assert!(State::read(&directory)?.is_none());
    data_survives_a_stop(kept).await
}

async fn directory_is_private_and_found_by_others(cluster: &DevCluster) -> Result<()> {
    let mode = |path| std::fs::metadata(path).map(|data| data.permissions().mode() & 0o777);
    assert_eq!(mode(cluster.directory())?, 0o700);
    assert_eq!(mode(&cluster.kubeconfig_path())?, 0o600);
    let state = State::read(cluster.directory())?.context("no state")?;
    assert!(state.ready && state.real_node.is_none() && state.alive());
    assert_eq!(state.simulated_nodes, ["node-a", "node-b", "node-c"]);
    assert_eq!(state.launcher.pid, std::process::id());
    assert_eq!(state.parts, cluster.parts().await);

    let text = std::fs::read_to_string(&state.kubeconfig)?;
    assert_eq!(text, cluster.kubeconfig_text().expose_secret());
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&text)?;
    assert_eq!(kubeconfig.current_context.as_deref(), Some("kompox-dev"));
    let config = Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?;
    let version = Client::try_from(config)?.apiserver_version().await?;
    assert!(version.git_version.starts_with("v1."), "{}", version.git_version);
    Ok(())
}

async fn nodes_are_as_asked(client: &Client) -> Result<()> {
    let nodes: Api<Node> = Api::all(client.clone());
    let nodes = nodes.list(&ListParams::default().labels("kompox.dev/simulated=true")).await?;
    let zones: Vec<_> = nodes
        .iter()
        .filter_map(|node| node.metadata.labels.as_ref()?.get("topology.kubernetes.io/zone").cloned())
        .collect();
    assert_eq!(zones, ["us-west-2a", "us-west-2b", "us-west-2c"]);
    Ok(())
}

async fn service_accounts_get_tokens_and_rbac_holds(cluster: &DevCluster) -> Result<()> {
    let client = cluster.client();
    let namespace = support::namespace(&client, "rbac").await?;
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), &namespace);
    let request = TokenRequest { spec: Some(TokenRequestSpec::default()), ..TokenRequest::default() };
    let answer = accounts.create_token_request("default", &PostParams::default(), &request).await?;
    let mut config = cluster.config().clone();
    config.auth_info.token = Some(answer.status.and_then(|status| status.token).context("no token")?.into());
    let limited: Api<ConfigMap> = Api::namespaced(Client::try_from(config)?, &namespace);

    let refused = limited.list(&ListParams::default()).await;
    assert!(matches!(&refused, Err(kube::Error::Api(status)) if status.code == 403), "{refused:?}");
    let rbac = |kind: &str, more: serde_json::Value| {
        object("rbac.authorization.k8s.io/v1", kind, &namespace, "reader", more)
    };
    let rules = json!({ "rules": [{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"] }] });
    support::apply(&client, rbac("Role", rules)).await?;
    let binding = json!({
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader" },
        "subjects": [{ "kind": "ServiceAccount", "name": "default", "namespace": namespace }],
    });
    support::apply(&client, rbac("RoleBinding", binding)).await?;
    support::eventually("the account may list", || async {
        Ok(limited.list(&ListParams::default()).await.is_ok())
    })
    .await
}

async fn parts_can_be_killed_and_restarted(cluster: &DevCluster) -> Result<()> {
    let client = cluster.client();
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    let before = cluster.config().cluster_url.clone();
    for part in [PartName::ApiServer, PartName::ControllerManager] {
        cluster.kill_part(part).await?;
        if part == PartName::ApiServer {
            assert!(maps.list(&ListParams::default()).await.is_err(), "the API server is down");
        }
        cluster.restart_part(part).await?;
    }
    assert_eq!(before, cluster.config().cluster_url);
    // Every watch was cut: pods must run all the same.
    workloads::a_pod_runs(&client, "after-restart").await
}

async fn a_second_start_in_the_same_directory_is_refused(cluster: &DevCluster) -> Result<()> {
    let started = DevCluster::start(options(cluster.directory())).await;
    let error = started.err().context("two clusters in one directory")?;
    let text = format!("{:#}", anyhow::Error::new(error));
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    assert!(State::read(cluster.directory())?.is_some_and(|state| state.alive()));
    Ok(())
}

/// The second start makes no nodes: those it finds are the first one's.
async fn data_survives_a_stop(directory: tempfile::TempDir) -> Result<()> {
    let cluster = DevCluster::start(Options { nodes: Vec::new(), ..options(directory.path()) }).await?;
    let nodes: Api<Node> = Api::all(cluster.client());
    assert_eq!(nodes.list(&ListParams::default()).await?.items.len(), 3);
    let parts = cluster.parts().await;
    // Without `stop`: dropping it must not leave processes behind either.
    drop(cluster);
    support::eventually("the parts are gone", || async { Ok(parts.iter().all(|part| !part.process.alive())) })
        .await
}
