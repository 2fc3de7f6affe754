//! `kompoxops status`: what is there, how it is, and what to do next.

mod next;
mod tables;

use clap::Args;
use kompox_crds::names;
use kompox_crds::{KompoxApp, KompoxDisk, KompoxSnapshot};
use kube::api::{Api, ListParams};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::arguments::Connection;
use crate::cluster::Cluster;
use crate::console::note;
use crate::failure::Failure;
use crate::naming;
use crate::output::{self, Format};

/// Shows apps, disks and snapshots with their conditions, and what to do next.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Name of an app, for its services, volumes and conditions too
    pub name: Option<String>,
    /// Namespace [default: for a NAME that which `up` makes, else that of the context]
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// All namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub all_namespaces: bool,
    /// Whom the app belongs to; part of the generated namespace
    #[arg(long, env = "KOMPOX_WORKSPACE", default_value = naming::WORKSPACE, value_name = "WORKSPACE")]
    pub workspace: String,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
    /// The cluster.
    #[command(flatten)]
    pub connection: Connection,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops status -A
  kompoxops status gitea
  kompoxops status gitea -n team-a -o json

JSON and YAML hold the objects of the API server, without managedFields, in one StatusList of
cli.kompox.dev/v1.";

/// What was found, each kind sorted by namespace and name.
#[derive(Debug, Default)]
struct Found {
    apps: Vec<KompoxApp>,
    disks: Vec<KompoxDisk>,
    snapshots: Vec<KompoxSnapshot>,
}

/// Runs the command.
///
/// # Errors
/// When the cluster cannot be asked, or a named app does not exist.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let cluster = Cluster::connect(&arguments.connection).await?;
    let place = place(arguments, &cluster.namespace);
    let found = find(&cluster, place.as_deref(), arguments.name.as_deref()).await?;
    match arguments.output {
        Format::Table => print_tables(&found, arguments, place.as_deref()),
        Format::Json => output::print(&output::to_json(&found.document()?)?),
        Format::Yaml => output::print(&output::to_yaml(&found.document()?)?),
        Format::Name => output::print(&output::to_names(&found.objects()?)),
    }
}

/// The namespace to look in; `None` for all.
fn place(arguments: &Arguments, context: &str) -> Option<String> {
    if arguments.all_namespaces {
        return None;
    }
    // A name that cannot have a namespace of its own is looked for in the context's.
    let generated = || names::app_namespace(&arguments.workspace, arguments.name.as_ref()?).ok();
    arguments.namespace.clone().or_else(generated).or_else(|| Some(context.to_owned()))
}

async fn find(cluster: &Cluster, place: Option<&str>, name: Option<&str>) -> Result<Found, Failure> {
    let mut apps: Vec<KompoxApp> = list(cluster, place).await?;
    if let Some(name) = name {
        apps.retain(|app| app.name_any() == name);
        if apps.is_empty() {
            return Err(missing(name, place));
        }
    }
    let namespaces: Vec<_> = apps.iter().filter_map(ResourceExt::namespace).collect();
    let belongs = |namespace: Option<String>| {
        name.is_none() || namespace.is_some_and(|namespace| namespaces.contains(&namespace))
    };
    let mut disks: Vec<KompoxDisk> = list(cluster, place).await?;
    disks.retain(|disk| belongs(disk.namespace()));
    let mut snapshots: Vec<KompoxSnapshot> = list(cluster, place).await?;
    snapshots.retain(|snapshot| belongs(snapshot.namespace()));
    Ok(Found { apps, disks, snapshots })
}

fn missing(name: &str, place: Option<&str>) -> Failure {
    let shown = place.map_or_else(|| "any namespace".to_owned(), |place| format!("namespace {place}"));
    Failure::Missing {
        object: format!("KompoxApp/{name} in {shown}"),
        remedy: "`kompoxops status -A` lists what there is; `kompoxops up` makes an app".into(),
    }
}

async fn list<K>(cluster: &Cluster, place: Option<&str>) -> Result<Vec<K>, Failure>
where
    K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    let api: Api<K> = match place {
        Some(namespace) => Api::namespaced(cluster.client.clone(), namespace),
        None => Api::all(cluster.client.clone()),
    };
    let found = api.list(&ListParams::default()).await.map_err(Failure::request("list", K::plural(&())))?;
    let mut items = found.items;
    items.sort_by_key(|item| (item.namespace(), item.name_any()));
    Ok(items)
}

fn print_tables(found: &Found, arguments: &Arguments, place: Option<&str>) -> Result<(), Failure> {
    if found.is_empty() {
        let shown = place.unwrap_or("any namespace");
        note(format!("nothing of Kompox in {shown}; `kompoxops status -A` looks everywhere"));
        return Ok(());
    }
    let detail = arguments.name.is_some();
    output::print(&tables::render(found, detail))?;
    next::steps(found).iter().for_each(|step| note(format!("next: {step}")));
    Ok(())
}

impl Found {
    fn is_empty(&self) -> bool {
        self.apps.is_empty() && self.disks.is_empty() && self.snapshots.is_empty()
    }

    fn document(&self) -> Result<Value, Failure> {
        Ok(output::document("StatusList", &self.objects()?))
    }

    fn objects(&self) -> Result<Vec<Value>, Failure> {
        let apps = self.apps.iter().map(output::object);
        let disks = self.disks.iter().map(output::object);
        apps.chain(disks).chain(self.snapshots.iter().map(output::object)).collect()
    }
}
