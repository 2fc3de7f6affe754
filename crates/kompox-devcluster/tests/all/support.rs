//! What the scenarios share: a cluster in a temporary directory, and waiting for conditions.

use anyhow::{Context as _, Result, bail};
use kompox_devcluster::{DevCluster, Options, Reporter};
use kube::{
    Api, Client, Discovery,
    api::{DynamicObject, Patch, PatchParams},
    core::{ApiResource, GroupVersionKind},
    discovery::Scope,
};
use serde_json::{Value, json};
use std::{
    fmt::Debug,
    future::Future,
    ops::Deref,
    path::Path,
    time::{Duration, Instant},
};

/// For a machine that builds something else at the same time.
const LIMIT: Duration = Duration::from_secs(60);

/// Options of every cluster here; its steps are printed.
pub(crate) fn options(directory: &Path) -> Options {
    Options { reporter: Reporter::new(|step| println!("  {step}")), ..Options::new(directory) }
}

/// A cluster and its directory, which goes when the test ends.
pub(crate) struct TempCluster {
    cluster: DevCluster,
    directory: tempfile::TempDir,
}

impl TempCluster {
    pub(crate) async fn start(change: impl FnOnce(&mut Options)) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut options = options(directory.path());
        change(&mut options);
        Ok(Self { cluster: DevCluster::start(options).await?, directory })
    }

    /// Stops the cluster and hands back the directory with its data.
    pub(crate) async fn stop(self) -> Result<tempfile::TempDir> {
        self.cluster.stop().await?;
        Ok(self.directory)
    }
}

impl Deref for TempCluster {
    type Target = DevCluster;

    fn deref(&self) -> &DevCluster {
        &self.cluster
    }
}

/// Polls until `done`, with a deadline. An error of the API server counts as "not yet".
pub(crate) async fn eventually<F, Fut>(what: &str, mut done: F) -> Result<()>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<bool>>,
{
    let deadline = Instant::now() + LIMIT;
    loop {
        let last = done().await;
        if matches!(last, Ok(true)) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            bail!("not within {} s: {what} ({last:?})", LIMIT.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the object exists and `done` holds for it; returns it.
pub(crate) async fn wait_for<K>(api: &Api<K>, name: &str, done: impl Fn(&K) -> bool) -> Result<K>
where
    K: Clone + Debug + serde::de::DeserializeOwned,
{
    let deadline = Instant::now() + LIMIT;
    loop {
        let last = api.get_opt(name).await;
        if let Ok(Some(object)) = &last
            && done(object)
        {
            return Ok(object.clone());
        }
        if Instant::now() >= deadline {
            bail!("not within {} s: {name}, now {last:?}", LIMIT.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A new namespace in which pods are admitted.
pub(crate) async fn namespace(client: &Client, name: &str) -> Result<String> {
    let api: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(client.clone());
    let namespace = serde_json::from_value(json!({ "metadata": { "name": name } }))?;
    api.create(&Default::default(), &namespace).await?;
    let accounts: Api<k8s_openapi::api::core::v1::ServiceAccount> = Api::namespaced(client.clone(), name);
    wait_for(&accounts, "default", |_| true).await?;
    Ok(name.to_owned())
}

/// `more` with its head.
pub(crate) fn object(api_version: &str, kind: &str, namespace: &str, name: &str, more: Value) -> Value {
    let head = json!({ "apiVersion": api_version, "kind": kind,
        "metadata": { "name": name, "namespace": namespace } });
    merged(head, more)
}

/// `over` laid over `base`, map by map.
pub(crate) fn merged(base: Value, over: Value) -> Value {
    match (base, over) {
        (Value::Object(mut base), Value::Object(over)) => {
            for (key, value) in over {
                let below = base.remove(&key).unwrap_or(Value::Null);
                base.insert(key, merged(below, value));
            }
            Value::Object(base)
        }
        (_, over) => over,
    }
}

/// Server-side apply of any object.
pub(crate) async fn apply(client: &Client, object: Value) -> Result<()> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let (version, kind) = (text("/apiVersion").context("version")?, text("/kind").context("kind")?);
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let gvk = GroupVersionKind::gvk(group, version, kind);
    let (resource, capabilities): (ApiResource, _) = Discovery::new(client.clone())
        .filter(&[group])
        .run()
        .await?
        .resolve_gvk(&gvk)
        .context("unknown kind")?;
    let api: Api<DynamicObject> = match (capabilities.scope, text("/metadata/namespace")) {
        (Scope::Namespaced, Some(namespace)) => Api::namespaced_with(client.clone(), namespace, &resource),
        _ => Api::all_with(client.clone(), &resource),
    };
    let name = text("/metadata/name").context("name")?;
    api.patch(name, &PatchParams::apply("test"), &Patch::Apply(&object)).await?;
    Ok(())
}

/// Resident memory of a process.
pub(crate) fn resident_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}
