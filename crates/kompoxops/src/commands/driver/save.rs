//! `kompoxops driver save`: an artifact with its signatures becomes files, for places without a registry.

use std::path::PathBuf;

use clap::Args;
use kompox_oci::{Entry, Image};
use kompox_signature::Evidence;

use super::remote::Remote;
use super::report::{Common, Report};
use crate::console::note;
use crate::failure::Failure;
use crate::registry::{OciReference, Purpose};

/// Saves an artifact and its signatures as an OCI image layout, for a cluster that reaches no registry of the
/// internet. The same artifact always makes the same bytes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Which artifact
    #[arg(value_name = "oci://REFERENCE")]
    reference: OciReference,
    /// Where to: a tar archive, whose name ends in .tar, or a directory that is empty or not there
    #[arg(value_name = "DIR|FILE.tar")]
    path: PathBuf,
    /// Output and registry.
    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops driver save oci://registry.example.com/acme/my-cloud:1.2.0 my-cloud.tar
  kompoxops driver load my-cloud.tar oci://registry.internal/acme/my-cloud:1.2.0

Exit codes: 1 when the registry does not give it, 3 when it is no driver or cannot be saved there.";

/// Runs the command.
///
/// # Errors
/// When the registry does not give it, or the files cannot be written.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let remote = Remote::resolve(&arguments.reference, &arguments.common.registries, Purpose::Pull).await?;
    let image = remote.image().await?;
    let signatures = remote.signatures().await?;
    let behind_tag = remote.subject()?.signature_tag();
    let count = signatures.iter().map(|image| image.evidence().len()).sum::<usize>();
    let size = image.size();
    let named = |image: Image| Entry { name: has_tag(&image).then(|| behind_tag.clone()), image };
    let driver = Entry { name: Some(arguments.reference.0.to_string()), image };
    let entries: Vec<Entry> = std::iter::once(driver).chain(signatures.into_iter().map(named)).collect();
    Image::save(&arguments.path, &entries).map_err(|error| Failure::Layout(Box::new(error)))?;
    let path = arguments.path.display().to_string();
    Report::default()
        .fact("reference", remote.pinned())
        .fact("digest", remote.digest().as_str())
        .fact("signatures", count)
        .fact("sizeBytes", size)
        .fact("path", path.clone())
        .print(arguments.common.output)?;
    note(format!("next: kompoxops driver load {path} oci://REGISTRY/REPOSITORY:TAG"));
    Ok(())
}

/// Whether it stands behind a tag; other signatures are referrers, which have no name.
fn has_tag(image: &Image) -> bool {
    image.evidence().iter().any(|evidence| matches!(evidence, Evidence::SimpleSigning { .. }))
}
