//! An artifact in a registry, as a command sees it: resolved once, so that all that follows is about the same bytes.

use kompox_oci::{Digest, Image, Puller, Resolved};
use kompox_signature::{Evidence, Policy, Refusal, Subject, Verified};

use crate::console::{Activity, Transfer};
use crate::failure::Failure;
use crate::registry::{Access, OciReference, Purpose, RegistryArguments};

/// A resolved artifact and the way to it.
pub(super) struct Remote {
    /// The way to its registry.
    pub(super) access: Access,
    puller: Puller,
    resolved: Resolved,
}

impl Remote {
    /// Asks the registry what the reference names.
    ///
    /// # Errors
    /// What the registry says, or that it is no driver.
    pub(super) async fn resolve(
        reference: &OciReference,
        registries: &RegistryArguments,
        purpose: Purpose,
    ) -> Result<Self, Failure> {
        let access = Access::open(&reference.0, registries, purpose).await?;
        let puller = Puller::new(access.client.clone(), None, super::component_limit() as u64);
        let activity = Activity::start(&format!("resolving {reference}"));
        let resolved = puller.resolve(&reference.0, &access.credentials).await;
        drop(activity);
        let resolved = resolved.map_err(|error| access.failed(error))?;
        Ok(Self { access, puller, resolved })
    }

    /// The digest of the manifest, which signatures are about.
    pub(super) fn digest(&self) -> &Digest {
        self.resolved.digest()
    }

    /// The reference, pinned to what was resolved.
    pub(super) fn pinned(&self) -> String {
        pinned(&self.access.reference, self.digest())
    }

    /// What a signature must be about.
    ///
    /// # Errors
    /// When the repository has a name that no signature can be about.
    pub(super) fn subject(&self) -> Result<Subject, Failure> {
        subject(&self.access.reference, self.digest())
    }

    /// All signatures that the registry holds.
    ///
    /// # Errors
    /// What the registry says. That there are none is no error.
    pub(super) async fn signatures(&self) -> Result<Vec<Image>, Failure> {
        let found = self.puller.signatures(&self.resolved, &self.access.credentials).await;
        found.map_err(|error| self.access.failed(error))
    }

    /// Whether one of the signatures is as it must be.
    ///
    /// # Errors
    /// What the registry says.
    pub(super) async fn signed_by(&self, signer: &Policy) -> Result<Result<Verified, Refusal>, Failure> {
        let subject = self.subject()?;
        let signatures = self.signatures().await?;
        let evidence: Vec<Evidence> = signatures.iter().flat_map(Image::evidence).collect();
        Ok(signer.verify(&subject, &evidence))
    }

    /// Pulls the component.
    ///
    /// # Errors
    /// What the registry says, or that it is no component.
    pub(super) async fn component(&self) -> Result<Vec<u8>, Failure> {
        let transfer = Transfer::start(format!("pulling oci://{}", self.access.reference));
        let told = |progress: kompox_oci::Progress| transfer.set(progress.done, progress.total);
        let pulled = self.puller.component(&self.resolved, &self.access.credentials, &told).await;
        pulled.map(Vec::from).map_err(|error| self.access.failed(error))
    }

    /// Pulls the artifact as it is.
    ///
    /// # Errors
    /// What the registry says, or that it is an index.
    pub(super) async fn image(&self) -> Result<Image, Failure> {
        let transfer = Transfer::start(format!("pulling oci://{}", self.access.reference));
        let told = |progress: kompox_oci::Progress| transfer.set(progress.done, progress.total);
        let pulled = self.puller.image(&self.resolved, &self.access.credentials, &told).await;
        pulled.map_err(|error| self.access.failed(error))
    }
}

/// The reference with its tag, if it has one, and this digest.
pub(super) fn pinned(reference: &kompox_oci::Reference, digest: &Digest) -> String {
    let tag = reference.tag().map(|tag| format!(":{tag}")).unwrap_or_default();
    format!("oci://{}{tag}@{digest}", reference.name())
}

/// What a signature of this manifest must be about.
///
/// # Errors
/// When the repository has a name that no signature can be about.
pub(super) fn subject(reference: &kompox_oci::Reference, digest: &Digest) -> Result<Subject, Failure> {
    Subject::new(&reference.name(), digest.as_str()).map_err(|error| Failure::Argument {
        argument: format!("oci://{reference}"),
        message: error.to_string(),
    })
}

/// A reference that is pinned takes no other artifact.
///
/// # Errors
/// When it is pinned to another digest.
pub(super) fn takes(reference: &OciReference, digest: &Digest) -> Result<(), Failure> {
    match reference.0.digest() {
        Some(pin) if pin != *digest => {
            let message = format!("the artifact is {digest}; push it to a tag");
            Err(Failure::Argument { argument: reference.to_string(), message })
        }
        _ => Ok(()),
    }
}
