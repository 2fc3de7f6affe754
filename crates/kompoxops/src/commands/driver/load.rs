//! `kompoxops driver load`: an artifact from files goes to a registry, with its signatures.

use std::path::{Path, PathBuf};

use clap::Args;
use kompox_oci::{Entry, Image};
use kompox_signature::Evidence;

use super::component_limit;
use super::remote::{pinned, takes};
use super::report::{Common, Report};
use crate::console::{Activity, Transfer, note};
use crate::failure::Failure;
use crate::registry::{Access, OciReference, Purpose};

/// Most bytes of signatures beside the component.
const SIGNATURES: u64 = 32 << 20;

/// Loads an artifact that `driver save` saved, and its signatures, into a registry. The tag is set last, when
/// everything else is there.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// What `driver save` wrote: a tar archive or a directory
    #[arg(value_name = "DIR|FILE.tar")]
    path: PathBuf,
    /// Where to: a registry, a repository and a tag
    #[arg(value_name = "oci://REFERENCE")]
    reference: OciReference,
    /// Output and registry.
    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  kompoxops driver load my-cloud.tar oci://registry.internal/acme/my-cloud:1.2.0

A signature in the form of a bundle holds wherever the artifact is. One behind a `.sig` tag names
its repository: keep the name, and let the operator find it with `mirrors` (--registries-config).

Exit codes: 1 when the registry does not take it, 3 when the files hold no driver, or only a part.";

/// Runs the command.
///
/// # Errors
/// When the files hold no driver, or the registry does not take it.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { path, reference, .. } = arguments;
    let entries = Image::load(path, (component_limit() as u64).saturating_add(SIGNATURES));
    let entries = entries.map_err(|error| Failure::Layout(Box::new(error)))?;
    let loaded = Loaded::of(entries, path)?;
    takes(reference, &loaded.driver.digest())?;
    let access = Access::open(&reference.0, &arguments.common.registries, Purpose::Push).await?;
    loaded.push(&access).await?;
    let digest = loaded.driver.digest();
    let pinned = pinned(&reference.0, &digest);
    Report::default()
        .fact("reference", pinned.clone())
        .fact("digest", digest.as_str())
        .fact("signatures", loaded.evidence().count())
        .fact("sizeBytes", loaded.driver.size())
        .print(arguments.common.output)?;
    loaded.warn(reference);
    note(format!("next: kompoxops driver install {pinned}"));
    Ok(())
}

/// The driver of a layout and what is signed of it.
struct Loaded {
    /// What it was called where it was saved.
    name: Option<String>,
    driver: Image,
    signatures: Vec<Image>,
}

impl Loaded {
    fn of(entries: Vec<Entry>, path: &Path) -> Result<Self, Failure> {
        let bad = |message: String| Failure::BadFile { path: path.to_owned(), message };
        let (signatures, others): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| !entry.image.evidence().is_empty());
        let count = others.len();
        let mut others = others.into_iter();
        let (Some(entry), None) = (others.next(), others.next()) else {
            return Err(bad(format!("it holds {count} artifacts; `kompoxops driver save` saves one")));
        };
        entry.image.component(component_limit() as u64).map_err(|error| bad(error.to_string()))?;
        let signatures = signatures.into_iter().map(|entry| entry.image).collect();
        Ok(Self { name: entry.name, driver: entry.image, signatures })
    }

    fn evidence(&self) -> impl Iterator<Item = Evidence> + '_ {
        self.signatures.iter().flat_map(Image::evidence)
    }

    /// The driver without its tag, its signatures, then the tag.
    async fn push(&self, access: &Access) -> Result<(), Failure> {
        let Access { reference, client, credentials, .. } = access;
        let failed = |error| access.failed(error);
        let digest = self.driver.digest();
        let transfer = Transfer::start(format!("pushing oci://{reference}"));
        let told = |progress: kompox_oci::Progress| transfer.set(progress.done, progress.total);
        client.push(&reference.at(&digest), &self.driver, credentials, &told).await.map_err(failed)?;
        drop(transfer);
        let _activity = Activity::start("pushing its signatures and the tag");
        for image in &self.signatures {
            self.add(access, image).await?;
        }
        client.push(reference, &self.driver, credentials, kompox_oci::SILENT).await.map(drop).map_err(failed)
    }

    /// Adds signatures to those that the registry may have already.
    async fn add(&self, access: &Access, image: &Image) -> Result<(), Failure> {
        let Access { reference, client, credentials, .. } = access;
        let failed = |error| access.failed(error);
        let evidence = image.evidence();
        if evidence.iter().all(|one| matches!(one, Evidence::Bundle(_))) {
            let target = reference.at(&image.digest());
            let pushed = client.push(&target, image, credentials, kompox_oci::SILENT).await;
            return pushed.map(drop).map_err(failed);
        }
        for one in &evidence {
            let attached = client.attach(reference, &self.driver.digest(), one, credentials).await;
            attached.map_err(failed)?;
        }
        Ok(())
    }

    /// Says which signatures do not hold under another name.
    fn warn(&self, reference: &OciReference) {
        let repository = |name: &str| name.parse().ok().map(|parsed: kompox_oci::Reference| parsed.name());
        let moved = self.name.as_deref().and_then(repository).filter(|name| *name != reference.0.name());
        let bound = self.evidence().any(|evidence| matches!(evidence, Evidence::SimpleSigning { .. }));
        if let Some(name) = moved.filter(|_| bound) {
            note(format!(
                "signatures behind the `.sig` tag hold for {name} only: install it by that name, and name this registry as \
                 its mirror in the operator's --registries-config"
            ));
        }
    }
}
