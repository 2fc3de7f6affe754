//! The writes of the cases. Strict field validation throughout, which the typed client cannot ask for on
//! POST and PUT; so the requests are made by hand here and nowhere else.

use anyhow::{Context as _, ensure};
use k8s_openapi::{
    api::core::v1::Namespace, apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kompox_crds::{KompoxApp, KompoxDisk};
use kube::{
    Api, Client,
    api::{ListParams, Patch, PatchParams, PostParams},
    core::Request,
    runtime::{conditions, wait::await_condition},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

const MANAGER: &str = "kompox-tests-cel";
const DRY: &str = "fieldValidation=Strict&fieldManager=kompox-tests-cel&dryRun=All";
const REAL: &str = "fieldValidation=Strict&fieldManager=kompox-tests-cel";
/// How long a new CRD may take to be served.
const CRD_DEADLINE: Duration = Duration::from_secs(60);

/// The object as the server stored it (or would have), or why it did not.
pub(super) type Answer = Result<Value, Refusal>;

/// A refusal by the server.
#[derive(Debug)]
pub(super) struct Refusal {
    /// HTTP status.
    #[expect(dead_code, reason = "read by whoever reads the report, through Debug")]
    pub(super) code: u16,
    pub(super) message: String,
    /// Field and message of each cause.
    pub(super) causes: Vec<(String, String)>,
}

/// The API server, and the namespace of the cases.
pub(super) struct Server {
    client: Client,
    namespace: String,
    /// Plural and whether it is namespaced, by kind.
    kinds: BTreeMap<String, (String, bool)>,
}

impl Server {
    pub(super) fn new(client: Client, namespace: &str) -> Self {
        let kind = |crd: CustomResourceDefinition| {
            (crd.spec.names.kind, (crd.spec.names.plural, crd.spec.scope == "Namespaced"))
        };
        Self {
            client,
            namespace: namespace.to_owned(),
            kinds: kompox_crds::all().into_iter().map(kind).collect(),
        }
    }

    pub(super) async fn create(&self, object: &Value) -> anyhow::Result<Answer> {
        self.send("POST", &self.collection(object)?, REAL, object).await
    }

    pub(super) async fn create_dry(&self, object: &Value) -> anyhow::Result<Answer> {
        self.send("POST", &self.collection(object)?, DRY, object).await
    }

    pub(super) async fn replace_dry(&self, object: &Value) -> anyhow::Result<Answer> {
        self.send("PUT", &self.item(object)?, DRY, object).await
    }

    pub(super) async fn replace_status(&self, object: &Value) -> anyhow::Result<Answer> {
        self.send("PUT", &format!("{}/status", self.item(object)?), REAL, object).await
    }

    pub(super) async fn replace_status_dry(&self, object: &Value) -> anyhow::Result<Answer> {
        self.send("PUT", &format!("{}/status", self.item(object)?), DRY, object).await
    }

    /// `kubectl apply --server-side` of these very bytes, in the namespace that they name, which is made
    /// if need be.
    pub(super) async fn apply_as_is(&self, object: &Value, yaml: &str) -> anyhow::Result<Answer> {
        let namespace =
            object.pointer("/metadata/namespace").and_then(Value::as_str).context("no namespace")?;
        let document = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
        Api::<Namespace>::all(self.client.clone())
            .patch(namespace, &PatchParams::apply(MANAGER), &Patch::Apply(document))
            .await
            .context("failed to make the namespace")?;
        let body = yaml.as_bytes().to_vec();
        self.send_bytes("PATCH", &self.item(object)?, REAL, "application/apply-patch+yaml", body).await
    }

    /// Deletes the object, whether it is there or not, and whatever finalizers it has.
    pub(super) async fn remove(&self, object: &Value) -> anyhow::Result<()> {
        let path = self.item(object)?;
        if object.pointer("/metadata/finalizers").is_some() {
            let free = json!({ "metadata": { "finalizers": null } }).to_string().into_bytes();
            let _gone = self.send_bytes("PATCH", &path, "", "application/merge-patch+json", free).await?;
        }
        let _gone = self.send_bytes("DELETE", &path, "", "application/json", Vec::new()).await?;
        Ok(())
    }

    /// `/scale` reads 1 from the default, and what is written there arrives in the spec.
    pub(super) async fn check_scale(&self, name: &str) -> anyhow::Result<()> {
        let apps: Api<KompoxApp> = Api::namespaced(self.client.clone(), &self.namespace);
        let scale = apps.get_scale(name).await?;
        let replicas = scale.spec.and_then(|spec| spec.replicas);
        ensure!(replicas == Some(1), "the scale of a new app is {replicas:?}");
        let hibernate = json!({ "spec": { "replicas": 0 } });
        apps.patch_scale(name, &PatchParams::default(), &Patch::Merge(hibernate)).await?;
        let replicas = apps.get(name).await?.spec.replicas;
        ensure!(replicas == 0, "after scaling to 0 the app has {replicas} replicas");
        Ok(())
    }

    /// The selectable fields of a KompoxDisk select: its provider type finds it, another does not.
    pub(super) async fn check_field_selectors(&self, provider_type: &str) -> anyhow::Result<()> {
        let disks: Api<KompoxDisk> = Api::namespaced(self.client.clone(), &self.namespace);
        let found = |selector: String| {
            let disks = disks.clone();
            async move {
                Ok::<_, kube::Error>(disks.list(&ListParams::default().fields(&selector)).await?.items.len())
            }
        };
        let count = found(format!("spec.provider.type={provider_type}")).await?;
        ensure!(count == 1, "{count} disks found by their provider type");
        for field in ["status.handle", "status.pvName", "status.usedBy.name"] {
            let count = found(format!("{field}=no-such-value")).await?;
            ensure!(count == 0, "{count} disks found by {field}");
        }
        Ok(())
    }

    fn collection(&self, object: &Value) -> anyhow::Result<String> {
        let kind = object.get("kind").and_then(Value::as_str).context("no kind")?;
        let (plural, namespaced) = self.kinds.get(kind).with_context(|| format!("unknown kind {kind}"))?;
        let own = object.pointer("/metadata/namespace").and_then(Value::as_str);
        let namespace = own.unwrap_or(&self.namespace);
        let prefix = "/apis/k8s.kompox.dev/v1alpha1";
        Ok(if *namespaced {
            format!("{prefix}/namespaces/{namespace}/{plural}")
        } else {
            format!("{prefix}/{plural}")
        })
    }

    fn item(&self, object: &Value) -> anyhow::Result<String> {
        let name = object.pointer("/metadata/name").and_then(Value::as_str).context("no name")?;
        Ok(format!("{}/{name}", self.collection(object)?))
    }

    async fn send(&self, method: &str, path: &str, query: &str, object: &Value) -> anyhow::Result<Answer> {
        self.send_bytes(method, path, query, "application/json", serde_json::to_vec(object)?).await
    }

    async fn send_bytes(
        &self,
        method: &str,
        path: &str,
        query: &str,
        content_type: &'static str,
        body: Vec<u8>,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::new(path).create(&PostParams::default(), body)?;
        *request.method_mut() = method.parse()?;
        *request.uri_mut() = format!("{path}?{query}").parse()?;
        request.headers_mut().insert("content-type", content_type.parse()?);
        match self.client.request::<Value>(request).await {
            Ok(object) => Ok(Ok(object)),
            Err(kube::Error::Api(status)) => Ok(Err(refusal(*status))),
            Err(other) => Err(other).with_context(|| format!("failed to {method} {path}")),
        }
    }
}

fn refusal(status: kube::core::Status) -> Refusal {
    let causes = status.details.map(|details| details.causes).unwrap_or_default();
    Refusal {
        code: status.code,
        message: status.message,
        causes: causes.into_iter().map(|cause| (cause.field, cause.message)).collect(),
    }
}

pub(super) async fn install_crds(client: Client) -> anyhow::Result<()> {
    let api: Api<CustomResourceDefinition> = Api::all(client);
    for crd in kompox_crds::all() {
        let name = crd.metadata.name.clone().context("a CRD without name")?;
        api.patch(&name, &PatchParams::apply(MANAGER).force().validation_strict(), &Patch::Apply(&crd))
            .await
            .with_context(|| format!("failed to apply the CRD {name}"))?;
        let served = await_condition(api.clone(), &name, conditions::is_crd_established());
        tokio::time::timeout(CRD_DEADLINE, served)
            .await
            .with_context(|| format!("{name} is not served"))??;
    }
    Ok(())
}
