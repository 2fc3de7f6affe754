//! One test's own place: a namespace, a fault proxy in front of the AWS double, an operator process
//! that looks after that namespace only, and the check that no secret leaked.

use crate::{cloud::Proxy, objects, operator::Operator, stage::Stage};
use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Namespace;
use kompox_crds::v1alpha1::{KompoxApp, KompoxDisk, KompoxSnapshot};
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, ObjectMeta, PostParams},
};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use std::{path::PathBuf, time::Duration};

/// How long anything may take on a loaded machine before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A test's own place.
pub struct Scene<'a> {
    /// What the run shares.
    pub stage: &'a Stage,
    /// The namespace.
    pub namespace: String,
    /// The proxy in front of the AWS double.
    pub proxy: Proxy,
    /// Where disks are made: EC2's and STS' URL. The proxy's, unless changed.
    pub endpoints: [String; 2],
    environment: Vec<(&'static str, String)>,
    operator: Option<Operator>,
    log: PathBuf,
}

impl<'a> Scene<'a> {
    /// Makes the namespace with its credentials and starts the operator.
    ///
    /// # Errors
    /// What does not start.
    pub async fn open(stage: &'a Stage, name: &str) -> Result<Self> {
        Self::open_with(stage, name, Vec::new()).await
    }

    /// As [`Scene::open`], with these variables in the operator's environment.
    ///
    /// # Errors
    /// What does not start.
    pub async fn open_with(
        stage: &'a Stage,
        name: &str,
        environment: Vec<(&'static str, String)>,
    ) -> Result<Self> {
        let namespace = format!("t-{name}");
        let metadata = ObjectMeta { name: Some(namespace.clone()), ..ObjectMeta::default() };
        let api: Api<Namespace> = Api::all(stage.cluster.client());
        api.create(&PostParams::default(), &Namespace { metadata, ..Namespace::default() }).await?;
        let proxy = Proxy::start(stage.moto.address()).await?;
        let log = stage.directory().join(format!("operator-{name}.log"));
        let endpoints = [proxy.ec2_url(), proxy.sts_url()];
        let mut scene = Self { stage, namespace, proxy, endpoints, environment, operator: None, log };
        scene.apply(&scene.credentials("aws")).await?;
        scene.start_operator().await?;
        Ok(scene)
    }

    /// A client with every right.
    #[must_use]
    pub fn client(&self) -> Client {
        self.stage.cluster.client()
    }

    /// The objects of a kind in this namespace.
    #[must_use]
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::namespaced(self.client(), &self.namespace)
    }

    /// Applies YAML to this namespace.
    ///
    /// # Errors
    /// A refusal.
    pub async fn apply(&self, yaml: &str) -> Result<()> {
        objects::apply(&self.client(), &self.namespace, yaml).await
    }

    /// The Secret with the credentials of the AWS double's user.
    #[must_use]
    pub fn credentials(&self, name: &str) -> String {
        credentials(name, &self.stage.key.id, self.stage.key.secret.expose_secret())
    }

    /// A KompoxDisk in `us-west-2a`, of 1 GiB unless it has a source; `more` is further YAML of its spec.
    #[must_use]
    pub fn disk(&self, name: &str, more: &str) -> String {
        let mut disk = objects::documents(&format!(
            "{{apiVersion: k8s.kompox.dev/v1alpha1, kind: KompoxDisk, metadata: {{name: {name}}}, spec: {{{more}}}}}"
        ))
        .unwrap_or_default()
        .pop()
        .unwrap_or_default();
        let [ec2, sts] = &self.endpoints;
        let provider = serde_json::json!({
            "type": "eks",
            "credentialsSecretRef": { "name": "aws" },
            "config": { "region": "us-west-2", "endpoint": ec2, "stsEndpoint": sts },
        });
        for (field, value) in [("size", "1Gi".into()), ("zone", "us-west-2a".into()), ("provider", provider)]
        {
            // What is made from a source is as large as that.
            let given = disk["spec"].get(field).is_some()
                || (field == "size" && disk["spec"].get("source").is_some());
            if !given {
                disk["spec"][field] = value;
            }
        }
        disk.to_string()
    }

    /// Waits until a disk is `Ready`.
    ///
    /// # Errors
    /// When it takes too long.
    pub async fn disk_ready(&self, name: &str) -> Result<KompoxDisk> {
        objects::wait_for(&self.api::<KompoxDisk>(), name, PATIENCE, |disk| {
            is(disk, "Ready", "status", "True")
        })
        .await
    }

    /// Waits until a snapshot is `Ready`.
    ///
    /// # Errors
    /// When it takes too long.
    pub async fn snapshot_ready(&self, name: &str) -> Result<KompoxSnapshot> {
        let ready = |snapshot: &KompoxSnapshot| is(snapshot, "Ready", "status", "True");
        objects::wait_for(&self.api::<KompoxSnapshot>(), name, PATIENCE, ready).await
    }

    /// Waits until an app is `Ready`.
    ///
    /// # Errors
    /// When it takes too long.
    pub async fn app_ready(&self, name: &str) -> Result<KompoxApp> {
        objects::wait_for(&self.api::<KompoxApp>(), name, PATIENCE, |app| is(app, "Ready", "status", "True"))
            .await
    }

    /// Waits until the `Ready` condition of a disk gives this reason, and returns its message.
    ///
    /// # Errors
    /// When it takes too long.
    pub async fn disk_says(&self, name: &str, reason: &str) -> Result<String> {
        let says = |disk: &KompoxDisk| is(disk, "Ready", "reason", reason);
        let disk = objects::wait_for(&self.api::<KompoxDisk>(), name, PATIENCE, says).await?;
        Ok(objects::condition(&serde_json::to_value(disk)?, "Ready", "message").to_owned())
    }

    /// Deletes an object and waits until it is gone.
    ///
    /// # Errors
    /// When it takes too long.
    pub async fn delete<K>(&self, name: &str) -> Result<()>
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + serde::de::DeserializeOwned
            + serde::Serialize,
    {
        let api = self.api::<K>();
        api.delete(name, &DeleteParams::default()).await?;
        objects::wait_gone(&api, name, PATIENCE).await
    }

    /// The running operator.
    ///
    /// # Errors
    /// If it was killed and not started again.
    pub fn operator(&self) -> Result<&Operator> {
        self.operator.as_ref().context("the operator does not run")
    }

    /// Starts the operator, again after it was killed.
    ///
    /// # Errors
    /// If it does not become ready.
    pub async fn start_operator(&mut self) -> Result<()> {
        self.operator = Some(
            Operator::start_with(
                &self.stage.surroundings(),
                Some(&self.namespace),
                &self.log,
                &self.environment,
            )
            .await?,
        );
        Ok(())
    }

    /// SIGKILL to the operator.
    ///
    /// # Errors
    /// If there is none.
    pub async fn kill_operator(&mut self) -> Result<()> {
        self.operator.take().context("the operator does not run")?.kill().await
    }

    /// Stops the operator and checks that the credential's value is in no log line, event, status or any
    /// other object but its Secret.
    ///
    /// # Errors
    /// If it leaked, or the operator does not stop orderly.
    pub async fn close(mut self) -> Result<()> {
        if let Some(operator) = self.operator.take() {
            operator.stop().await?;
        }
        let secret = self.stage.key.secret.expose_secret().to_owned();
        let log = std::fs::read_to_string(&self.log)?;
        ensure!(log.contains("controller"), "the operator's log is empty: nothing was checked");
        ensure!(!log.contains(&secret), "the secret is in the operator's log {}", self.log.display());
        for object in objects::everything(&self.client(), &self.namespace).await? {
            let of = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
            ensure!(
                of("kind") == "Secret" || !object.to_string().contains(&secret),
                "the secret is in {object}"
            );
        }
        Ok(())
    }
}

/// A Secret in the form the driver `eks` reads.
#[must_use]
pub fn credentials(name: &str, id: &str, secret: &str) -> String {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name },
        "stringData": { "accessKeyId": id, "secretAccessKey": secret },
    })
    .to_string()
}

/// Whether a condition of the object has this value in one of its fields.
pub fn is(object: &impl serde::Serialize, type_: &str, field: &str, value: &str) -> bool {
    serde_json::to_value(object).is_ok_and(|object: Value| objects::condition(&object, type_, field) == value)
}
