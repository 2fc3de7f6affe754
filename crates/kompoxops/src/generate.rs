//! The objects of an app, from what the user gave: a function of its input, without cluster or files.
//!
//! Only what the user said is written: defaults stay the API server's, so that a later change of a default
//! or a `kubectl scale` is not undone by the next `up`. Never `status`, never `replicas`.

mod app;
mod disk;
mod files;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use kompox_compose::SourceFile;
use kompox_crds::names::labels;
use serde_json::{Map, Value, json};

use crate::naming;

/// Everything that decides about the objects.
#[derive(Clone, Debug)]
pub struct Request {
    /// Name of the app; a DNS label.
    pub name: String,
    /// Whom the app belongs to; part of the generated namespace.
    pub workspace: String,
    /// Where the objects go.
    pub namespace: Namespace,
    /// The Compose file.
    pub compose: ComposeText,
    /// Further Compose files, merged over it in this order.
    pub overrides: Vec<ComposeText>,
    /// Active Compose profiles.
    pub profiles: Vec<String>,
    /// Variables for interpolation, as in `.env`.
    pub variables: BTreeMap<String, String>,
    /// Content of the files the Compose file names, by the path it names.
    pub files: BTreeMap<String, String>,
    /// Those of them that are Compose files, for showing findings in them.
    pub named: Vec<SourceFile>,
    /// The disk for all volumes; absent: the app has none.
    pub disk: Option<DiskRequest>,
    /// Hosts and the published ports they lead to.
    pub routes: Vec<Route>,
    /// Domain under which every route gets a host.
    pub domain: Option<String>,
    /// IngressClass of the routes.
    pub ingress_class: Option<String>,
}

/// A Compose file, unchanged: comments are for those who read it on the cluster, too.
#[derive(Clone, Debug)]
pub struct ComposeText {
    /// Path from the first file's folder; the key in the ConfigMap is made from it.
    pub file_name: String,
    /// Content.
    pub text: String,
}

impl ComposeText {
    /// A key that no other file of the app has.
    pub fn key(&self) -> String {
        naming::key_of_path(&self.file_name)
    }
}

/// Where the objects of an app go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// One that the user names and that exists.
    Existing(String),
    /// One of the app's own, made with it.
    Own(String),
}

impl Namespace {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Existing(name) | Self::Own(name) => name,
        }
    }
}

/// The disk to make.
#[derive(Clone, Debug, Default)]
pub struct DiskRequest {
    /// A Kubernetes quantity such as `10Gi`.
    pub size: String,
    /// Zone as the provider's users write it.
    pub zone: Option<String>,
    /// Provider type; absent: found by the operator.
    pub provider: Option<String>,
    /// Settings of the driver.
    pub config: BTreeMap<String, String>,
    /// Secret with the provider's credentials.
    pub credentials_secret: Option<String>,
    /// Options of the disk, such as `sku`.
    pub options: BTreeMap<String, String>,
    /// Whether the cloud disk goes with the object.
    pub deletion: Deletion,
}

/// What becomes of the cloud disk when the KompoxDisk is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Deletion {
    /// Leave it
    #[default]
    Orphan,
    /// Delete it after its time in the trash
    Delete,
}

/// One host and the published port behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Host name.
    pub host: String,
    /// Published Compose port.
    pub port: u16,
}

/// The objects of a request in the order in which they are to be applied.
#[derive(Clone, Debug)]
pub struct Objects {
    /// Namespace of all others.
    pub namespace: String,
    /// The Namespace itself, when it is a generated one.
    pub namespace_object: Option<Value>,
    /// ConfigMaps and Secrets.
    pub inputs: Vec<Value>,
    /// The KompoxDisk.
    pub disk: Option<Value>,
    /// The KompoxApp.
    pub app: Value,
}

impl Objects {
    /// All objects, in the order of applying.
    pub fn into_all(self) -> Vec<Value> {
        let Self { namespace: _, namespace_object, inputs, disk, app } = self;
        namespace_object.into_iter().chain(inputs).chain(disk).chain([app]).collect()
    }
}

/// Builds the objects of a request.
pub fn objects(request: &Request) -> Objects {
    let context = Context { request };
    Objects {
        namespace: request.namespace.name().to_owned(),
        namespace_object: context.namespace_object(),
        inputs: files::objects(&context),
        disk: request.disk.as_ref().map(|disk| disk::object(&context, disk)),
        app: app::object(&context),
    }
}

/// What every object is made from.
struct Context<'a> {
    request: &'a Request,
}

impl Context<'_> {
    /// An object in the app's namespace: type, metadata, and its other members.
    fn object<const N: usize>(
        &self,
        api_version: &str,
        kind: &str,
        name: &str,
        members: [(&str, Value); N],
    ) -> Value {
        let metadata = json!({
            "name": name,
            "namespace": self.request.namespace.name(),
            "labels": self.labels(),
        });
        let head = [("apiVersion", json!(api_version)), ("kind", json!(kind)), ("metadata", metadata)];
        head.into_iter().chain(members).map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// The recommended labels (<https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/>).
    fn labels(&self) -> Value {
        json!({labels::MANAGED_BY: labels::MANAGED_BY_KOMPOX, labels::PART_OF: self.request.name})
    }

    /// Absent for a namespace that the user names: it is not ours to change.
    fn namespace_object(&self) -> Option<Value> {
        let Namespace::Own(name) = &self.request.namespace else { return None };
        let labels = naming::namespace_labels(&self.request.workspace, &self.request.name);
        Some(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}))
    }
}

/// The members that have a value.
fn present<const N: usize>(members: [(&str, Option<Value>); N]) -> Option<Value> {
    let members: Map<_, _> =
        members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    (!members.is_empty()).then_some(Value::Object(members))
}
