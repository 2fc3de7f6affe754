//! `kompoxops driver inspect`: who a component says it is, and what it asks for.

use std::sync::Arc;

use clap::{Args, ValueEnum};
use kompox_core::driver::{Driver as _, Provider};
use kompox_driver_runtime::{LoadedDriver, NoObserver};
use serde_json::{Value, json};

use super::origin::Origin;
use super::remote::Remote;
use crate::failure::Failure;
use crate::output::{self, Table};
use crate::registry::RegistryArguments;

/// Shows a driver's name, version, provider types, endpoints, credentials and imports. Compiles the component and
/// asks it; it gets no network and no credentials. Needs no cluster.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Component: a file that ends in .wasm, .wasm.gz or .wasm.zst, or oci:// and a reference to a registry
    #[arg(value_name = "FILE|oci://REFERENCE")]
    origin: Origin,
    /// How to print
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    /// The registry.
    #[command(flatten)]
    registries: RegistryArguments,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops driver inspect my-cloud.wasm
  kompoxops driver inspect my-cloud.wasm -o json | jq -r .digest
  kompoxops driver inspect oci://registry.example.com/acme/my-cloud:1.2.0";

/// How a driver is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Table,
    /// One JSON object
    Json,
    /// The same object as YAML
    Yaml,
}

/// Runs the command.
///
/// # Errors
/// When the file cannot be read, is no driver, or standard output cannot be written.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let runtime = super::runtime(Arc::new(NoObserver))?;
    let found = arguments.origin.find(&arguments.registries).await?;
    let size = found.bytes.len();
    let loaded = runtime.load(found.bytes).await;
    let driver = loaded.map_err(|error| Failure::Argument {
        argument: arguments.origin.to_string(),
        message: error.to_string(),
    })?;
    let remote = found.remote.as_ref();
    output::print(&match arguments.output {
        Format::Table => table(&driver, size, remote),
        Format::Json => output::to_json(&document(&driver, size, remote))?,
        Format::Yaml => output::to_yaml(&document(&driver, size, remote))?,
    })
}

fn document(driver: &LoadedDriver, size: usize, remote: Option<&Remote>) -> Value {
    let descriptor = driver.descriptor();
    let mut document = json!({
        "apiVersion": output::API_VERSION,
        "kind": "DriverInspection",
        "name": descriptor.name,
        "version": descriptor.version,
        "vendor": descriptor.vendor,
        "digest": driver.digest(),
        "sizeBytes": size,
        "imports": driver.imports(),
        "restrictedImports": driver.restricted_imports(),
        "providers": descriptor.providers.iter().map(provider).collect::<Vec<_>>(),
    });
    if let (Some(remote), Some(members)) = (remote, document.as_object_mut()) {
        members.insert("reference".to_owned(), json!(remote.pinned()));
        members.insert("manifestDigest".to_owned(), json!(remote.digest()));
    }
    document
}

fn provider(provider: &Provider) -> Value {
    let endpoint =
        |endpoint: &kompox_core::driver::Endpoint| json!({"url": endpoint.url, "auth": endpoint.auth});
    let key = |key: &kompox_core::driver::CredentialKey| json!({"key": key.key, "required": key.required, "description": key.description});
    json!({
        "type": provider.type_,
        "csiDrivers": provider.csi_drivers,
        "features": provider.features,
        "endpoints": provider.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
        "authProfiles": provider.auth_profiles.iter().map(|profile| json!({"name": profile.name, "kind": profile.kind})).collect::<Vec<_>>(),
        "credentials": provider.credentials.iter().map(key).collect::<Vec<_>>(),
        "configSchema": provider.config_schema,
        "diskOptionsSchema": provider.disk_options_schema,
        "snapshotOptionsSchema": provider.snapshot_options_schema,
    })
}

fn table(driver: &LoadedDriver, size: usize, remote: Option<&Remote>) -> String {
    let descriptor = driver.descriptor();
    let mut head = Table::new(&["DRIVER", &descriptor.name]);
    let mut row = |name: &str, value: String| head.row([name.to_owned(), value]);
    row("VERSION", descriptor.version.clone());
    row("VENDOR", descriptor.vendor.clone());
    row("DIGEST", driver.digest().to_owned());
    if let Some(remote) = remote {
        row("REFERENCE", remote.pinned());
    }
    row("SIZE", format!("{size} bytes"));
    row("IMPORTS", driver.imports().join(", "));
    row("OF THEM IN VAIN", driver.restricted_imports().join(", "));
    let providers = descriptor.providers.iter().map(|provider| format!("\n{}", of_provider(provider)));
    head.render() + &providers.collect::<String>()
}

fn of_provider(provider: &Provider) -> String {
    let mut table = Table::new(&["TYPE", &provider.type_]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("CSI DRIVERS", provider.csi_drivers.join(", "));
    row("FEATURES", provider.features.join(", "));
    for endpoint in &provider.endpoints {
        let auth = endpoint.auth.as_ref().map(|auth| format!(" (signed by `{auth}`)")).unwrap_or_default();
        row("ENDPOINT", format!("{}{auth}", endpoint.url));
    }
    for profile in &provider.auth_profiles {
        row("AUTH PROFILE", format!("{}: {}", profile.name, profile.kind));
    }
    for key in &provider.credentials {
        let need = if key.required { "" } else { " (optional)" };
        row("CREDENTIAL", format!("{}{need}", key.key));
    }
    table.render()
}
