//! `kompoxops up`: makes the objects of an app, applies them, and waits if asked.

use std::time::Duration;

use clap::{Args, ValueEnum};
use kompox_core::app::PodSecurity;
use kompox_crds::KompoxApp;
use kube::api::Api;
use serde_json::Value;

use super::apply::{apply_one, shown};
use super::wait::{self, Awaited};
use super::{render, request};
use crate::arguments::{AppArguments, Connection};
use crate::cluster::{Cluster, Conflicts};
use crate::console::note;
use crate::conversion;
use crate::failure::Failure;
use crate::generate::{self, Objects, Request};

/// Makes a Compose app run on the cluster of the current context: a namespace of its own, the Compose file,
/// its variables and files, one disk for its volumes, and the KompoxApp that puts them together.
///
/// Repeat it after a change of the Compose file. An existing disk is left as it is, and a hibernated app
/// stays hibernated.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Wait until the app is Ready and show what happens meanwhile
    #[arg(long)]
    pub wait: bool,
    /// How long to wait, such as 90s, 5m or 1h
    #[arg(long, default_value = "5m", value_parser = wait::duration, value_name = "TIME")]
    pub timeout: Duration,
    /// Take over fields that another field manager owns
    #[arg(long)]
    pub force_conflicts: bool,
    /// Whether to apply the objects or only to print them
    #[arg(long, value_enum, default_value_t, value_name = "WHERE")]
    pub dry_run: DryRun,
    /// The app.
    #[command(flatten)]
    pub app: AppArguments,
    /// The cluster.
    #[command(flatten)]
    pub connection: Connection,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops up -f compose.yml --wait
  kompoxops up -f compose.yml --route git.example.com=3000 --disk-size 20Gi
  kompoxops up -f compose.yml -n gitea --provider eks --config region=us-west-2 \\
      --credentials-secret aws
  kompoxops up -f compose.yml --dry-run=client

Exit codes: 3 when the Compose file has errors (nothing was changed), 4 when the app is not
Ready in time, 1 when it cannot become Ready without a change.";

/// Whether objects are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// Apply the objects
    #[default]
    None,
    /// Print them as YAML; no cluster is asked
    Client,
}

/// Runs the command.
///
/// # Errors
/// When the input is not right, the cluster refuses an object, or the app does not become Ready.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let request = request::read(&arguments.app)?;
    let objects = generate::objects(&request);
    if arguments.dry_run == DryRun::Client {
        let rendered = conversion::rendered(&request, &objects, PodSecurity::Baseline)?;
        conversion::accepted(&request, rendered)?;
        return render::print(&objects.into_all(), render::Format::Yaml);
    }
    let cluster = convert(&request, &objects, &arguments.connection).await?;
    let conflicts = if arguments.force_conflicts { Conflicts::Force } else { Conflicts::Refuse };
    let namespace = objects.namespace.clone();
    let generation = apply(&cluster, objects, conflicts).await?;
    if arguments.wait {
        let api: Api<KompoxApp> = Api::namespaced(cluster.client, &namespace);
        let awaited = Awaited { name: &request.name, generation, limit: arguments.timeout };
        let app = wait::until_ready(api, awaited).await?;
        app.status.iter().flat_map(|status| &status.urls).for_each(|url| note(format!("open {url}")));
        return Ok(());
    }
    note(format!("next: kompoxops status {} -n {namespace}", request.name));
    Ok(())
}

/// What the operator would find too, but later. A file that is wrong anywhere is refused without a cluster; one
/// that the namespace may allow after all asks for its labels.
async fn convert(request: &Request, objects: &Objects, connection: &Connection) -> Result<Cluster, Failure> {
    let anywhere = conversion::rendered(request, objects, PodSecurity::Baseline)?;
    let allowed = conversion::rendered(request, objects, PodSecurity::Privileged)?;
    if anywhere.resources.is_some() || allowed.resources.is_none() {
        conversion::accepted(request, anywhere)?;
        return Cluster::connect(connection).await;
    }
    let cluster = Cluster::connect(connection).await?;
    let labels = cluster.labels(&namespace_named(&objects.namespace)).await?;
    let rendered = match PodSecurity::of_labels(&labels) {
        PodSecurity::Baseline => anywhere,
        PodSecurity::Privileged => allowed,
    };
    conversion::accepted(request, rendered)?;
    Ok(cluster)
}

/// Applies everything in order; gives the generation of the app that results.
async fn apply(cluster: &Cluster, objects: Objects, conflicts: Conflicts) -> Result<i64, Failure> {
    let Objects { namespace, namespace_object, inputs, disk, app } = objects;
    if let Some(object) = &namespace_object {
        apply_one(cluster, object, conflicts).await?;
    } else if !cluster.exists(&namespace_named(&namespace)).await? {
        return Err(Failure::Missing {
            object: format!("Namespace/{namespace}"),
            remedy: format!("create it (`kubectl create namespace {namespace}`), or leave out --namespace"),
        });
    }
    for object in &inputs {
        apply_one(cluster, object, conflicts).await?;
    }
    if let Some(object) = &disk {
        if cluster.exists(object).await? {
            note(format!("{} is there and is left as it is", shown(object)));
        } else {
            apply_one(cluster, object, conflicts).await?;
        }
    }
    apply_one(cluster, &app, conflicts).await
}

fn namespace_named(name: &str) -> Value {
    serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}
