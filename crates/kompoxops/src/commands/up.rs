//! `kompoxops up`: makes the objects of an app, applies them, and waits if asked.

mod wait;

use std::time::Duration;

use clap::{Args, ValueEnum};
use kompox_core::app::PodSecurity;
use serde_json::Value;

use super::{render, request};
use crate::cli::{AppArguments, Connection};
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
    #[arg(long, default_value = "5m", value_parser = duration, value_name = "TIME")]
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

/// `90s`, `5m`, `1h`, or a number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds = match text.get(digits.len()..) {
        Some("" | "s") => 1,
        Some("m") => 60,
        Some("h") => 3600,
        _ => 0,
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds));
    match number {
        Some(number) if number > 0 => Ok(Duration::from_secs(number)),
        _ => Err("must be a positive time such as 90s, 5m or 1h".into()),
    }
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
        return wait::until_ready(&cluster, &namespace, &request.name, generation, arguments.timeout).await;
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

async fn apply_one(cluster: &Cluster, object: &Value, conflicts: Conflicts) -> Result<i64, Failure> {
    let applied = cluster.apply(object, conflicts).await?;
    note(format!("{} applied", shown(object)));
    Ok(applied.metadata.generation.unwrap_or_default())
}

fn namespace_named(name: &str) -> Value {
    serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// `kompoxapp/gitea (k4x-…)`.
fn shown(object: &Value) -> String {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let place = match text("/metadata/namespace") {
        "" => String::new(),
        namespace => format!(" (namespace {namespace})"),
    };
    format!("{}/{}{place}", text("/kind").to_lowercase(), text("/metadata/name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_in_kubectl() {
        assert_eq!(duration("90s").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("5m").unwrap(), Duration::from_secs(300));
        assert_eq!(duration("1h").unwrap(), Duration::from_secs(3600));
        assert_eq!(duration("7").unwrap(), Duration::from_secs(7));
        for bad in ["", "0s", "m", "5d", "-1s", "1h30m", "99999999999999999999s", "18446744073709551615h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn objects_are_named_with_their_namespace() {
        let object = serde_json::json!({"kind": "Secret", "metadata": {"name": "a", "namespace": "n"}});
        assert_eq!(shown(&object), "secret/a (namespace n)");
        assert_eq!(shown(&namespace_named("n")), "namespace/n");
    }
}
