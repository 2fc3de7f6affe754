//! `kompoxops driver ls`: the KompoxDrivers of a cluster, and the built-in drivers that have none.
//!
//! The operator publishes no list of its built-in drivers: those without a KompoxDriver are listed as this release of
//! the command line knows them, and their source says so.

use clap::Args;
use kompox_crds::KompoxDriver;
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use serde_json::{Value, json};

use crate::arguments::Connection;
use crate::cluster::Cluster;
use crate::failure::Failure;
use crate::output::{self, Format, Table};

/// Lists the drivers of a cluster: its KompoxDrivers, and the drivers that come with the operator and work without one.
/// The latter are not asked for: their source tells the release that they come with.
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
        Format::Json => output::to_json(&document(&drivers, &objects()?))?,
        Format::Yaml => output::to_yaml(&document(&drivers, &objects()?))?,
        Format::Name => output::to_names(&objects()?),
    })
}

/// The drivers that come with the operator of this release, sorted; a test compares them with `drivers/`.
const BUILT_IN: &[&str] = &["eks"];

/// The built-in drivers that have no KompoxDriver.
fn without_object(drivers: &[KompoxDriver]) -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().copied().filter(|name| drivers.iter().all(|driver| driver.name_any() != *name))
}

/// Where a built-in driver comes from when no object says so.
fn source() -> String {
    format!("built-in (release {})", env!("CARGO_PKG_VERSION"))
}

/// Items are objects of the cluster; `builtIn` has what the cluster has no object for.
fn document(drivers: &[KompoxDriver], objects: &[Value]) -> Value {
    let mut document = output::document("DriverList", objects);
    let built_in: Vec<Value> =
        without_object(drivers).map(|name| json!({ "name": name, "source": source() })).collect();
    if let Some(members) = document.as_object_mut() {
        members.insert("builtIn".to_owned(), built_in.into());
    }
    document
}

fn table(drivers: &[KompoxDriver]) -> String {
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
    for name in without_object(drivers) {
        let unknown = String::new;
        table.row([name.to_owned(), unknown(), unknown(), unknown(), name.to_owned(), source()]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_built_in_drivers_are_those_of_the_repository() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../drivers");
        let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
        let mut names: Vec<String> = entries
            .filter(|entry| entry.path().join("Cargo.toml").is_file())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, BUILT_IN);
    }

    #[test]
    fn a_built_in_driver_is_listed_once() {
        let of_nobody = table(&[]);
        assert!(of_nobody.contains("built-in (release "), "{of_nobody}");
        let mut driver = KompoxDriver::new("eks", Default::default());
        driver.status.get_or_insert_default().source = Some("built-in".to_owned());
        let listed = table(std::slice::from_ref(&driver));
        assert_eq!(listed.lines().filter(|line| line.starts_with("eks ")).count(), 1, "{listed}");
        assert!(!listed.contains("(release"), "{listed}");
        assert_eq!(document(&[], &[])["builtIn"][0]["name"], "eks");
        assert_eq!(document(&[driver], &[])["builtIn"], json!([]));
    }
}
