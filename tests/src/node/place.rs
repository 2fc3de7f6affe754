//! One scenario's own place: a namespace, the driver `devcloud` in it, and an operator that looks after that
//! namespace only.

use super::{
    PATIENCE,
    file::{App, Disk},
    stage::{NodeStage, ZONE},
};
use crate::{objects, operator::Operator, scene::is};
use anyhow::{Context as _, Result, ensure};
use k8s_openapi::{
    ByteString,
    api::core::v1::{ConfigMap, Namespace},
};
use kompox_crds::v1alpha1::KompoxDriver;
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, ObjectMeta, PostParams},
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Of the KompoxDriver's component, and of the Secret with devcloud's token.
const NAME: &str = "devcloud";
/// What the API server holds the pods of a namespace to.
const POD_SECURITY: &str = "pod-security.kubernetes.io/enforce";

pub(super) struct Place<'a> {
    pub(super) stage: &'a NodeStage,
    pub(super) namespace: String,
    operator: Option<Operator>,
    log: PathBuf,
}

impl<'a> Place<'a> {
    /// Makes the namespace and starts the operator; returns when the driver is ready.
    pub(super) async fn open(stage: &'a NodeStage, name: &str, pod_security: Option<&str>) -> Result<Self> {
        let namespace = format!("s-{name}");
        let log = stage.directory().join(format!("operator-{name}.log"));
        let mut place = Self { stage, namespace, operator: None, log };
        let labels = pod_security.map(|level| [(POD_SECURITY.to_owned(), level.to_owned())].into());
        let name = Some(place.namespace.clone());
        let metadata = ObjectMeta { name, labels, ..ObjectMeta::default() };
        let api: Api<Namespace> = Api::all(place.client());
        api.create(&PostParams::default(), &Namespace { metadata, ..Namespace::default() }).await?;
        place.start_operator().await?;
        place.install_driver().await?;
        Ok(place)
    }

    pub(super) fn client(&self) -> Client {
        self.stage.cluster.client()
    }

    pub(super) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::namespaced(self.client(), &self.namespace)
    }

    /// As a third party's: a component in a ConfigMap, with a granted egress.
    async fn install_driver(&self) -> Result<()> {
        let path = self.stage.programs.examples.join("devcloud.wasm");
        let bytes = std::fs::read(&path).with_context(|| format!("failed to read {}", path.display()))?;
        let component = ConfigMap {
            metadata: ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() },
            binary_data: Some([("driver.wasm".to_owned(), ByteString(bytes))].into()),
            ..ConfigMap::default()
        };
        self.api::<ConfigMap>().create(&PostParams::default(), &component).await?;
        let driver = json!({
            "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxDriver",
            "metadata": { "name": self.namespace, "labels": { "kompox-test": self.namespace } },
            "spec": { "source": { "configMapRef": { "name": NAME } }, "egress": { "mode": "Declared" } },
        });
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": NAME },
            "stringData": { "token": self.stage.token.expose_secret() },
        });
        self.apply(&[driver, secret]).await?;
        let ready = |driver: &KompoxDriver| is(driver, "Ready", "status", "True");
        objects::wait_for(&Api::<KompoxDriver>::all(self.client()), &self.namespace, PATIENCE, ready).await?;
        Ok(())
    }

    pub(super) async fn apply(&self, objects: &[Value]) -> Result<()> {
        for object in objects {
            objects::apply(&self.client(), &self.namespace, &object.to_string()).await?;
        }
        Ok(())
    }

    /// The KompoxDisk that a scenario gives. Its cloud disk goes with it.
    pub(super) fn disk(&self, name: &str, disk: &Disk) -> Value {
        let mut object = json!({
            "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxDisk", "metadata": { "name": name },
            "spec": {
                "provider": {
                    "type": NAME, "credentialsSecretRef": { "name": NAME },
                    "config": { "endpoint": format!("{}/", self.stage.storage.trim_end_matches('/')) },
                },
                "zone": ZONE, "deletionPolicy": "Delete", "trashRetentionSeconds": 0,
            },
        });
        if let Some(size) = &disk.size {
            object["spec"]["size"] = size.as_str().into();
        }
        if let Some(snapshot) = &disk.restore {
            object["spec"]["source"] = json!({ "snapshotRef": { "name": snapshot } });
        }
        object
    }

    pub(super) async fn start_operator(&mut self) -> Result<()> {
        let host = self.stage.storage.trim_start_matches("http://").split([':', '/']).next();
        let network = format!("{}/32", host.unwrap_or_default());
        // The driver's one address; and its component is looked for in the operator's own namespace.
        let environment =
            [("KOMPOX_ALLOW_PLAIN_HTTP_CIDR", network), ("KOMPOX_NAMESPACE", self.namespace.clone())];
        let surroundings = self.stage.surroundings();
        let started =
            Operator::start_with(&surroundings, Some(&self.namespace), &self.log, &environment).await?;
        self.operator = Some(started);
        Ok(())
    }

    pub(super) async fn kill_operator(&mut self) -> Result<()> {
        self.operator.take().context("the operator does not run")?.kill().await
    }

    /// Stops the operator and checks that its log is free of devcloud's token.
    pub(super) async fn close(mut self) -> Result<()> {
        let driver = Api::<KompoxDriver>::all(self.client());
        driver.delete(&self.namespace, &DeleteParams::default()).await?;
        if let Some(operator) = self.operator.take() {
            operator.stop().await?;
        }
        let log = std::fs::read_to_string(&self.log).context("failed to read the operator's log")?;
        ensure!(log.contains("controller"), "the operator's log is empty: nothing was checked");
        ensure!(!log.contains(self.stage.token.expose_secret()), "the token is in the operator's log");
        Ok(())
    }
}

/// The KompoxApp that a scenario gives, with its Compose file and the files that this names.
pub(super) fn app(name: &str, app: &App) -> Vec<Value> {
    let [compose, files, variables] = ["compose", "files", "variables"].map(|part| format!("{name}-{part}"));
    // Keys of a Secret have no slash.
    let key = |index: usize| format!("file-{index}");
    let content: Value = app
        .files
        .values()
        .enumerate()
        .map(|(index, text)| (key(index), Value::from(text.as_str())))
        .collect();
    let mounts: Vec<Value> = app
        .files
        .keys()
        .enumerate()
        .map(|(index, path)| json!({ "path": path, "secretRef": { "name": files, "key": key(index) } }))
        .collect();
    let mut spec = json!({ "compose": { "configMapRef": { "name": compose, "key": "compose.yml" } } });
    if !mounts.is_empty() {
        spec["files"] = json!({ "mounts": mounts });
    }
    if !app.variables.is_empty() {
        spec["compose"]["envFrom"] = json!([{ "secretRef": { "name": variables } }]);
    }
    if let Some(disk) = &app.disk {
        spec["volumes"] = json!([{ "name": "default", "diskRef": { "name": disk } }]);
    }
    if let Some(port) = app.port {
        let host = format!("{name}.example.com");
        spec["ingress"] =
            json!({ "className": "traefik", "rules": [{ "name": "web", "port": port, "hosts": [host] }] });
    }
    let app_object = json!({
        "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxApp", "metadata": { "name": name }, "spec": spec,
    });
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": compose },
        "data": { "compose.yml": app.compose },
    });
    let secret = |name: &str, data: &Value| json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "stringData": data });
    vec![map, secret(&files, &content), secret(&variables, &json!(app.variables)), app_object]
}
