//! `kompoxops driver uninstall`: removes a driver that nothing needs, or that may be missed for a while.

use std::time::Duration;

use clap::Args;
use kompox_crds::names::OPERATOR_NAMESPACE;
use kompox_crds::{KompoxDisk, KompoxDriver, KompoxSnapshot};
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, ListParams};
use kube::runtime::wait::{await_condition, conditions};

use super::objects;
use crate::arguments::Connection;
use crate::cluster::Cluster;
use crate::commands::wait;
use crate::console::{Activity, note};
use crate::failure::Failure;

/// Removes a KompoxDriver, and the ConfigMaps that `driver install` made for it. Refuses while disks or snapshots need
/// the driver. Nothing happens to disks in the cloud.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Name of the KompoxDriver
    name: String,
    /// Remove it although disks or snapshots need it: they wait until it is installed again
    #[arg(long)]
    force: bool,
    /// The operator's namespace
    #[arg(long, value_name = "NAME", default_value = OPERATOR_NAMESPACE)]
    operator_namespace: String,
    /// How long to wait until it is gone, such as 90s or 5m
    #[arg(long, default_value = "1m", value_parser = wait::duration, value_name = "TIME")]
    timeout: Duration,
    /// The cluster.
    #[command(flatten)]
    connection: Connection,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops driver uninstall my-cloud
  kompoxops driver uninstall my-cloud --force

Exit codes: 5 when disks or snapshots need it (nothing was changed).";

/// Most objects that a refusal names.
const MOST_NAMED: usize = 5;

/// Runs the command.
///
/// # Errors
/// When it is not there, something needs it, or the cluster refuses.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let cluster = Cluster::connect(&arguments.connection).await?;
    let drivers: Api<KompoxDriver> = Api::all(cluster.client.clone());
    let shown = format!("KompoxDriver/{}", arguments.name);
    let found = drivers.get_opt(&arguments.name).await.map_err(Failure::request("look up", &shown))?;
    let Some(driver) = found else {
        return Err(Failure::Missing { object: shown, remedy: "`kompoxops driver ls` lists them".into() });
    };
    let activity = Activity::start("looking for disks and snapshots that need it");
    let users = users(&cluster, &driver).await?;
    drop(activity);
    if !users.is_empty() && !arguments.force {
        return Err(Failure::Refused { object: shown, message: refusal(&users) });
    }
    delete(&drivers, &driver, arguments.timeout).await?;
    note(format!("kompoxdriver/{} deleted", arguments.name));
    if !users.is_empty() {
        note(format!("{} object(s) wait until it is installed again", users.len()));
    }
    objects::remove_config_maps(&cluster, &arguments.name, &arguments.operator_namespace, None).await
}

fn refusal(users: &[String]) -> String {
    let named = users.get(..MOST_NAMED).unwrap_or(users).join(", ");
    let more = users.len().saturating_sub(MOST_NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{named}{more} need it; delete them first, or let them wait with --force")
}

/// The disks and snapshots of the provider types that this driver serves.
async fn users(cluster: &Cluster, driver: &KompoxDriver) -> Result<Vec<String>, Failure> {
    let types = driver.status.as_ref().map(|status| status.provider_types.clone()).unwrap_or_default();
    let everything = ListParams::default();
    let disks: Api<KompoxDisk> = Api::all(cluster.client.clone());
    let disks = disks.list(&everything).await.map_err(Failure::request("list", "kompoxdisks"))?;
    let snapshots: Api<KompoxSnapshot> = Api::all(cluster.client.clone());
    let snapshots = snapshots.list(&everything).await.map_err(Failure::request("list", "kompoxsnapshots"))?;
    let serves = |provider: Option<&kompox_crds::v1alpha1::ProviderStatus>| {
        provider.and_then(|provider| provider.type_.as_ref()).is_some_and(|type_| types.contains(type_))
    };
    let shown = |kind: &str, namespace: Option<String>, name: String| {
        format!("{kind} {}/{name}", namespace.unwrap_or_default())
    };
    let disks = disks
        .iter()
        .filter(|disk| serves(disk.status.as_ref().and_then(|status| status.provider.as_ref())))
        .map(|disk| shown("disk", disk.namespace(), disk.name_any()));
    let snapshots = snapshots
        .iter()
        .filter(|snapshot| serves(snapshot.status.as_ref().and_then(|status| status.provider.as_ref())))
        .map(|snapshot| shown("snapshot", snapshot.namespace(), snapshot.name_any()));
    Ok(disks.chain(snapshots).collect())
}

/// Deletes just the object that was looked at, and waits until it is gone.
async fn delete(drivers: &Api<KompoxDriver>, driver: &KompoxDriver, limit: Duration) -> Result<(), Failure> {
    let name = driver.name_any();
    let uid = driver.uid().unwrap_or_default();
    let parameters = DeleteParams::default()
        .preconditions(kube::api::Preconditions { uid: Some(uid.clone()), resource_version: None });
    drivers
        .delete(&name, &parameters)
        .await
        .map_err(Failure::request("delete", format!("KompoxDriver/{name}")))?;
    let _activity = Activity::start(&format!("waiting until driver {name} is gone"));
    let gone = await_condition(drivers.clone(), &name, conditions::is_deleted(&uid));
    match tokio::time::timeout(limit, gone).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Failure::Output(format!("failed to watch KompoxDriver/{name}: {error}"))),
        Err(_) => Err(Failure::Timeout {
            what: format!("the deletion of KompoxDriver/{name}"),
            after: limit,
            state: "it is still there; is kompox-operator running?".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_a_few_and_counts_the_rest() {
        let users: Vec<String> = (1..=7).map(|n| format!("disk a/{n}")).collect();
        let text = refusal(&users);
        assert!(text.starts_with("disk a/1, ") && text.contains("disk a/5 and 2 more need it"), "{text}");
        assert!(refusal(&users[..1]).starts_with("disk a/1 need"), "one");
    }
}
