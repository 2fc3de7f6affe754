//! `kompoxops driver install`: a component becomes a driver of the cluster.
//!
//! A file travels in a ConfigMap whose name says its digest, and the KompoxDriver pins that digest: the switch from
//! one version to the next is one write, and what others do to the ConfigMap changes nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use kompox_core::driver::Driver as _;
use kompox_crds::KompoxDriver;
use kompox_crds::names::OPERATOR_NAMESPACE;
use kompox_driver_runtime::{LoadedDriver, NoObserver};
use kube::api::Api;
use serde_json::Value;

use super::objects::{self, Driver, Signer, Source};
use crate::arguments::Connection;
use crate::cluster::{Cluster, Conflicts};
use crate::commands::apply::apply_one;
use crate::commands::request::pairs;
use crate::commands::up::DryRun;
use crate::commands::wait::{self, Awaited};
use crate::console::{Activity, note};
use crate::failure::Failure;
use crate::output;

/// Installs a driver, or a new version of one, and waits until the operator uses it. A file is checked first, as the
/// operator checks it, and pinned by its digest. The version before stays in use until the new one works.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Component: a file that ends in .wasm, .wasm.gz or .wasm.zst, or oci:// and a reference to a registry
    #[arg(value_name = "FILE|oci://REFERENCE")]
    source: String,
    /// Name of the KompoxDriver [default: the driver's own; for a reference, the end of its repository]
    #[arg(long)]
    name: Option<String>,
    /// Which hosts it may reach [default: none, until someone allows it]
    #[arg(long, value_enum, value_name = "MODE")]
    egress: Option<EgressMode>,
    /// Setting for every object that the driver serves, such as region=us-west-2; repeatable
    #[arg(long = "config", value_name = "KEY=VALUE")]
    config: Vec<String>,
    /// Secret in the operator's namespace with credentials that all objects share
    #[arg(long, value_name = "NAME")]
    credentials_secret: Option<String>,
    /// Label of the KompoxDriver, for operators that look after some only (--driver-selector); repeatable
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<String>,
    /// Digest of the component that a reference must lead to
    #[arg(long, value_name = "sha256:HEX")]
    digest: Option<String>,
    /// Secret of type kubernetes.io/dockerconfigjson in the operator's namespace, for a private registry
    #[arg(long, value_name = "NAME")]
    pull_secret: Option<String>,
    /// Secret and key with the public key that must have signed a reference
    #[arg(long, value_name = "SECRET/KEY")]
    verify_key: Option<String>,
    /// Subject that must have signed a reference without a key, as for `driver verify`
    #[arg(long, value_name = "SUBJECT", requires = "certificate_oidc_issuer", conflicts_with = "verify_key")]
    certificate_identity: Option<String>,
    /// Issuer that vouches for the subject
    #[arg(long, value_name = "URL", requires = "certificate_identity")]
    certificate_oidc_issuer: Option<String>,
    /// The operator's namespace
    #[arg(long, value_name = "NAME", default_value = OPERATOR_NAMESPACE)]
    operator_namespace: String,
    /// How long to wait until the operator uses it, such as 90s or 5m
    #[arg(long, default_value = "2m", value_parser = wait::duration, value_name = "TIME")]
    timeout: Duration,
    /// Whether to apply the objects or only to print them
    #[arg(long, value_enum, default_value_t, value_name = "WHERE")]
    dry_run: DryRun,
    /// The cluster.
    #[command(flatten)]
    connection: Connection,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops driver install my-cloud.wasm --egress declared
  kompoxops driver install my-cloud.wasm --config region=eu-1 --credentials-secret my-cloud
  kompoxops driver install oci://registry.example.com/acme/my-cloud:1.2.0 \\
      --pull-secret registry --verify-key cosign/cosign.pub --egress declared
  kompoxops driver install my-cloud.wasm --dry-run=client > driver.yaml

Exit codes: 3 when the file is no driver (nothing was changed), 4 when the operator does not use it
in time.";

/// Which hosts the driver may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EgressMode {
    /// None
    None,
    /// Those it declares; `kompoxops driver inspect` shows them
    Declared,
}

/// Runs the command.
///
/// # Errors
/// When the file is no driver, the cluster refuses an object, or the operator does not use it in time.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let driver = driver(arguments).await?;
    let objects = objects::of(&driver, &arguments.operator_namespace)?;
    if arguments.dry_run == DryRun::Client {
        return output::print(&output::to_yaml_stream(&objects)?);
    }
    let cluster = Cluster::connect(&arguments.connection).await?;
    let generation = apply(&cluster, &objects).await?;
    let drivers: Api<KompoxDriver> = Api::all(cluster.client.clone());
    let awaited = Awaited { name: &driver.name, generation, limit: arguments.timeout };
    let ready = wait::until_ready(drivers, awaited).await?;
    objects::prune(&cluster, &driver, &arguments.operator_namespace).await?;
    tell(&ready);
    Ok(())
}

/// The component before the KompoxDriver that names it; gives the generation of the latter.
async fn apply(cluster: &Cluster, objects: &[Value]) -> Result<i64, Failure> {
    let mut generation = 0;
    for object in objects {
        generation = apply_one(cluster, object, Conflicts::Refuse).await?;
    }
    Ok(generation)
}

/// What the user should know of a driver that has just become ready.
fn tell(driver: &KompoxDriver) {
    let status = driver.status.clone().unwrap_or_default();
    note(format!("it serves {}", status.types.unwrap_or_default()));
    if status.egress.is_some_and(|egress| egress.mode == "None") && !status.endpoints.is_empty() {
        note(format!(
            "it may reach no host yet; it asks for {}: allow them with --egress declared",
            status.endpoints.join(", ")
        ));
    }
}

async fn driver(arguments: &Arguments) -> Result<Driver, Failure> {
    let config = pairs("config", &arguments.config)?;
    let (name, source) = match arguments.source.strip_prefix("oci://") {
        Some(reference) => of_reference(arguments, reference)?,
        None => of_file(arguments).await?,
    };
    if !crate::naming::is_label(&name, 63) {
        let message = format!("'{name}' cannot be the name of a KompoxDriver; give one that is a DNS label");
        return Err(Failure::Option { option: "name", message });
    }
    Ok(Driver {
        name,
        source,
        egress: arguments.egress.map(|mode| match mode {
            EgressMode::None => "None",
            EgressMode::Declared => "Declared",
        }),
        config,
        labels: pairs("label", &arguments.labels)?,
        credentials_secret: arguments.credentials_secret.clone(),
    })
}

fn of_reference(arguments: &Arguments, reference: &str) -> Result<(String, Source), Failure> {
    let key = arguments.verify_key.as_deref().map(secret_and_key).transpose()?;
    let identity = arguments.certificate_identity.clone().zip(arguments.certificate_oidc_issuer.clone());
    let signer = key
        .map(|(secret, key)| Signer::Key { secret, key })
        .or(identity.map(|(subject, issuer)| Signer::Identity { subject, issuer }));
    let source = Source::Registry {
        reference: reference.to_owned(),
        digest: arguments.digest.clone(),
        pull_secret: arguments.pull_secret.clone(),
        signer,
    };
    Ok((arguments.name.clone().unwrap_or_else(|| name_of_reference(reference)), source))
}

/// The end of the repository, without what says that it is a driver: `acme` for `host/x/kompox-driver-acme:1`.
pub(super) fn name_of_reference(reference: &str) -> String {
    let repository = reference.split('@').next().unwrap_or_default();
    let last = repository.rsplit('/').next().unwrap_or_default();
    let name = last.split(':').next().unwrap_or_default();
    name.trim_start_matches("kompox-").trim_start_matches("driver-").to_owned()
}

fn secret_and_key(text: &str) -> Result<(String, String), Failure> {
    match text.split_once('/') {
        Some((secret, key)) if !secret.is_empty() && !key.is_empty() => {
            Ok((secret.to_owned(), key.to_owned()))
        }
        _ => {
            let message = format!("'{text}' must be SECRET/KEY, such as cosign/cosign.pub");
            Err(Failure::Option { option: "verify-key", message })
        }
    }
}

async fn of_file(arguments: &Arguments) -> Result<(String, Source), Failure> {
    only_for_references(arguments)?;
    let path = PathBuf::from(&arguments.source);
    let runtime = super::runtime(std::sync::Arc::new(NoObserver))?;
    let bytes = super::component(&path)?;
    let activity = Activity::start(&format!("checking {}", path.display()));
    let bad = |message: String| Failure::BadFile { path: path.clone(), message };
    let driver = runtime.load(bytes.clone()).await.map_err(|error| bad(error.to_string()))?;
    let packed = objects::packed(&bytes).map_err(bad)?;
    drop(activity);
    introduce(&driver);
    let name = arguments.name.clone().unwrap_or_else(|| driver.descriptor().name.clone());
    Ok((name, Source::Component { digest: driver.digest().to_owned(), packed }))
}

fn introduce(driver: &LoadedDriver) {
    let descriptor = driver.descriptor();
    note(format!("{} {} ({})", descriptor.name, descriptor.version, driver.digest()));
}

/// An option that would have no effect is a mistake.
fn only_for_references(arguments: &Arguments) -> Result<(), Failure> {
    let given: BTreeMap<&'static str, bool> = [
        ("digest", arguments.digest.is_some()),
        ("pull-secret", arguments.pull_secret.is_some()),
        ("verify-key", arguments.verify_key.is_some()),
        ("certificate-identity", arguments.certificate_identity.is_some()),
    ]
    .into();
    match given.into_iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => {
            let message = "it goes with oci:// references; a file is pinned by its own digest".to_owned();
            Err(Failure::Option { option, message })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_its_driver() {
        for (reference, name) in [
            ("registry.example.com/acme/my-cloud:1.2.0", "my-cloud"),
            ("localhost:5000/kompox-driver-acme", "acme"),
            ("registry.example.com/driver-acme@sha256:00", "acme"),
            ("registry.example.com/acme:1@sha256:00", "acme"),
        ] {
            assert_eq!(name_of_reference(reference), name, "{reference}");
        }
    }

    #[test]
    fn a_key_is_a_secret_and_a_key() {
        assert_eq!(secret_and_key("cosign/cosign.pub").unwrap(), ("cosign".into(), "cosign.pub".into()));
        for bad in ["cosign", "/key", "secret/"] {
            assert_eq!(secret_and_key(bad).unwrap_err().exit_code(), 3, "{bad}");
        }
    }
}
