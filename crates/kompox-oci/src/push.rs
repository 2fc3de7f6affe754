//! Writes an artifact to the registry that its reference names, never to a mirror.

use crate::{
    client::{Access, Client, Target},
    credentials::Credentials,
    digest::Digest,
    error::{Error, Step},
    image::Image,
    progress::{OnProgress, Progress},
    reference::Reference,
    signatures::put,
};

impl Client {
    /// Pushes blobs, then the manifest: under the tag of `reference`, or by its digest alone where `reference` has
    /// no tag. Returns the digest of the manifest.
    ///
    /// # Errors
    /// What the registry says.
    pub async fn push(
        &self,
        reference: &Reference,
        image: &Image,
        credentials: &Credentials,
        progress: OnProgress<'_>,
    ) -> Result<Digest, Error> {
        let session = self.origin(reference, credentials, Access::Push)?;
        let total: u64 = image.blobs.iter().map(|blob| blob.len() as u64).sum();
        let mut before = 0;
        for blob in &image.blobs {
            let meter = |done: u64, _: u64| progress(Progress { done: before + done, total });
            session.upload(blob, &meter).await.map_err(session.failed(Step::Push))?;
            before += blob.len() as u64;
        }
        let digest = image.digest();
        let target = reference.tag().map_or(Target::Digest(&digest), Target::Tag);
        put(&session, target, image).await.map_err(session.failed(Step::Push))?;
        Ok(digest)
    }
}
