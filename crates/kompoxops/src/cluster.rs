//! The connection to a cluster, and server-side apply of generated objects. Nothing here decides what to write.

use std::collections::BTreeMap;

use kube::api::{Api, DynamicObject, GroupVersionKind, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::core::ApiResource;
use kube::{Client, Config};
use serde_json::Value;

use crate::arguments::Connection;
use crate::failure::Failure;
use crate::naming::FIELD_MANAGER;

/// A client, and the namespace of its context.
#[derive(Clone)]
pub struct Cluster {
    /// The client.
    pub client: Client,
    /// Namespace of the context; `default` when it names none.
    pub namespace: String,
}

/// Who wins when another field manager owns a field with another value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflicts {
    /// The other: the request fails and says so.
    Refuse,
    /// We do.
    Force,
}

impl Cluster {
    /// Connects as the connection arguments say.
    ///
    /// # Errors
    /// When there is no usable kubeconfig or context.
    pub async fn connect(connection: &Connection) -> Result<Self, Failure> {
        let options = KubeConfigOptions { context: connection.context.clone(), cluster: None, user: None };
        let mut config =
            Self::config(connection, &options).await.map_err(|error| Failure::Kubeconfig(Box::new(error)))?;
        // kube sends none by itself; API server logs should say who asked.
        if let Ok(agent) = concat!("kompoxops/", env!("CARGO_PKG_VERSION")).parse() {
            config.headers.push((http::header::USER_AGENT, agent));
        }
        let namespace = config.default_namespace.clone();
        let client = Client::try_from(config).map_err(|error| Failure::Client(Box::new(error)))?;
        Ok(Self { client, namespace })
    }

    async fn config(connection: &Connection, options: &KubeConfigOptions) -> Result<Config, KubeconfigError> {
        match &connection.kubeconfig {
            Some(file) => Config::from_custom_kubeconfig(Kubeconfig::read_from(file)?, options).await,
            None => Config::from_kubeconfig(options).await,
        }
    }

    /// Applies one generated object.
    ///
    /// # Errors
    /// When the server refuses it; the failure names the object.
    pub async fn apply(&self, object: &Value, conflicts: Conflicts) -> Result<DynamicObject, Failure> {
        let target = Target::of(object)?;
        let mut parameters = PatchParams::apply(FIELD_MANAGER);
        parameters.force = conflicts == Conflicts::Force;
        self.api(&target)
            .patch(&target.name, &parameters, &Patch::Apply(object))
            .await
            .map_err(Failure::request("apply", target.shown()))
    }

    /// True when an object of this kind and name is there.
    ///
    /// # Errors
    /// When the server cannot say.
    pub async fn exists(&self, object: &Value) -> Result<bool, Failure> {
        let target = Target::of(object)?;
        let found = self.api(&target).get_metadata_opt(&target.name).await;
        Ok(found.map_err(Failure::request("look up", target.shown()))?.is_some())
    }

    /// The labels of an object; none when it is not there.
    ///
    /// # Errors
    /// When the server cannot say.
    pub async fn labels(&self, object: &Value) -> Result<BTreeMap<String, String>, Failure> {
        let target = Target::of(object)?;
        let found = self.api(&target).get_metadata_opt(&target.name).await;
        let found = found.map_err(Failure::request("look up", target.shown()))?;
        Ok(found.and_then(|found| found.metadata.labels).unwrap_or_default())
    }

    fn api(&self, target: &Target) -> Api<DynamicObject> {
        match &target.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &target.resource),
            None => Api::all_with(self.client.clone(), &target.resource),
        }
    }
}

/// Where an object goes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    resource: ApiResource,
    namespace: Option<String>,
    name: String,
}

impl Target {
    fn of(object: &Value) -> Result<Self, Failure> {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
        let (Some(version), Some(kind), Some(name)) =
            (text("/apiVersion"), text("/kind"), text("/metadata/name"))
        else {
            return Err(Failure::Output("an object without apiVersion, kind or name was made".into()));
        };
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        // The plural by kube's rule of thumb is right for every kind this program makes.
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        Ok(Self {
            resource,
            namespace: text("/metadata/namespace").map(ToOwned::to_owned),
            name: name.to_owned(),
        })
    }

    fn shown(&self) -> String {
        let place = self.namespace.as_ref().map(|namespace| format!(" in namespace {namespace}"));
        format!("{}/{}{}", self.resource.kind, self.name, place.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_say_where_they_go() {
        let object = |version: &str, kind: &str| json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "n"}});
        let target = Target::of(&object("k8s.kompox.dev/v1alpha1", "KompoxDisk")).unwrap();
        assert_eq!(
            (target.resource.plural.as_str(), target.resource.group.as_str()),
            ("kompoxdisks", "k8s.kompox.dev")
        );
        assert_eq!(target.shown(), "KompoxDisk/x in namespace n");
        for (kind, plural) in
            [("ConfigMap", "configmaps"), ("Secret", "secrets"), ("Namespace", "namespaces")]
        {
            assert_eq!(Target::of(&object("v1", kind)).unwrap().resource.plural, plural);
        }
        assert!(Target::of(&json!({"kind": "ConfigMap"})).is_err());
    }
}
