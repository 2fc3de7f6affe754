//! `kompoxops driver push`: a component becomes an artifact in a registry.

use std::path::PathBuf;

use clap::Args;
use kompox_core::driver::Driver as _;
use kompox_driver_runtime::LoadedDriver;
use kompox_oci::{Description, Image};

use super::remote::{pinned, takes};
use super::report::{Common, Report};
use super::{checks, component};
use crate::console::{Transfer, note};
use crate::failure::Failure;
use crate::registry::{Access, OciReference, Purpose};

/// Pushes a component to a registry, as the artifact that the operator, wkg and others take. It is checked first, as
/// `driver verify` does it. The same component always has the same digest. The tag is set last: a push that fails
/// changes nothing for those who use it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Component: a file that ends in .wasm, .wasm.gz or .wasm.zst
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to: a registry, a repository and a tag
    #[arg(value_name = "oci://REFERENCE")]
    reference: OciReference,
    /// Output and registry.
    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  docker login registry.example.com
  kompoxops driver push my-cloud.wasm oci://registry.example.com/acme/my-cloud:1.2.0
  kompoxops driver sign oci://registry.example.com/acme/my-cloud:1.2.0 --key cosign.key

Credentials are those of `docker login` ($DOCKER_CONFIG/config.json, else ~/.docker/config.json)
and of the helpers it names.

Exit codes: 1 when the registry does not take it, 3 when the component does not pass the checks
(nothing was pushed).";

/// Runs the command.
///
/// # Errors
/// When the component does not pass the checks, or the registry does not take it.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { file, reference, .. } = arguments;
    let bytes = component(file)?;
    let checked = checks::of(bytes.clone(), None).await?;
    let driver = checked.passed(&file.display().to_string())?;
    let image = Image::of_component(bytes.into(), &description(&driver));
    let digest = image.digest();
    takes(reference, &digest)?;
    let access = Access::open(&reference.0, &arguments.common.registries, Purpose::Push).await?;
    let transfer = Transfer::start(format!("pushing {reference}"));
    let told = |progress: kompox_oci::Progress| transfer.set(progress.done, progress.total);
    let pushed = access.client.push(&reference.0, &image, &access.credentials, &told).await;
    drop(transfer);
    pushed.map_err(|error| access.failed(error))?;
    let pinned = pinned(&reference.0, &digest);
    let descriptor = driver.descriptor();
    Report::default()
        .fact("reference", pinned.clone())
        .fact("digest", digest.as_str())
        .fact("component", driver.digest())
        .fact("driver", format!("{} {}", descriptor.name, descriptor.version))
        .fact("sizeBytes", image.size())
        .print(arguments.common.output)?;
    note(format!("next: kompoxops driver sign {pinned} --key cosign.key"));
    note(format!("  or: kompoxops driver install {pinned}"));
    Ok(())
}

/// What the artifact says of the component. It has no time and no name of this machine.
fn description(driver: &LoadedDriver) -> Description {
    let descriptor = driver.descriptor();
    let annotations = [
        ("org.opencontainers.image.title", &descriptor.name),
        ("org.opencontainers.image.vendor", &descriptor.vendor),
        ("org.opencontainers.image.version", &descriptor.version),
    ];
    let said = annotations.into_iter().filter(|(_, value)| !value.is_empty());
    Description {
        imports: driver.imports().to_vec(),
        exports: driver.exported().to_vec(),
        annotations: said.map(|(key, value)| (key.to_owned(), value.clone())).collect(),
    }
}
