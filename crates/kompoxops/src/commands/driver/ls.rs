//! `kompoxops driver ls`: the KompoxDrivers of a cluster.

use clap::Args;
use kompox_crds::KompoxDriver;
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use serde_json::Value;

use crate::arguments::Connection;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::output::{self, Format, Table};

/// Lists the KompoxDrivers of a cluster. Drivers that come with the operator work without one.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    /// The cluster.
    #[command(flatten)]
    connection: Connection,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops driver ls
  kompoxops driver ls -o json";

/// Runs the command.
///
/// # Errors
/// When the cluster cannot be asked, or standard output cannot be written.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let cluster = Cluster::connect(&arguments.connection).await?;
    let api: Api<KompoxDriver> = Api::all(cluster.client);
    let found = api.list(&ListParams::default()).await.map_err(Failure::request("list", "kompoxdrivers"))?;
    let mut drivers = found.items;
    drivers.sort_by_key(ResourceExt::name_any);
    let objects = || drivers.iter().map(output::object).collect::<Result<Vec<Value>, Failure>>();
    output::print(&match arguments.output {
        Format::Table => table(&drivers),
        Format::Json => output::to_json(&output::document("DriverList", &objects()?))?,
        Format::Yaml => output::to_yaml(&output::document("DriverList", &objects()?))?,
        Format::Name => output::to_names(&objects()?),
    })
}

fn table(drivers: &[KompoxDriver]) -> String {
    if drivers.is_empty() {
        return "there is no KompoxDriver; drivers that come with the operator work without one\n".to_owned();
    }
    let mut table = Table::new(&["NAME", "READY", "REASON", "VERSION", "TYPES", "SOURCE"]);
    for driver in drivers {
        let status = driver.status.clone().unwrap_or_default();
        let (ready, reason) = output::ready(&status.conditions);
        let text = |value: Option<String>| value.unwrap_or_default();
        table.row([
            driver.name_any(),
            ready,
            reason,
            text(status.version),
            text(status.types),
            text(status.source),
        ]);
    }
    table.render()
}
