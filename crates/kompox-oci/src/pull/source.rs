//! Where manifests and blobs come from: the store, a registry, or the one before the other.

use super::failed;
use crate::{
    artifact::Blob,
    client::{Session, Target},
    digest::Digest,
    error::{Error, Step},
    reference::Reference,
    store::Store,
};
use bytes::Bytes;

/// What can be asked, in this order.
pub(crate) struct Source<'a> {
    store: Option<&'a Store>,
    registry: Option<&'a Session>,
}

impl<'a> Source<'a> {
    /// The store alone.
    pub(crate) fn stored(store: &'a Store) -> Self {
        Self { store: Some(store), registry: None }
    }

    /// A registry, whose answers are kept.
    pub(crate) fn registry(session: &'a Session, store: Option<&'a Store>) -> Self {
        Self { store, registry: Some(session) }
    }

    /// The manifest with this digest. `None`: it is not in the store and there is no registry.
    pub(crate) async fn manifest(
        &self,
        reference: &Reference,
        digest: &Digest,
    ) -> Result<Option<Bytes>, Error> {
        if let Some(bytes) = self.find(reference, digest).await? {
            return Ok(Some(bytes));
        }
        let Some(session) = self.registry else { return Ok(None) };
        let manifest =
            session.manifest(Target::Digest(digest)).await.map_err(session.failed(Step::Manifest))?;
        self.keep(reference, manifest.bytes.clone()).await?;
        Ok(Some(manifest.bytes))
    }

    /// A blob; `None` as above. `meter` is told how many bytes of how many are here.
    pub(crate) async fn blob(
        &self,
        reference: &Reference,
        blob: &Blob,
        meter: &(dyn Fn(u64, u64) + Send + Sync),
    ) -> Result<Option<Bytes>, Error> {
        if let Some(bytes) = self.find(reference, &blob.digest).await? {
            return Ok(Some(bytes));
        }
        let Some(session) = self.registry else { return Ok(None) };
        let pulled = session.blob(&blob.digest, blob.size, meter).await;
        let bytes = pulled.map_err(session.failed(Step::Blob))?;
        self.keep(reference, bytes.clone()).await?;
        Ok(Some(bytes))
    }

    async fn find(&self, reference: &Reference, digest: &Digest) -> Result<Option<Bytes>, Error> {
        let Some(store) = self.store.cloned() else { return Ok(None) };
        let digest = digest.clone();
        let found = tokio::task::spawn_blocking(move || store.blob(&digest)).await;
        found.unwrap_or(Ok(None)).map_err(failed(reference))
    }

    async fn keep(&self, reference: &Reference, bytes: Bytes) -> Result<(), Error> {
        let Some(store) = self.store.cloned() else { return Ok(()) };
        let kept = tokio::task::spawn_blocking(move || store.put(&bytes)).await;
        kept.map_or(Ok(()), |kept| kept.map(drop)).map_err(failed(reference))
    }
}
